/* Which coding of a file a client wants (RFC 9110 section 12.5.3). Pure. */
#ifndef IOD_PROTOCOL_ACCEPT_ENCODING_H
#define IOD_PROTOCOL_ACCEPT_ENCODING_H

#include "../base/slice.h"

#include <stdint.h>

/* What we can send; of two that a client wants equally the higher bit. */
enum {
  IOD_CODING_IDENTITY = 1,
  IOD_CODING_GZIP = 2, /* also by its old name x-gzip */
  IOD_CODING_BR = 4,
  IOD_CODING_ZSTD = 8,
};
enum { IOD_CODINGS = 4 };

/* What the request's Accept-Encoding lines say; all zeroes before the first. */
typedef struct iod_accept_encoding {
  uint16_t weight[IOD_CODINGS]; /* private: q of each bit's coding in thousandths, plus 1; 0 = not named */
  uint16_t others;              /* private: of "*" */
} iod_accept_encoding_t;

/* One line's value. Members that are malformed or unknown are ignored; of a coding that is named twice the higher q
 * counts. */
void iod_accept_encoding_see(iod_accept_encoding_t *accept, iod_slice_t value);

/* The best one of `available` (bits): the highest q first. Identity, where neither it nor "*" is named, comes behind
 * all others. 0: the client refuses each of them. */
unsigned iod_accept_encoding_best(const iod_accept_encoding_t *accept, unsigned available);

/* "gzip", "br", "zstd", "identity". */
iod_slice_t iod_coding_name(unsigned coding);

#endif
