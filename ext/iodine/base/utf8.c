#include "utf8.h"

#include <stdint.h>

/* Each byte has a row: in its six bits from bit s on is the state that follows s. So a step is one shift, and no byte
 * is a branch. What is not in a row leads to INVALID, which is 0. */
enum {
  INVALID = IOD_UTF8_INVALID,
  WHOLE = IOD_UTF8_WHOLE,
  ONE = 12,   /* one more byte of the character is to come */
  TWO = 18,   /* two more */
  THREE = 24, /* three more */
  E0 = 30,    /* two, the first of them from a0: else the form is overlong */
  ED = 36,    /* two, the first up to 9f: else it is a surrogate */
  F0 = 42,    /* three, the first from 90 */
  F4 = 48,    /* three, the first up to 8f: else it is over U+10FFFF */
  BITS = 63,
};

#define STEP(from, to) ((uint64_t)(to) << (from))
#define INNER          (STEP(ONE, WHOLE) | STEP(TWO, ONE) | STEP(THREE, TWO))

static const uint64_t ROWS[256] = {
    [0x00 ... 0x7f] = STEP(WHOLE, WHOLE),
    [0x80 ... 0x8f] = INNER | STEP(ED, ONE) | STEP(F4, TWO),
    [0x90 ... 0x9f] = INNER | STEP(ED, ONE) | STEP(F0, TWO),
    [0xa0 ... 0xbf] = INNER | STEP(E0, ONE) | STEP(F0, TWO),
    [0xc2 ... 0xdf] = STEP(WHOLE, ONE),
    [0xe0] = STEP(WHOLE, E0),
    [0xe1 ... 0xec] = STEP(WHOLE, TWO),
    [0xed] = STEP(WHOLE, ED),
    [0xee ... 0xef] = STEP(WHOLE, TWO),
    [0xf0] = STEP(WHOLE, F0),
    [0xf1 ... 0xf3] = STEP(WHOLE, THREE),
    [0xf4] = STEP(WHOLE, F4),
};

enum { BLOCK = 32 };

static inline bool is_ascii(const char *at) {
  uint64_t words[BLOCK / 8];
  memcpy(words, at, BLOCK);
  return ((words[0] | words[1] | words[2] | words[3]) & UINT64_C(0x8080808080808080)) == 0;
}

bool iod_ascii(const char *bytes, size_t length) {
  size_t i = 0;
  for (; length - i >= BLOCK; i += BLOCK)
    if (!is_ascii(bytes + i)) return false;
  for (; i < length; i++)
    if ((unsigned char)bytes[i] > 127) return false;
  return true;
}

static inline uint64_t walk(uint64_t state, const char *at, const char *end) {
  for (; at < end; at++) state = ROWS[(unsigned char)*at] >> (state & BITS);
  return state & BITS;
}

unsigned iod_utf8(unsigned before, const char *bytes, size_t length) {
  if (length == 0) return before; /* NULL + 0 is undefined */
  const char *at = bytes, *end = bytes + length;
  uint64_t state = before;
  for (; end - at >= BLOCK; at += BLOCK) {
    if (state == WHOLE && is_ascii(at)) continue;
    state = walk(state, at, at + BLOCK);
    if (state == INVALID) return INVALID;
  }
  return (unsigned)walk(state, at, end);
}

static bool goes_on(char byte) { return ((unsigned char)byte & 0xc0) == 0x80; }

iod_slice_t iod_utf8_cut(iod_slice_t text, size_t most) {
  if (text.length <= most) return text;
  size_t length = most;
  while (length > 0 && goes_on(text.at[length])) length--;
  return (iod_slice_t){text.at, length};
}
