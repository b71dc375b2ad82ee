/* Is this UTF-8 (RFC 3629)? Fed in pieces that may end inside a character. No overlong forms, no surrogates, nothing
 * over U+10FFFF. */
#ifndef IOD_BASE_UTF8_H
#define IOD_BASE_UTF8_H

#include "slice.h"

/* A state is what was seen so far; the others are inside a character. */
enum {
  IOD_UTF8_INVALID = 0,
  IOD_UTF8_WHOLE = 6, /* the first state, and that behind a character's end */
};

/* The state behind these bytes. IOD_UTF8_INVALID as soon as a byte came that no text can go on with, and for ever. */
unsigned iod_utf8(unsigned state, const char *bytes, size_t length);

/* Only bytes below 128? */
bool iod_ascii(const char *bytes, size_t length);

static inline bool iod_utf8_valid(iod_slice_t text) {
  return iod_utf8(IOD_UTF8_WHOLE, text.at, text.length) == IOD_UTF8_WHOLE;
}

/* What is left of a text that may have `most` bytes: a character that would be cut goes as well. Other bytes stay
 * other bytes. */
iod_slice_t iod_utf8_cut(iod_slice_t text, size_t most);

#endif
