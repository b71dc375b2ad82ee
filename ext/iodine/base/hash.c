#include "hash.h"

static inline uint64_t rotate(uint64_t word, unsigned bits) { return word << bits | word >> (64 - bits); }

static inline uint64_t load(const uint8_t *at, size_t n) {
  uint64_t word = 0;
  for (size_t i = 0; i < n; i++) word |= (uint64_t)at[i] << (8 * i);
  return word;
}

static inline void mix(uint64_t v[4]) {
  v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
  v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static inline void take(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  mix(v);
  v[0] ^= word;
}

uint64_t iod_hash(const iod_seed_t *seed, iod_slice_t bytes) {
  uint64_t k0 = seed->words[0], k1 = seed->words[1];
  uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                   k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
  const uint8_t *at = (const uint8_t *)bytes.at;
  size_t left = bytes.length;
  for (; left >= 8; at += 8, left -= 8) take(v, load(at, 8));
  take(v, load(at, left) | (uint64_t)bytes.length << 56);
  v[2] ^= 0xff;
  for (int i = 0; i < 3; i++) mix(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
