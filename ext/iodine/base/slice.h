/* Borrowed bytes: never owned, never terminated. */
#ifndef IOD_BASE_SLICE_H
#define IOD_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct iod_slice {
  const char *at;
  size_t length;
} iod_slice_t;

#define IOD_SLICE(literal) ((iod_slice_t){"" literal, sizeof(literal) - 1})

static inline bool iod_slice_equal(iod_slice_t a, iod_slice_t b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* Equal but for ASCII case; lower must be lower case already. */
static inline bool iod_slice_is(iod_slice_t a, iod_slice_t lower) {
  if (a.length != lower.length) return false;
  for (size_t i = 0; i < a.length; i++) {
    unsigned char c = (unsigned char)a.at[i];
    if ((unsigned)(c - 'A') < 26u) c |= 0x20;
    if (c != (unsigned char)lower.at[i]) return false;
  }
  return true;
}

#endif
