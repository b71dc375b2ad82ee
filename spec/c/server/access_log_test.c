#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/server/access_log.h"
#include "../../../ext/iodine/server/request.h"
#include "../test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static iod_request_t *request_for(const char *head) {
  static iod_http1_parser_t parser;
  iod_http1_limits_t limits = {8192, 8192, 8192, 64, 1};
  iod_http1_parser_reset(&parser);
  CHECK(iod_http1_parse_head(&parser, &limits, head, strlen(head)) > 0);
  iod_request_t *r = iod_request_new(&parser, head);
  memcpy(r->remote.ip, "192.0.2.7", 10);
  r->remote.ip_length = 9;
  iod_request_unref(r); /* the connection's reference */
  return r;
}

/* The line as added, its date replaced by one D. */
static const char *line_for(iod_access_log_t *log, const char *head, int status, uint64_t bytes, uint64_t took_us) {
  static char line[1024];
  iod_request_t *r = request_for(head);
  iod_access_log_add(log, r, status, bytes, took_us);
  iod_request_unref(r);
  size_t length = iod_buffer_length(&log->lines);
  memcpy(line, iod_buffer_head(&log->lines), length);
  line[length] = 0;
  iod_buffer_clear(&log->lines);
  char *date = strchr(line, '[');
  CHECK(date != NULL && date[IOD_DATE_LENGTH + 1] == ']');
  memmove(date + 2, date + IOD_DATE_LENGTH + 1, strlen(date + IOD_DATE_LENGTH + 1) + 1);
  date[1] = 'D';
  return line;
}

TEST(access_log_lines) {
  iod_access_log_t log;
  iod_access_log_init(&log);
  test_case("the format, without the query");
  CHECK(strcmp(line_for(&log, "GET /path?secret=1 HTTP/1.1\r\nHost: x\r\n\r\n", 200, 5, 180),
               "192.0.2.7 - - [D] \"GET /path HTTP/1.1\" 200 5b 0.2ms\n") == 0);
  CHECK(strcmp(line_for(&log, "HEAD / HTTP/1.0\r\n\r\n", 304, 0, 1234567),
               "192.0.2.7 - - [D] \"HEAD / HTTP/1.0\" 304 0b 1234.6ms\n") == 0);
  test_case("what could forge a line or reach a terminal is escaped");
  CHECK(strcmp(line_for(&log, "GET /a\"b\\\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 404, 0, 0),
               "192.0.2.7 - - [D] \"GET /a\\x22b\\x5c\\xc3\\xa9 HTTP/1.1\" 404 0b 0.0ms\n") == 0);
  iod_access_log_deinit(&log);
}

TEST(access_log_bounded) {
  test_case("a sink that stands still costs lines, not memory");
  enum { LINES = 30000 };
  iod_access_log_t log;
  iod_request_t *r = request_for("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  iod_access_log_init(&log);
  for (int i = 0; i < LINES; i++) iod_access_log_add(&log, r, 200, 0, 0);
  CHECK(iod_buffer_length(&log.lines) <= 1 << 20);
  CHECK(log.dropped > 0);
  iod_buffer_clear(&log.lines);
  iod_access_log_deinit(&log);
  iod_request_unref(r);
}
