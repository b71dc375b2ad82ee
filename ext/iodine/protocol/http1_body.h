/* Request bodies (RFC 9112 sections 6 and 7): a decoder for Content-Length and chunked. Takes bytes, points at the
 * spans of them that are body; copies nothing, keeps nothing. */
#ifndef IOD_PROTOCOL_HTTP1_BODY_H
#define IOD_PROTOCOL_HTTP1_BODY_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct iod_http1_body {
  uint64_t left;       /* of the body, or of the chunk under way */
  uint64_t limit;      /* for the sum of the chunks */
  uint64_t total;      /* body bytes given out so far */
  uint32_t line;       /* private: bytes of the size line or of the trailers so far */
  uint32_t extensions; /* private: bytes of them so far */
  uint8_t state;       /* private */
} iod_http1_body_t;

void iod_http1_body_length(iod_http1_body_t *body, uint64_t content_length);
void iod_http1_body_chunked(iod_http1_body_t *body, uint64_t limit);

/* Decodes from the front of bytes, up to the first span of body data. Returns how many bytes were used up (0 with
 * length > 0 only when done); *data is the span among them (length 0 if none). Call again with the rest until the input
 * is empty or iod_http1_body_done(). Never takes a byte past the end of the body (a pipelined request follows it).
 *
 * < 0: IOD_E_BAD_REQUEST (a bad size, one of 2^60 or more or of over 16 digits, a size line over 256 bytes with its
 * extension, extensions over 8 KB in sum, trailers over 8 KB, bare CR or LF, control bytes) or IOD_E_BODY_TOO_LARGE
 * (the sum of the chunks). Chunk extensions are checked and dropped, trailers too (a trailer line must have the form of
 * a header line). After an error the body is not decoded any further. */
IOD_MUST_USE int64_t iod_http1_body_decode(iod_http1_body_t *body, const char *bytes, size_t length, iod_slice_t *data);
bool iod_http1_body_done(const iod_http1_body_t *body);

#endif
