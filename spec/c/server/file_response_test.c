#include "../../../ext/iodine/server/file_response.h"
#include "../../../ext/iodine/server/request.h"
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const iod_http1_limits_t limits = {32768, 8192, 8192, 128, 1000};

static iod_request_t *request_of(const char *lines) {
  static iod_http1_parser_t parser;
  char head[1024];
  int length = snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", lines);
  iod_http1_parser_reset(&parser);
  CHECK_INT(iod_http1_parse_head(&parser, &limits, head, (size_t)length), length);
  return iod_request_new(&parser, head);
}

/* "0123456789…" */
static iod_file_t *file_of(size_t size) {
  static const iod_file_kind_t kind = {.coding = IOD_CODING_IDENTITY, .type = {"text/plain", 10}};
  char name[] = "/tmp/iodine-file-XXXXXX";
  struct stat status;
  int fd = mkstemp(name);
  unlink(name);
  for (size_t i = 0; i < size; i += 10) CHECK_INT(write(fd, "0123456789", 10), 10);
  CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
  CHECK_INT(fstat(fd, &status), 0);
  return iod_file_new(fd, &status, &kind);
}

/* What a client reads; how much of it is content is told apart. */
static size_t read_all(const iod_file_response_t *response, char *out) {
  size_t length = 0;
  for (size_t i = 0; i < response->count; i++) {
    const iod_segment_t *s = &response->segments[i];
    if (s->kind == IOD_SEGMENT_FILE)
      CHECK_INT(pread(s->fd, out + length, s->length, s->offset), s->length);
    else
      memcpy(out + length, s->bytes, s->length);
    length += s->length;
  }
  out[length] = '\0';
  return length;
}

static void drop(const iod_file_response_t *response) {
  for (size_t i = 0; i < response->count; i++) iod_segment_drop(&response->segments[i], NULL);
}

static char out[100000];

static int answer(size_t size, const char *lines, int status, size_t *body) {
  iod_buffer_t room = {0};
  iod_request_t *r = request_of(lines);
  iod_file_t *file = file_of(size);
  int result = IOD_E_NOMEM;
  if (r && file) {
    iod_file_query_t query = iod_file_query(r);
    iod_file_response_t response = {.request = r,
                                    .file = file,
                                    .query = &query,
                                    .status = status,
                                    .date = {"date: now\r\n", 11},
                                    .keep_alive = true};
    result = iod_file_respond(&response, &room);
    iod_file_free(file); /* what is sent of it stays */
    file = NULL;
    if (result == 0) {
      read_all(&response, out);
      result = response.status;
      *body = response.body_bytes;
    } else {
      CHECK_INT(response.count, 0);
    }
    drop(&response);
  }
  iod_file_free(file);
  if (r) iod_request_unref(r), iod_request_unref(r);
  iod_buffer_deinit(&room);
  return result;
}

TEST(file_response) {
  static const struct {
    const char *name, *lines, *has, *end;
    int asked, status;
    size_t body;
  } cases[] = {
      {"whole", "", "content-length: 20\r\n", "\r\n\r\n01234567890123456789", 200, 200, 20},
      {"one range", "Range: bytes=1-3\r\n", "content-range: bytes 1-3/20\r\n", "\r\n\r\n123", 200, 206, 3},
      {"two ranges", "Range: bytes=0-0,5-6\r\n", "multipart/byteranges; boundary=", "--\r\n", 200, 206, 3},
      {"no such range", "Range: bytes=99999-\r\n", "content-range: bytes */20\r\n", "\r\n\r\n", 200, 416, 0},
      {"not modified", "If-None-Match: *\r\nRange: bytes=0-1\r\n", "etag: \"", "\r\n\r\n", 200, 304, 0},
      {"precondition", "If-Match: \"x\"\r\n", "content-length: 0\r\n", "\r\n\r\n", 200, 412, 0},
      {"a part, as the application says", "Range: bytes=0-1\r\n", "HTTP/1.1 206 Partial Content\r\n", "456789", 206,
       206, 20},
      {"unchanged, as the application says", "", "HTTP/1.1 416 Range Not Satisfiable\r\n", "456789", 416, 416, 20},
      {"an error's page", "If-None-Match: *\r\nRange: bytes=0-1\r\n", "HTTP/1.1 404 Not Found\r\n", "456789", 404, 404,
       20},
  };
  size_t body;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].name);
    CHECK_INT(answer(20, cases[i].lines, cases[i].asked, &body), cases[i].status);
    CHECK_INT(body, cases[i].body);
    CHECK(strstr(out, cases[i].has) != NULL);
    CHECK(strcmp(out + strlen(out) - strlen(cases[i].end), cases[i].end) == 0);
    CHECK(strstr(out, "date: now\r\n") != NULL);
    test_case("the same from a descriptor");
    CHECK_INT(answer(IOD_FILE_IN_MEMORY + 10, cases[i].lines, cases[i].asked, &body), cases[i].status);
  }
}

static void answer_parts(void) {
  size_t body;
  int status = answer(IOD_FILE_IN_MEMORY + 10, "Range: bytes=0-0,5-6,90-91\r\n", 200, &body);
  CHECK(status == 206 || status == IOD_E_NOMEM);
}

TEST(file_response_without_memory) {
  test_case("a response fails whole, and no descriptor stays open");
  test_each_allocation_fails(answer_parts);
}
