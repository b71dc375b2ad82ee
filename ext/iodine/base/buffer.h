/* Growable bytes with a read position, 4 GB at most: idle connections have several and are many. The caller owns the
 * struct; all zeroes is an empty buffer without memory. Not thread safe. */
#ifndef IOD_BASE_BUFFER_H
#define IOD_BASE_BUFFER_H

#include "result.h"
#include "slice.h"

#include <stddef.h>
#include <stdint.h>

typedef struct iod_buffer {
  char *bytes;
  uint32_t start, end, capacity; /* what is held: bytes[start..end) */
} iod_buffer_t;

void iod_buffer_deinit(iod_buffer_t *buffer); /* gives the memory back; the buffer may be used again */

static inline size_t iod_buffer_length(const iod_buffer_t *b) { return b->end - b->start; }
static inline char *iod_buffer_head(const iod_buffer_t *b) { return b->bytes + b->start; }
static inline char *iod_buffer_tail(const iod_buffer_t *b) { return b->bytes + b->end; }
static inline size_t iod_buffer_room(const iod_buffer_t *b) { return b->capacity - b->end; }
static inline void iod_buffer_clear(iod_buffer_t *b) { b->start = b->end = 0; }

/* Takes n bytes off the front (n at most the length); an emptied buffer starts at 0 again. */
static inline void iod_buffer_consume(iod_buffer_t *b, size_t n) {
  b->start += (uint32_t)n;
  if (b->start == b->end) iod_buffer_clear(b);
}

/* n bytes were written behind the end, or (cut) those at the end are taken back. */
static inline void iod_buffer_extend(iod_buffer_t *b, size_t n) { b->end += (uint32_t)n; }
static inline void iod_buffer_cut(iod_buffer_t *b, size_t n) { b->end -= (uint32_t)n; }

/* Room for n more bytes behind the end (moves what is held to the front or grows, at least doubling).
 * 0, IOD_E_NOMEM (also when it would be too long); after an error nothing has changed. */
IOD_MUST_USE int iod_buffer_reserve(iod_buffer_t *buffer, size_t n);
IOD_MUST_USE int iod_buffer_append(iod_buffer_t *buffer, const void *bytes, size_t n);

#endif
