#include "sha1.h"

enum { BLOCK = 64, LENGTH_AT = BLOCK - 8 };

static uint32_t rotate(uint32_t word, unsigned bits) { return word << bits | word >> (32 - bits); }

static uint32_t load(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Section 5: the function and the constant of step t */
static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d) {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block(uint32_t h[5], const uint8_t *block) {
  uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (unsigned t = 0; t < 80; t++) {
    w[t] = t < 16 ? load(block + 4 * t) : rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    uint32_t next = rotate(a, 5) + mix(t, b, c, d) + e + w[t];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

void iod_sha1(uint8_t out[IOD_SHA1_LENGTH], iod_slice_t bytes) {
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const uint8_t *at = (const uint8_t *)bytes.at;
  size_t left = bytes.length;
  for (; left >= BLOCK; at += BLOCK, left -= BLOCK) take_block(h, at);
  uint8_t last[2 * BLOCK] = {0};
  if (left > 0) memcpy(last, at, left);
  last[left] = 0x80;
  uint8_t *end = left < LENGTH_AT ? last + BLOCK : last + sizeof last;
  uint64_t bits = (uint64_t)bytes.length * 8;
  for (unsigned i = 1; i <= 8; i++, bits >>= 8) end[-(int)i] = (uint8_t)bits;
  for (const uint8_t *block = last; block < end; block += BLOCK) take_block(h, block);
  for (unsigned i = 0; i < IOD_SHA1_LENGTH; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
