/* A handle names a connection from outside the reactor: a slot and its generation. A stale one reaches nothing. */
#ifndef IOD_REACTOR_HANDLE_H
#define IOD_REACTOR_HANDLE_H

#include <stdint.h>

typedef uint64_t iod_handle_t; /* 0 = none */

static inline iod_handle_t iod_handle_make(uint32_t slot, uint32_t generation) {
  return (uint64_t)generation << 32 | slot;
}
static inline uint32_t iod_handle_slot(iod_handle_t h) { return (uint32_t)h; }
static inline uint32_t iod_handle_generation(iod_handle_t h) { return (uint32_t)(h >> 32); }

#endif
