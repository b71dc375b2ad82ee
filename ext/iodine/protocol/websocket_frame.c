#include "websocket_frame.h"

#include <string.h>

enum {
  FIN = 0x80,
  RSV1 = 0x40,
  RSV = 0x70,
  OPCODE = 0x0f,
  MASKED = 0x80,
  LENGTH = 0x7f,
  LENGTH_16 = 126, /* the length is in the next two bytes */
  LENGTH_64 = 127, /* in the next eight */
};

/* The first byte. */
static bool parse_kind(uint8_t byte, iod_websocket_peer_t from, iod_websocket_frame_t *frame) {
  frame->opcode = byte & OPCODE;
  frame->final = (byte & FIN) != 0;
  frame->compressed = (byte & RSV1) != 0;
  bool control = iod_websocket_is_control(frame->opcode);
  bool begins = frame->opcode == IOD_WEBSOCKET_TEXT || frame->opcode == IOD_WEBSOCKET_BINARY;
  if (!begins && frame->opcode != IOD_WEBSOCKET_CONTINUATION && !control) return false;
  if (frame->opcode > IOD_WEBSOCKET_PONG || (control && !frame->final)) return false;
  return (byte & RSV) == 0 || ((byte & RSV) == RSV1 && begins && from.deflates);
}

static uint64_t load(const uint8_t *at, size_t n) {
  uint64_t value = 0;
  for (size_t i = 0; i < n; i++) value = value << 8 | at[i];
  return value;
}

/* The bytes of the length that follow, fewer when not all of them came. A length is known to be malformed by its first
 * bytes already. */
static bool parse_length(const uint8_t *at, size_t n, size_t wanted, iod_websocket_frame_t *frame) {
  frame->length = load(at, n);
  if (n > 0 && wanted == 8 && at[0] & 0x80) return false;
  size_t most_zero = wanted == 8 ? 6 : 1; /* of the leading bytes, which must not all be 0 (and 125 has one byte) */
  if (n < most_zero) return true;
  if (wanted == 8) return load(at, most_zero) != 0;
  return at[0] != 0 || n < wanted || frame->length >= LENGTH_16;
}

int iod_websocket_frame_parse(const char *bytes, size_t length, iod_websocket_peer_t from,
                              iod_websocket_frame_t *frame) {
  const uint8_t *at = (const uint8_t *)bytes;
  if (length > 0 && !parse_kind(at[0], from, frame)) return IOD_E_WEBSOCKET_PROTOCOL;
  if (length < 2) return 0;
  unsigned small = at[1] & LENGTH;
  if ((at[1] & MASKED) != (from.client ? MASKED : 0)) return IOD_E_WEBSOCKET_PROTOCOL;
  if (iod_websocket_is_control(frame->opcode) && small > IOD_WEBSOCKET_CONTROL_MAX) return IOD_E_WEBSOCKET_PROTOCOL;
  size_t more = small == LENGTH_64 ? 8 : small == LENGTH_16 ? 2 : 0, head = 2 + more, have = length - 2;
  frame->length = small;
  if (more > 0 && !parse_length(at + 2, have < more ? have : more, more, frame)) return IOD_E_WEBSOCKET_PROTOCOL;
  if (from.client) head += sizeof frame->mask;
  if (length < head) return 0;
  frame->mask = (iod_websocket_mask_t){0};
  if (from.client) memcpy(&frame->mask, bytes + head - sizeof frame->mask, sizeof frame->mask);
  return (int)head;
}

static size_t write_length(uint8_t *out, uint64_t length) {
  size_t more = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;
  out[0] = (uint8_t)(more == 0 ? length : more == 2 ? LENGTH_16 : LENGTH_64);
  for (size_t i = more; i > 0; i--, length >>= 8) out[i] = (uint8_t)length;
  return 1 + more;
}

size_t iod_websocket_frame_write(char out[IOD_WEBSOCKET_HEAD_MAX], const iod_websocket_frame_t *frame,
                                 const iod_websocket_mask_t *mask) {
  uint8_t *at = (uint8_t *)out;
  at[0] = (uint8_t)((frame->final ? FIN : 0) | (frame->compressed ? RSV1 : 0) | frame->opcode);
  size_t length = 1 + write_length(at + 1, frame->length);
  if (!mask) return length;
  at[1] |= MASKED;
  memcpy(out + length, mask, sizeof *mask);
  return length + sizeof *mask;
}

void iod_websocket_mask(char *to, const char *from, size_t length, iod_websocket_mask_t mask, uint64_t offset) {
  uint8_t turned[8];
  uint64_t key, words[4];
  for (unsigned i = 0; i < sizeof turned; i++) turned[i] = mask.key[(offset + i) & 3];
  memcpy(&key, turned, sizeof key);
  size_t i = 0;
  for (; length - i >= sizeof words; i += sizeof words) {
    memcpy(words, from + i, sizeof words);
    for (unsigned k = 0; k < 4; k++) words[k] ^= key;
    memcpy(to + i, words, sizeof words);
  }
  for (; i < length; i++) to[i] = (char)(from[i] ^ turned[i & 7]);
}
