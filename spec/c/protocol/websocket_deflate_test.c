#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/protocol/websocket_deflate.h"
#include "../test.h"

#include <stdlib.h>

enum { MOST = 1 << 20 };

static void inflate_to(iod_inflater_t *inflater, const iod_buffer_t *packed, size_t from, iod_slice_t message) {
  iod_buffer_t out = {0};
  iod_slice_t piece = {iod_buffer_head(packed) + from, iod_buffer_length(packed) - from};
  CHECK_INT(iod_inflater_take(inflater, piece, &out, MOST), 0);
  CHECK_INT(iod_inflater_end(inflater, &out, MOST), 0);
  CHECK_INT(iod_buffer_length(&out), message.length);
  if (message.length > 0 && iod_buffer_length(&out) == message.length)
    CHECK(memcmp(iod_buffer_head(&out), message.at, message.length) == 0);
  iod_buffer_deinit(&out);
}

static char *text(size_t length, bool random) {
  char *bytes = malloc(length + 1);
  unsigned seed = 1;
  for (size_t i = 0; i < length; i++) {
    seed = seed * 1103515245u + 12345u;
    bytes[i] = random ? (char)(seed >> 16) : "{\"id\":1,\"name\":\"iodine\"}"[i % 24];
  }
  return bytes;
}

/* Whatever window it was deflated for, an inflater with that window reads it. */
TEST(websocket_deflate_with_each_window) {
  static const size_t lengths[] = {0, 1, 2, 100, 250, 251, 512, 1000, 4000, 65536, 300000};
  if (!iod_deflate_available) return;
  iod_deflaters_t deflaters = {0};
  for (unsigned bits = IOD_DEFLATE_BITS_MIN; bits <= IOD_DEFLATE_BITS_MAX; bits++)
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
      size_t length = lengths[i / 2];
      char *message = text(length, i % 2);
      iod_buffer_t packed = {0};
      iod_inflater_t *inflater = iod_inflater_new(bits);
      CHECK_INT(iod_buffer_append(&packed, "before", 6), 0);
      CHECK_INT(iod_deflaters_run(&deflaters, bits, (iod_slice_t){message, length}, &packed), 0);
      inflate_to(inflater, &packed, 6, (iod_slice_t){message, length});
      if (i % 2 == 0 && length > 200) CHECK(iod_buffer_length(&packed) < length / 2);
      iod_inflater_free(inflater);
      iod_buffer_deinit(&packed);
      free(message);
    }
  iod_deflaters_deinit(&deflaters);
}

TEST(websocket_deflate_with_takeover) {
  if (!iod_deflate_available) return;
  char *message = text(1000, true);
  iod_deflater_t *deflater = iod_deflater_new(12);
  iod_inflater_t *inflater = iod_inflater_new(12);
  for (int i = 0; i < 50; i++) {
    iod_buffer_t packed = {0};
    iod_slice_t whole = {message, i % 5 == 4 ? 0 : 1000};
    CHECK_INT(iod_deflater_run(deflater, whole, &packed), 0);
    if (i > 0) CHECK(iod_buffer_length(&packed) < 50);
    inflate_to(inflater, &packed, 0, whole);
    iod_buffer_deinit(&packed);
  }
  iod_deflater_free(deflater);
  iod_inflater_free(inflater);
  free(message);
}

/* A smaller window is as good as a larger one where the message fits into it. */
TEST(websocket_deflate_windows_for_messages) {
  if (!iod_deflate_available) return;
  CHECK_INT(iod_deflate_bits_for(0, 15), 9);
  CHECK_INT(iod_deflate_bits_for(250, 15), 9);
  CHECK_INT(iod_deflate_bits_for(251, 15), 10);
  CHECK_INT(iod_deflate_bits_for(1 << 20, 15), 15);
  CHECK_INT(iod_deflate_bits_for(1 << 20, 11), 11);
}

static void deflate_scenario(void) {
  iod_deflaters_t deflaters = {0};
  iod_inflaters_t inflaters = {0};
  iod_buffer_t packed = {0}, out = {0};
  char *message = text(5000, true);
  if (iod_deflaters_run(&deflaters, 13, (iod_slice_t){message, 5000}, &packed) == 0) {
    iod_inflater_t *inflater = iod_inflaters_borrow(&inflaters);
    iod_slice_t piece = {iod_buffer_head(&packed), iod_buffer_length(&packed)};
    int result = inflater ? iod_inflater_take(inflater, piece, &out, MOST) : IOD_E_NOMEM;
    CHECK(result == 0 || result == IOD_E_NOMEM);
    if (inflater) iod_inflaters_return(&inflaters, inflater);
  } else {
    CHECK_INT(iod_buffer_length(&packed), 0);
  }
  free(message);
  iod_buffer_deinit(&packed);
  iod_buffer_deinit(&out);
  iod_deflaters_deinit(&deflaters);
  iod_inflaters_deinit(&inflaters);
}

TEST(websocket_deflate_without_memory) {
  if (iod_deflate_available) test_each_allocation_fails(deflate_scenario);
}

/* Empty last blocks, each of which ends a stream: linear, and nothing is kept. */
TEST(websocket_deflate_of_many_streams) {
  if (!iod_deflate_available) return;
  enum { STREAMS = 100000 };
  char *bytes = malloc(2 * STREAMS);
  for (size_t i = 0; i < STREAMS; i++) memcpy(bytes + 2 * i, "\3\0", 2);
  iod_inflater_t *inflater = iod_inflater_new(15);
  iod_buffer_t out = {0};
  CHECK_INT(iod_inflater_take(inflater, (iod_slice_t){bytes, 2 * STREAMS}, &out, 100), 0);
  CHECK_INT(iod_inflater_end(inflater, &out, 100), 0);
  CHECK_INT(iod_buffer_length(&out), 0);
  iod_buffer_deinit(&out);
  iod_inflater_free(inflater);
  free(bytes);
}
