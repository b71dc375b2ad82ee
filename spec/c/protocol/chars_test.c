#include "../../../ext/iodine/protocol/chars.h"
#include "../flush.h"
#include "../test.h"

static bool is_alnum(int c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool among(int c, const char *set) { return c > 0 && c < 128 && strchr(set, c) != NULL; }

TEST(chars_as_the_rfcs_have_them) {
  for (int c = 0; c < 256; c++) {
    bool control = c < 0x20 || c == 0x7f, token = is_alnum(c) || among(c, "!#$%&'*+-.^_`|~");
    unsigned expected = 0;
    if (token) expected |= IOD_CHAR_TOKEN;
    if (token && c != '_') expected |= IOD_CHAR_NAME;
    if (!control && !among(c, " #?")) expected |= IOD_CHAR_PATH;
    if (is_alnum(c) || among(c, "-._~!$&'()*+,;=")) expected |= IOD_CHAR_HOST;
    if (among(c, "0123456789abcdefABCDEF")) expected |= IOD_CHAR_HEX;
    if (!control || c == '\t') expected |= IOD_CHAR_VALUE;
    if (among(c, " \t")) expected |= IOD_CHAR_BLANK;
    CHECK_INT(iod_chars[c], expected);
  }
}

/* Every byte at every place of texts around the width of a word, in front of bytes of all kinds. */
TEST(values_are_scanned_to_their_end) {
  for (size_t length = 1; length <= 25; length++) {
    for (size_t place = 0; place < length; place++) {
      for (int c = 0; c < 256; c++) {
        char text[26];
        for (size_t i = 0; i < length; i++) text[i] = (char)(i % 3 == 0 ? 'a' : i % 3 == 1 ? 0x80 : 0xff);
        text[place] = (char)c;
        bool valid = iod_char_is((char)c, IOD_CHAR_VALUE);
        CHECK(iod_chars_are_value(test_flush(text, length), length) == valid);
        text[length] = '\r';
        const char *at = test_flush(text, length + 1);
        CHECK_INT(iod_chars_skip_value(at, at + length + 1) - at, valid ? length : place);
      }
    }
  }
}

TEST(no_bytes_are_a_value) { CHECK(iod_chars_are_value(test_flush("", 0), 0)); }
