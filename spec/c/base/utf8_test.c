#include "../../../ext/iodine/base/utf8.h"
#include "../flush.h"
#include "../test.h"

#include <stdint.h>
#include <stdlib.h>

/* RFC 3629 section 4, written as in its grammar: how long the character at `at` is; 0: none begins like this; `short`:
 * it goes on behind the end. */
static size_t character(const uint8_t *at, size_t n, bool *is_short) {
  static const struct {
    uint8_t first, last, low, high;
    size_t length;
  } rows[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
              {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
              {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (at[0] < rows[i].first || at[0] > rows[i].last) continue;
    for (size_t k = 1; k < rows[i].length; k++) {
      if (k == n) return *is_short = true, 1;
      uint8_t low = k == 1 ? rows[i].low : 0x80, high = k == 1 ? rows[i].high : 0xbf;
      if (at[k] < low || at[k] > high) return 0;
    }
    return rows[i].length;
  }
  return 0;
}

enum { WHOLE, SHORT, BAD };

static int expected(const uint8_t *at, size_t n) {
  for (size_t i = 0, step; i < n; i += step) {
    bool is_short = false;
    step = character(at + i, n - i, &is_short);
    if (step == 0) return BAD;
    if (is_short) return SHORT;
  }
  return WHOLE;
}

static int actual(const void *at, size_t n) {
  unsigned state = iod_utf8(IOD_UTF8_WHOLE, at, n);
  return state == IOD_UTF8_WHOLE ? WHOLE : state == IOD_UTF8_INVALID ? BAD : SHORT;
}

/* The first and the last byte of every kind. */
static const uint8_t EDGES[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
                                0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
enum { EDGE_COUNT = sizeof EDGES };

TEST(utf8_all_of_four_bytes) {
  long wrong = 0;
  for (size_t i = 0; i < EDGE_COUNT * EDGE_COUNT * EDGE_COUNT * EDGE_COUNT; i++) {
    uint8_t bytes[4];
    for (size_t k = 0, rest = i; k < 4; k++, rest /= EDGE_COUNT) bytes[k] = EDGES[rest % EDGE_COUNT];
    for (size_t n = 1; n <= 4; n++) wrong += actual(bytes, n) != expected(bytes, n);
  }
  CHECK_INT(wrong, 0);
}

TEST(utf8_all_of_two_bytes) {
  long wrong = 0;
  for (unsigned word = 0; word < 1 << 16; word++) {
    uint8_t bytes[2] = {(uint8_t)(word >> 8), (uint8_t)word};
    wrong += actual(bytes, 2) != expected(bytes, 2);
  }
  CHECK_INT(wrong, 0);
}

static void check_cuts(const char *text, size_t length, unsigned whole) {
  for (size_t cut = 0; cut <= length; cut++) {
    unsigned state = iod_utf8(IOD_UTF8_WHOLE, test_flush(text, cut), cut);
    CHECK_INT(iod_utf8(state, test_flush(text + cut, length - cut), length - cut), whole);
  }
  unsigned state = IOD_UTF8_WHOLE;
  for (size_t i = 0; i < length; i++) state = iod_utf8(state, test_flush(text + i, 1), 1);
  CHECK_INT(state, whole);
}

/* A character or a wrong byte at each place of a long ASCII text, so that it lies across the blocks in every way. */
TEST(utf8_across_blocks_and_cuts) {
  static const char *const inserts[] = {"\xc3\xa4",         "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80", "\xe0\x80\x80", "\xc0\xaf",         "\x80"};
  for (size_t i = 0; i < sizeof inserts / sizeof *inserts; i++)
    for (size_t at = 0; at < 70; at++) {
      char text[80];
      size_t n = strlen(inserts[i]);
      memset(text, 'a', sizeof text);
      memcpy(text + at, inserts[i], n);
      check_cuts(text, sizeof text, i < 3 ? IOD_UTF8_WHOLE : IOD_UTF8_INVALID);
      unsigned state = iod_utf8(IOD_UTF8_WHOLE, test_flush(text, at + n - 1), at + n - 1);
      CHECK(i > 2 || (state != IOD_UTF8_WHOLE && state != IOD_UTF8_INVALID));
    }
}

TEST(utf8_is_invalid_at_the_first_wrong_byte) {
  static const struct {
    const char *bytes;
    size_t wrong; /* how many bytes it takes */
  } cases[] = {{"\x80", 1},     {"\xc0", 1},         {"\xc1", 1},         {"\xf5", 1},
               {"\xff", 1},     {"\xe0\x9f", 2},     {"\xed\xa0", 2},     {"\xf0\x8f", 2},
               {"\xf4\x90", 2}, {"\xe1\x80\x7f", 3}, {"\xf1\x80\x80", 4}, {"a\xc3\xc3", 3}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = cases[i].wrong;
    CHECK(iod_utf8(IOD_UTF8_WHOLE, cases[i].bytes, n - 1) != IOD_UTF8_INVALID);
    CHECK_INT(iod_utf8(IOD_UTF8_WHOLE, cases[i].bytes, n), IOD_UTF8_INVALID);
    CHECK_INT(iod_utf8(IOD_UTF8_INVALID, "aaaa", 4), IOD_UTF8_INVALID);
  }
}

TEST(utf8_of_nothing) {
  CHECK_INT(iod_utf8(IOD_UTF8_WHOLE, NULL, 0), IOD_UTF8_WHOLE);
  CHECK(iod_utf8_valid((iod_slice_t){NULL, 0}));
  CHECK(!iod_utf8_valid(IOD_SLICE("\xc3")));
}

TEST(utf8_is_cut_between_characters) {
  static const struct {
    const char *text;
    size_t most, left;
  } cases[] = {{"abc", 3, 3},
               {"abc", 2, 2},
               {"abc", 0, 0},
               {"a\xc3\xa9", 3, 3},
               {"a\xc3\xa9", 2, 1},
               {"\xc3\xa9", 1, 0},
               {"\xe2\x98\x83", 2, 0},
               {"\xf0\x9f\xa6\x8a"
                "b",
                4, 4},
               {"\x80\x80\x80", 2, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t length = strlen(cases[i].text);
    iod_slice_t cut = iod_utf8_cut((iod_slice_t){test_flush(cases[i].text, length), length}, cases[i].most);
    CHECK_INT(cut.length, cases[i].left);
  }
  CHECK_INT(iod_utf8_cut((iod_slice_t){0}, 0).length, 0);
}

TEST(ascii) {
  char bytes[100];
  memset(bytes, 'a', sizeof bytes);
  for (size_t length = 0; length <= sizeof bytes; length++) {
    CHECK(iod_ascii(bytes, length));
    for (size_t at = 0; at < length; at++) {
      bytes[at] = (char)0x80;
      CHECK(!iod_ascii(bytes, length));
      bytes[at] = 'a';
    }
  }
}
