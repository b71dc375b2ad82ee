#include "../../../ext/iodine/protocol/multipart.h"
#include "../../../ext/iodine/protocol/range.h"
#include "../flush.h"
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#define HUGE_FILE UINT64_C(0x7fffffffffffffff)
#define NONE      "416"
#define WHOLE     "200"

static const struct {
  const char *value;
  uint64_t length;
  const char *ranges; /* "first+length " for each */
} CASES[] = {
    {"bytes=0-0", 10, "0+1 "},
    {"bytes=0-9", 10, "0+10 "},
    {"bytes=2-4", 10, "2+3 "},
    {"BYTES=2-4", 10, "2+3 "},
    {"bytes=5-", 10, "5+5 "},
    {"bytes=9-", 10, "9+1 "},
    {"bytes=5-100", 10, "5+5 "},
    {"bytes=-3", 10, "7+3 "},
    {"bytes=-10", 10, "0+10 "},
    {"bytes=-11", 10, "0+10 "},
    {"bytes=0-0,5-5", 10, "0+1 5+1 "},
    {"bytes=5-5,0-0", 10, "5+1 0+1 "},
    {"bytes= 0-0 \t,\t 5-5 ", 10, "0+1 5+1 "},
    {"bytes=,0-0,,5-5,", 10, "0+1 5+1 "},
    {"bytes=0-4,5-9", 10, "0+10 "},
    {"bytes=5-9,0-4", 10, "0+10 "},
    {"bytes=0-4,6-9", 10, "0+5 6+4 "},
    {"bytes=0-6,3-9", 10, "0+10 "},
    {"bytes=3-5,0-9", 10, "0+10 "},
    {"bytes=0-9,3-5", 10, "0+10 "},
    {"bytes=0-,0-,0-,-1,-5", 10, "0+10 "},
    {"bytes=8-8,0-1,4-5,2-3", 10, "8+1 0+6 "},
    {"bytes=0-0,2-2,4-4,1-3", 10, "0+5 "},
    {"bytes=0-0,9-9,20-", 10, "0+1 9+1 "},
    {"bytes=20-,0-0", 10, "0+1 "},
    {"bytes=-0,0-0", 10, "0+1 "},
    {"bytes=00000000000000000000000000000000002-4", 10, "2+3 "},

    {"bytes=10-", 10, NONE},
    {"bytes=10-20", 10, NONE},
    {"bytes=-0", 10, NONE},
    {"bytes=10-,-0,99-100", 10, NONE},
    {"bytes=18446744073709551615-", 10, NONE},
    {"bytes=18446744073709551616-", 10, NONE},
    {"bytes=99999999999999999999999999-99999999999999999999999999", 10, NONE},
    {"bytes=99999999999999999999999999-", HUGE_FILE, NONE},

    {"bytes=0-18446744073709551615", 10, "0+10 "},
    {"bytes=0-18446744073709551616", 10, "0+10 "},
    {"bytes=-18446744073709551615", 10, "0+10 "},
    {"bytes=-99999999999999999999999999", 10, "0+10 "},
    {"bytes=1-", HUGE_FILE, "1+9223372036854775806 "},
    {"bytes=-1,0-9223372036854775806", HUGE_FILE, "0+9223372036854775807 "},
    {"bytes=0-", UINT64_MAX, "0+18446744073709551615 "},
    {"bytes=0-18446744073709551615,-1", UINT64_MAX, "0+18446744073709551615 "},

    {"bytes=0-", 0, WHOLE},
    {"bytes=-1", 0, WHOLE},
    {"bytes=5-", 0, WHOLE},
    {"", 10, WHOLE},
    {"bytes", 10, WHOLE},
    {"bytes=", 10, WHOLE},
    {"bytes= ", 10, WHOLE},
    {"bytes=,,", 10, WHOLE},
    {"bytes=-", 10, WHOLE},
    {"bytes=--1", 10, WHOLE},
    {"bytes=1", 10, WHOLE},
    {"bytes=4-2", 10, WHOLE},
    {"bytes=20-19", 10, WHOLE},
    {"bytes=0-0,4-2", 10, WHOLE},
    {"bytes=0-1-2", 10, WHOLE},
    {"bytes=0 - 1", 10, WHOLE},
    {"bytes=0- 1", 10, WHOLE},
    {"bytes=0-1 2-3", 10, WHOLE},
    {"bytes=0-1;2-3", 10, WHOLE},
    {"bytes=a-b", 10, WHOLE},
    {"bytes=0x0-1", 10, WHOLE},
    {"bytes=+0-1", 10, WHOLE},
    {"bytes=0-1,x", 10, WHOLE},
    {"bytes =0-1", 10, WHOLE},
    {" bytes=0-1", 10, WHOLE},
    {"bytes:0-1", 10, WHOLE},
    {"byte=0-1", 10, WHOLE},
    {"seconds=0-1", 10, WHOLE},
    {"none", 10, WHOLE},
};

