#include "inflate.h"

#include <zlib.h>

static z_stream stream;

static bool prepare(void) {
  static bool begun;
  if (begun) return inflateReset(&stream) == Z_OK;
  begun = inflateInit2(&stream, -15) == Z_OK;
  return begun;
}

/* The four bytes that a sender leaves out (section 7.2.2) make no difference here: all output comes before them. */
const uint8_t *inflate_message(const uint8_t *packed, size_t packed_length, size_t *length) {
  static uint8_t text[1 << 20];
  if (!prepare()) return NULL;
  stream.next_in = (uint8_t *)(uintptr_t)packed;
  stream.avail_in = (unsigned)packed_length;
  stream.next_out = text;
  stream.avail_out = sizeof text;
  int result = inflate(&stream, Z_SYNC_FLUSH);
  if ((result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) || stream.avail_in) return NULL;
  *length = sizeof text - stream.avail_out;
  return text;
}
