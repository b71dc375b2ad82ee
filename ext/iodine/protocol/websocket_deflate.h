/* The two ends of permessage-deflate (RFC 7692 section 7.2), on zlib. Without zlib there is neither: nothing may be
 * agreed on then. Not thread safe. */
#ifndef IOD_PROTOCOL_WEBSOCKET_DEFLATE_H
#define IOD_PROTOCOL_WEBSOCKET_DEFLATE_H

#include "../base/buffer.h"
#include "../base/result.h"
#include "../base/slice.h"

#include <stdbool.h>

extern const bool iod_deflate_available; /* built with zlib */

enum { IOD_DEFLATE_BITS_MIN = 9, IOD_DEFLATE_BITS_MAX = 15 }; /* of a window: 512 bytes to 32 KB */

/* ---- what a peer sent ---- */

typedef struct iod_inflater iod_inflater_t; /* about 7 KB, and its window as soon as it is used */

/* bits: 8 to 15, of the peer's window; 15 reads any. NULL when out of memory. */
IOD_MUST_USE iod_inflater_t *iod_inflater_new(unsigned bits);
void iod_inflater_free(iod_inflater_t *inflater);

/* Appends what a piece of a message becomes. 0; IOD_E_WEBSOCKET_TOO_LARGE: out held more than limit bytes (then it
 * holds limit + 1); IOD_E_WEBSOCKET_DATA: malformed; IOD_E_NOMEM. After an error it is only freed. */
IOD_MUST_USE int iod_inflater_take(iod_inflater_t *inflater, iod_slice_t piece, iod_buffer_t *out, size_t limit);

/* The same at a message's end. What the message was stays known to the next one until iod_inflater_forget. */
IOD_MUST_USE int iod_inflater_end(iod_inflater_t *inflater, iod_buffer_t *out, size_t limit);
void iod_inflater_forget(iod_inflater_t *inflater);

/* Some to lend to those who need one only in the middle of a message; all zeroes to begin with. */
typedef struct iod_inflaters {
  iod_inflater_t *free;
  unsigned count;
} iod_inflaters_t;

void iod_inflaters_deinit(iod_inflaters_t *inflaters);                           /* those lent stay valid */
IOD_MUST_USE iod_inflater_t *iod_inflaters_borrow(iod_inflaters_t *inflaters);   /* NULL when out of memory */
void iod_inflaters_return(iod_inflaters_t *inflaters, iod_inflater_t *inflater); /* also in the middle of a message */

/* ---- what we send ---- */

typedef struct iod_deflater iod_deflater_t; /* about 6 << bits bytes */

/* bits: of our window. NULL when out of memory. */
IOD_MUST_USE iod_deflater_t *iod_deflater_new(unsigned bits);
void iod_deflater_free(iod_deflater_t *deflater);

/* Appends the payload that a whole message becomes; it may refer to the messages before it. 0, IOD_E_NOMEM: then
 * nothing was appended, and the deflater is only freed. */
IOD_MUST_USE int iod_deflater_run(iod_deflater_t *deflater, iod_slice_t message, iod_buffer_t *out);

/* One for each window, made when first needed, for messages that stand alone: so that one payload does for all whose
 * window is large enough. All zeroes to begin with. */
typedef struct iod_deflaters {
  iod_deflater_t *of[IOD_DEFLATE_BITS_MAX + 1];
} iod_deflaters_t;

void iod_deflaters_deinit(iod_deflaters_t *deflaters); /* may be used again */

/* The smallest window, of up to `most` bits, that has as much use as that. */
unsigned iod_deflate_bits_for(size_t message_length, unsigned most);

/* Appends the payload that a message becomes. 0, IOD_E_NOMEM: then nothing was appended. */
IOD_MUST_USE int iod_deflaters_run(iod_deflaters_t *deflaters, unsigned bits, iod_slice_t message, iod_buffer_t *out);

#endif