static const char *ranges_of(const char *value, size_t length, uint64_t file_length) {
  static char text[IOD_RANGES_MAX * 48];
  iod_ranges_t ranges;
  int n = iod_ranges_parse(&ranges, (iod_slice_t){test_flush(value, length), length}, file_length);
  if (n == IOD_E_RANGE) return NONE;
  if (n <= 0) return n == 0 ? WHOLE : "?";
  CHECK_INT(n, ranges.count);
  char *out = text;
  for (int i = 0; i < n; i++)
    out += sprintf(out, "%llu+%llu ", (unsigned long long)ranges.at[i].first, (unsigned long long)ranges.at[i].length);
  return text;
}

TEST(ranges_are_parsed) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].value);
    const char *ranges = ranges_of(CASES[i].value, strlen(CASES[i].value), CASES[i].length);
    CHECK_BYTES(ranges, strlen(ranges), CASES[i].ranges);
  }
}

/* n ranges of a byte, `step` bytes from one to the next. */
static const char *many(int n, int step) {
  static char value[40000];
  char *out = value + sprintf(value, "bytes=");
  for (int i = 0; i < n; i++) out += sprintf(out, "%d-%d,", i * step, i * step);
  return ranges_of(value, (size_t)(out - value), 1000000);
}

TEST(ranges_have_a_limit) {
  test_case("sixteen apart");
  CHECK(strncmp(many(IOD_RANGES_MAX, 2), "0+1 2+1 ", 8) == 0);
  test_case("seventeen apart");
  CHECK(strcmp(many(IOD_RANGES_MAX + 1, 2), WHOLE) == 0);
  test_case("thousands apart");
  CHECK(strcmp(many(3000, 2), WHOLE) == 0);
  test_case("thousands that are one");
  CHECK(strcmp(many(3000, 1), "0+3000 ") == 0);
  test_case("thousands of the same");
  CHECK(strcmp(many(3000, 0), "0+1 ") == 0);
}

TEST(content_range_values) {
  static const iod_range_t few = {2, 3}, last = {UINT64_MAX - 1, 1};
  char room[IOD_CONTENT_RANGE_ROOM];
  test_case("of a range");
  CHECK_BYTES(room, iod_range_content(room, &few, 10), "bytes 2-4/10");
  test_case("of a 416");
  CHECK_BYTES(room, iod_range_content(room, NULL, 10), "bytes */10");
  test_case("of the largest numbers");
  CHECK_BYTES(room, iod_range_content(room, &last, UINT64_MAX),
              "bytes 18446744073709551614-18446744073709551614/18446744073709551615");
}

static void append_body(iod_buffer_t *out, const iod_multipart_t *body, const char *file) {
  for (size_t i = 0; i < body->ranges->count; i++) {
    CHECK_INT(iod_multipart_append_head(out, body, i), 0);
    CHECK_INT(iod_buffer_append(out, file + body->ranges->at[i].first, (size_t)body->ranges->at[i].length), 0);
  }
  CHECK_INT(iod_multipart_append_end(out, body), 0);
}

TEST(multipart_bodies) {
  static const iod_ranges_t ranges = {2, {{7, 3}, {0, 2}}};
  iod_multipart_t body = {IOD_SLICE("b0"), IOD_SLICE("text/plain"), 10, &ranges};
  iod_buffer_t out = {0};
  test_case("with a type");
  append_body(&out, &body, "0123456789");
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out),
              "\r\n--b0\r\ncontent-type: text/plain\r\ncontent-range: bytes 7-9/10\r\n\r\n789"
              "\r\n--b0\r\ncontent-type: text/plain\r\ncontent-range: bytes 0-1/10\r\n\r\n01\r\n--b0--\r\n");
  CHECK_INT(iod_buffer_length(&out), iod_multipart_length(&body));
  test_case("without a type");
  iod_buffer_clear(&out);
  body.type = (iod_slice_t){NULL, 0};
  append_body(&out, &body, "0123456789");
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out),
              "\r\n--b0\r\ncontent-range: bytes 7-9/10\r\n\r\n789"
              "\r\n--b0\r\ncontent-range: bytes 0-1/10\r\n\r\n01\r\n--b0--\r\n");
  CHECK_INT(iod_buffer_length(&out), iod_multipart_length(&body));
  iod_buffer_deinit(&out);
}

static void append_without_memory(void) {
  static const iod_ranges_t ranges = {1, {{0, 1}}};
  const iod_multipart_t body = {IOD_SLICE("b0"), IOD_SLICE("text/plain"), 10, &ranges};
  iod_buffer_t head = {0}, end = {0};
  int result = iod_multipart_append_head(&head, &body, 0);
  CHECK(result == 0 || (result == IOD_E_NOMEM && iod_buffer_length(&head) == 0));
  result = iod_multipart_append_end(&end, &body);
  CHECK(result == 0 || (result == IOD_E_NOMEM && iod_buffer_length(&end) == 0));
  iod_buffer_deinit(&head);
  iod_buffer_deinit(&end);
}

TEST(multipart_without_memory) { test_each_allocation_fails(append_without_memory); }
