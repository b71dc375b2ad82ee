/* Conditional GET and HEAD requests for a representation that exists (RFC 9110 section 13). Pure; the caller shows each
 * header of the request once, in order, and asks then. */
#ifndef IOD_PROTOCOL_CONDITIONAL_H
#define IOD_PROTOCOL_CONDITIONAL_H

#include "../base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct iod_conditional {
  iod_slice_t etag;  /* ours: strong, with its quotes; borrowed */
  int64_t mtime;     /* Last-Modified, seconds since 1970 */
  int64_t now;       /* seconds since 1970, for old dates with two digits of a year */
  uint8_t seen;      /* private, as the next two: bits of the headers that came */
  uint8_t present;   /* those that count */
  uint8_t satisfied; /* those that hold, or of If-None-Match that a tag matches */
} iod_conditional_t;

static inline iod_conditional_t iod_conditional(iod_slice_t etag, int64_t mtime, int64_t now) {
  return (iod_conditional_t){.etag = etag, .mtime = mtime, .now = now};
}

/* Takes If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since and If-Range, any other name is left alone.
 * Tags may come in several lines, malformed ones match nothing. A date that is malformed or comes twice is as if it
 * weren't there; such an If-Range doesn't hold. */
void iod_conditional_see(iod_conditional_t *conditional, iod_slice_t name, iod_slice_t value);

/* Section 13.2.2: 0 = answer as if there were no conditions, 304 or 412. */
int iod_conditional_status(const iod_conditional_t *conditional);

/* False when an If-Range doesn't hold: Range is not to be looked at. */
bool iod_conditional_range_applies(const iod_conditional_t *conditional);

#endif
