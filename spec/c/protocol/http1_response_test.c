#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/protocol/http1_response.h"
#include "../test.h"

#include <stdio.h>

static void check_status_line(int status, const char *expected) {
  char room[IOD_STATUS_LINE_ROOM];
  iod_slice_t line = iod_http1_status_line(status, room);
  CHECK_BYTES(line.at, line.length, expected);
}

TEST(status_lines) {
  check_status_line(100, "HTTP/1.1 100 Continue\r\n");
  check_status_line(200, "HTTP/1.1 200 OK\r\n");
  check_status_line(204, "HTTP/1.1 204 No Content\r\n");
  check_status_line(404, "HTTP/1.1 404 Not Found\r\n");
  check_status_line(413, "HTTP/1.1 413 Content Too Large\r\n");
  check_status_line(418, "HTTP/1.1 418 \r\n");
  check_status_line(511, "HTTP/1.1 511 Network Authentication Required\r\n");
  check_status_line(599, "HTTP/1.1 599 \r\n");
  check_status_line(999, "HTTP/1.1 999 \r\n");
}

TEST(status_lines_all_have_one_form) {
  for (int status = 100; status <= 999; status++) {
    char room[IOD_STATUS_LINE_ROOM], expected[80];
    iod_slice_t line = iod_http1_status_line(status, room);
    snprintf(expected, sizeof(expected), "HTTP/1.1 %d %s\r\n", status, iod_http1_reason(status));
    CHECK_BYTES(line.at, line.length, expected);
  }
  CHECK(strcmp(iod_http1_reason(7), "") == 0);
}

TEST(bodyless_statuses) {
  CHECK(iod_http1_bodyless(101));
  CHECK(iod_http1_bodyless(204));
  CHECK(iod_http1_bodyless(304));
  CHECK(!iod_http1_bodyless(200));
  CHECK(!iod_http1_bodyless(205));
}

TEST(response_names) {
  static const struct {
    const char *name;
    size_t length;
    bool valid;
  } table[] = {
      {"content-type", 12, true}, {"X_y", 3, true}, {"", 0, false},      {":", 1, false},    {"a", 1, true},
      {"a b", 3, false},          {"a:", 2, false}, {"a\r\n", 3, false}, {"a\0b", 3, false}, {"\xc3\xa4", 2, false}};
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    test_case(table[i].name);
    CHECK(iod_http1_name_valid(table[i].name, table[i].length) == table[i].valid);
  }
}

TEST(response_values) {
  CHECK(iod_http1_value_valid("", 0));
  CHECK(iod_http1_value_valid("text/html; charset=utf-8\t\xc3\xa4", 27));
  static const char bad[] = {'\r', '\n', '\0', 0x01, 0x1f, 0x7f};
  for (size_t i = 0; i < sizeof(bad); i++) {
    for (size_t at = 0; at < 20; at++) {
      char value[20];
      memset(value, 'v', sizeof(value));
      value[at] = bad[i];
      CHECK(!iod_http1_value_valid(value, sizeof(value)));
    }
  }
}

TEST(chunk_heads) {
  static const struct {
    uint64_t n;
    const char *head;
  } table[] = {{0, "0\r\n"},
               {1, "1\r\n"},
               {15, "f\r\n"},
               {16, "10\r\n"},
               {500, "1f4\r\n"},
               {65536, "10000\r\n"},
               {UINT64_MAX, "ffffffffffffffff\r\n"}};
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    test_case(table[i].head);
    char room[IOD_CHUNK_HEAD_ROOM];
    CHECK_BYTES(room, iod_http1_chunk_head(room, table[i].n), table[i].head);
  }
}

TEST(decimals) {
  static const struct {
    uint64_t n;
    const char *digits;
  } table[] = {{0, "0"}, {9, "9"}, {10, "10"}, {12345, "12345"}, {UINT64_MAX, "18446744073709551615"}};
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    test_case(table[i].digits);
    char room[IOD_DECIMAL_ROOM];
    CHECK_BYTES(room, iod_decimal(room, table[i].n), table[i].digits);
  }
}

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define HEAD "HTTP/1.1 404 Not Found\r\ndate: " DATE "\r\nconnection: close\r\ncontent-type: text/plain\r\n"

TEST(error_responses) {
  iod_buffer_t out = {0};
  CHECK_INT(iod_http1_error_response(&out, 404, DATE, IOD_SLICE("connection: close\r\n"), IOD_SLICE(""), false), 0);
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), HEAD "content-length: 10\r\n\r\nNot Found\n");
  iod_buffer_clear(&out);
  CHECK_INT(iod_http1_error_response(&out, 404, DATE, IOD_SLICE("connection: close\r\n"),
                                     IOD_SLICE("retry-after: 1\r\n"), true),
            0);
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), HEAD "retry-after: 1\r\ncontent-length: 10\r\n\r\n");
  iod_buffer_deinit(&out);
}

TEST(error_responses_have_room_for_every_status) {
  for (int status = 400; status <= 999; status++) {
    iod_buffer_t out = {0};
    CHECK_INT(iod_http1_error_response(&out, status, DATE, (iod_slice_t){NULL, 0}, (iod_slice_t){NULL, 0}, false), 0);
    CHECK(iod_buffer_length(&out) <= 256);
    iod_buffer_deinit(&out);
  }
}

TEST(error_response_without_memory) {
  iod_buffer_t out = {0};
  CHECK_INT(iod_buffer_append(&out, "before", 6), 0);
  iod_alloc_countdown = 0;
  CHECK_INT(iod_http1_error_response(&out, 404, DATE, IOD_SLICE("connection: close\r\n"), IOD_SLICE(""), false),
            IOD_E_NOMEM);
  iod_alloc_countdown = -1;
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), "before");
  iod_buffer_deinit(&out);
}
