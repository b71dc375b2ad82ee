/* What bytes may stand where in HTTP/1 (RFC 9110 section 5, RFC 9112 section 3, RFC 3986 section 3). */
#ifndef IOD_PROTOCOL_CHARS_H
#define IOD_PROTOCOL_CHARS_H

#include "../base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  IOD_CHAR_TOKEN = 1, /* tchar: methods, field names */
  IOD_CHAR_NAME = 2,  /* the same without '_' */
  IOD_CHAR_PATH = 4,  /* of a target: all but controls, space, '#' and '?' */
  IOD_CHAR_HOST = 8,  /* of a reg-name: unreserved and sub-delims ('%' is for the caller) */
  IOD_CHAR_HEX = 16,
  IOD_CHAR_VALUE = 32, /* of a field value: tab, space, visible, over 127 */
  IOD_CHAR_BLANK = 64, /* space, tab */
};

extern const uint8_t iod_chars[256];

static inline bool iod_char_is(char c, unsigned classes) { return (iod_chars[(unsigned char)c] & classes) != 0; }

/* Of an IOD_CHAR_HEX. */
static inline unsigned iod_char_hex(char c) { return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); }

/* The first byte at or behind `at` that is in none of the classes: there must be one. Heads are mostly this loop. */
static inline const char *iod_chars_skip(const char *at, unsigned classes) {
  for (;; at += 4) {
    if (!iod_char_is(at[0], classes)) return at;
    if (!iod_char_is(at[1], classes)) return at + 1;
    if (!iod_char_is(at[2], classes)) return at + 2;
    if (!iod_char_is(at[3], classes)) return at + 3;
  }
}

/* True if all are IOD_CHAR_VALUE. */
bool iod_chars_are_value(const char *bytes, size_t length);

/* The first byte at or behind `at` that is not IOD_CHAR_VALUE. There must be one before `end`. */
const char *iod_chars_skip_value(const char *at, const char *end);

#endif
