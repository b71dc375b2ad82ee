/* A keyed hash of bytes, SipHash-1-3: who doesn't know the seed can't choose bytes that collide. */
#ifndef IOD_BASE_HASH_H
#define IOD_BASE_HASH_H

#include "slice.h"

#include <stdint.h>

/* Random numbers of the process. */
typedef struct iod_seed {
  uint64_t words[2];
} iod_seed_t;

uint64_t iod_hash(const iod_seed_t *seed, iod_slice_t bytes);

#endif
