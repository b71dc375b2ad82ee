/* A byte that chooses the window and any bytes as two messages: deflated and inflated again they are the same, alone
 * and with what came before. As compressed ones they become what fits the limit, or an error, however they are cut. */
#include "../../ext/iodine/protocol/websocket_deflate.h"
#include "fuzz.h"

enum { LIMIT = 20000 };

static void check_again(iod_inflater_t *inflater, const iod_buffer_t *packed, iod_slice_t message) {
  iod_buffer_t out = {0};
  REQUIRE(iod_inflater_take(inflater, (iod_slice_t){iod_buffer_head(packed), iod_buffer_length(packed)}, &out, LIMIT) ==
          0);
  REQUIRE(iod_inflater_end(inflater, &out, LIMIT) == 0);
  REQUIRE(iod_buffer_length(&out) == message.length);
  REQUIRE(message.length == 0 || memcmp(iod_buffer_head(&out), message.at, message.length) == 0);
  iod_buffer_deinit(&out);
}

static void check_round(unsigned bits, const iod_slice_t messages[3]) {
  iod_deflaters_t deflaters = {0};
  iod_deflater_t *deflater = iod_deflater_new(bits);
  iod_inflater_t *alone = iod_inflater_new(bits), *with = iod_inflater_new(bits);
  for (size_t i = 0; i < 3; i++) {
    iod_buffer_t packed = {0}, packed_with = {0};
    REQUIRE(iod_deflaters_run(&deflaters, bits, messages[i], &packed) == 0);
    REQUIRE(iod_deflater_run(deflater, messages[i], &packed_with) == 0);
    check_again(alone, &packed, messages[i]);
    iod_inflater_forget(alone);
    check_again(with, &packed_with, messages[i]);
    iod_buffer_deinit(&packed);
    iod_buffer_deinit(&packed_with);
  }
  iod_inflater_free(alone);
  iod_inflater_free(with);
  iod_deflater_free(deflater);
  iod_deflaters_deinit(&deflaters);
}

static int inflate_in(iod_slice_t bytes, size_t size, iod_buffer_t *out) {
  iod_inflater_t *inflater = iod_inflater_new(15);
  int error = 0;
  for (size_t at = 0; at < bytes.length && !error; at += size) {
    size_t n = bytes.length - at < size ? bytes.length - at : size;
    error = iod_inflater_take(inflater, (iod_slice_t){bytes.at + at, n}, out, LIMIT);
  }
  if (!error) error = iod_inflater_end(inflater, out, LIMIT);
  iod_inflater_free(inflater);
  REQUIRE(error == 0 || error == IOD_E_WEBSOCKET_DATA || error == IOD_E_WEBSOCKET_TOO_LARGE);
  REQUIRE(iod_buffer_length(out) <= LIMIT + (error == IOD_E_WEBSOCKET_TOO_LARGE));
  return error;
}

static void check_cuts(iod_slice_t bytes) {
  iod_buffer_t whole = {0};
  int error = inflate_in(bytes, SIZE_MAX / 2, &whole);
  for (size_t size = 1; size < 8; size += 3) {
    iod_buffer_t other = {0};
    REQUIRE(inflate_in(bytes, size, &other) == error);
    REQUIRE(iod_buffer_length(&other) == iod_buffer_length(&whole));
    REQUIRE(other.end == 0 || memcmp(iod_buffer_head(&other), iod_buffer_head(&whole), iod_buffer_length(&whole)) == 0);
    iod_buffer_deinit(&other);
  }
  iod_buffer_deinit(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  if (length == 0 || length > LIMIT || !iod_deflate_available) return 0;
  iod_slice_t all = {test_flush(input + 1, length - 1), length - 1};
  iod_slice_t half = {all.at, all.length / 2};
  check_round(9 + input[0] % 7, (iod_slice_t[]){all, half, all});
  check_cuts(all);
  return 0;
}
