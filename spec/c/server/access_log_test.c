#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/base/log.h"
#include "../../../ext/iodine/server/access_log.h"
#include "../../../ext/iodine/server/request.h"
#include "../test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static iod_count_t lost_lines;

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
  iod_access_entry_t entry = {.request = r, .status = status, .bytes = bytes, .took_us = took_us};
  iod_access_log_add(log, &entry);
  iod_request_unref(r);
  size_t length = iod_buffer_length(&log->lines);
  memcpy(line, iod_buffer_head(&log->lines), length);
  line[length] = 0;
  iod_buffer_clear(&log->lines);
  char *date = strchr(line, '[');
  if (log->sink.json) return line;
  CHECK(date != NULL && date[IOD_DATE_LENGTH + 1] == ']');
  memmove(date + 2, date + IOD_DATE_LENGTH + 1, strlen(date + IOD_DATE_LENGTH + 1) + 1);
  date[1] = 'D';
  return line;
}

TEST(access_log_lines) {
  iod_access_log_t log;
  iod_access_log_init(&log, (iod_access_sink_t){.fd = STDERR_FILENO}, &lost_lines);
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
  iod_access_log_init(&log, (iod_access_sink_t){.fd = STDERR_FILENO}, &lost_lines);
  iod_access_entry_t entry = {.request = r, .status = 200};
  for (int i = 0; i < LINES; i++) iod_access_log_add(&log, &entry);
  CHECK(iod_buffer_length(&log.lines) <= 1 << 20);
  CHECK(log.dropped > 0);
  iod_buffer_clear(&log.lines);
  iod_access_log_deinit(&log);
  iod_request_unref(r);
}

static iod_access_log_t json_log(void) {
  iod_access_log_t log;
  iod_access_log_init(&log, (iod_access_sink_t){.fd = STDERR_FILENO, .json = true}, &lost_lines);
  return log;
}

static bool has(const char *text, const char *part) { return strstr(text, part) != NULL; }

TEST(access_log_json) {
  iod_access_log_t log = json_log();
  test_case("an object in a line");
  const char *line = line_for(&log, "GET /path?secret=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: a-1\r\n\r\n", 200, 5, 180);
  CHECK(strncmp(line, "{\"time\":\"20", 11) == 0 &&
        has(line, "Z\",\"remote\":\"192.0.2.7\",\"method\":\"GET\",\"path\":\"/path\","));
  CHECK(has(line,
            "\"protocol\":\"HTTP/"
            "1.1\",\"status\":200,\"bytes\":5,\"duration\":0.000180,\"queue\":null,\"app\":null,\"id\":\"a-1\","));
  CHECK(line[strlen(line) - 2] == '}' && line[strlen(line) - 1] == '\n');

  test_case("text is text, and bytes that are none are written out");
  line = line_for(&log, "GET /a\"b\\\xc3\xa9 HTTP/1.0\r\n\r\n", 404, 0, 0);
  CHECK(has(line, "\"path\":\"/a\\\"b\\\\\xc3\xa9\",\"protocol\":\"HTTP/1.0\""));
  line = line_for(&log, "GET /\xff\xc3\xa9 HTTP/1.0\r\n\r\n", 404, 0, 0);
  CHECK(has(line, "\"path\":\"/\\\\xff\\\\xc3\\\\xa9\""));

  test_case("an id that is no plain word is not repeated");
  line = line_for(&log, "GET / HTTP/1.0\r\nX-Request-ID: a\"b\r\n\r\n", 200, 0, 0);
  CHECK(has(line, "\"id\":\"\","));
  iod_access_log_deinit(&log);
}

TEST(access_log_ids) {
  char room[IOD_REQUEST_ID_ROOM];
  iod_request_t *r = request_for("GET / HTTP/1.0\r\n\r\n");
  test_case("there is none until one is made, and then it stays");
  CHECK_INT(iod_request_id(r, room).length, 0);
  r->serial = iod_request_serial_next();
  iod_slice_t id = iod_request_id(r, room);
  CHECK_INT(id.length, 32);
  char first[IOD_REQUEST_ID_ROOM];
  memcpy(first, id.at, id.length);
  CHECK(memcmp(iod_request_id(r, room).at, first, 32) == 0);
  test_case("another request has another one, and another process has too");
  r->serial = iod_request_serial_next();
  CHECK(memcmp(iod_request_id(r, room).at, first, 16) == 0);
  CHECK(memcmp(room + 16, first + 16, 16) != 0);
  iod_request_serial_forked();
  r->serial = iod_request_serial_next();
  CHECK(memcmp(iod_request_id(r, room).at, first, 16) != 0);
  iod_request_unref(r);
}

TEST(access_log_lost) {
  int ends[2];
  char read_back[4096];
  iod_access_log_t log;
  iod_request_t *r = request_for("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  iod_access_entry_t entry = {.request = r, .status = 200};
  int level = iod_log_level;
  signal(SIGPIPE, SIG_IGN);
  iod_log_level = IOD_LOG_NONE;
  test_case("nobody reads: lines are lost and counted");
  CHECK_INT(pipe(ends), 0);
  close(ends[0]);
  iod_access_log_init(&log, (iod_access_sink_t){.fd = ends[1]}, &lost_lines);
  iod_count_set(&lost_lines, 0);
  for (int i = 0; i < 3; i++) iod_access_log_add(&log, &entry);
  CHECK(iod_access_log_take(&log) && iod_access_log_write(&log));
  CHECK_INT(log.lost, 3);
  CHECK_INT(lost_lines, 3);

  test_case("the descriptor stands for something that takes them: they come, and what was lost is told once");
  int again[2];
  CHECK(pipe(again) == 0 && dup2(again[1], ends[1]) == ends[1]);
  iod_access_log_add(&log, &entry);
  CHECK(iod_access_log_take(&log) && iod_access_log_write(&log));
  CHECK_INT(log.lost, 0);
  CHECK(read(again[0], read_back, sizeof read_back) > 40);
  CHECK_INT(lost_lines, 3);

  test_case("half a line gets its end first");
  log.cut = true;
  iod_access_log_add(&log, &entry);
  CHECK(iod_access_log_take(&log) && iod_access_log_write(&log));
  CHECK(read(again[0], read_back, sizeof read_back) > 40 && read_back[0] == '\n' && read_back[1] == '1');
  iod_access_log_deinit(&log);
  iod_request_unref(r);
  iod_log_level = level;
  close(ends[1]), close(again[0]), close(again[1]);
}
