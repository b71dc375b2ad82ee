/* The body of an answer with several ranges: multipart/byteranges (RFC 9110 section 14.6). For each range its part's
 * head and the file's bytes, then the end. Pure. */
#ifndef IOD_PROTOCOL_MULTIPART_H
#define IOD_PROTOCOL_MULTIPART_H

#include "../base/buffer.h"
#include "range.h"

typedef struct iod_multipart {
  iod_slice_t boundary; /* 1 to 70 bytes of letters and digits, not in the file */
  iod_slice_t type;     /* each part's Content-Type; empty = none */
  uint64_t file_length;
  const iod_ranges_t *ranges;
} iod_multipart_t; /* all borrowed */

/* What stands before the bytes of ranges->at[index]; behind the last one. 0 or IOD_E_NOMEM (then nothing was
 * appended). */
IOD_MUST_USE int iod_multipart_append_head(iod_buffer_t *out, const iod_multipart_t *body, size_t index);
IOD_MUST_USE int iod_multipart_append_end(iod_buffer_t *out, const iod_multipart_t *body);

/* Of the whole body: the answer's Content-Length. */
uint64_t iod_multipart_length(const iod_multipart_t *body);

#endif
