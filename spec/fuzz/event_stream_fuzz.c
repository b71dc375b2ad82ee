/* Any bytes as Accept: true exactly where one of its members alone is. */
#include "../../ext/iodine/protocol/event_stream.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  char *value = test_flush(input, length), *end = value + length, *at = value;
  bool any = false;
  while (at < end) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    size_t part = (size_t)((comma ? comma : end) - at);
    any |= iod_accepts_event_stream((iod_slice_t){at, part});
    at += part + 1;
  }
  REQUIRE(iod_accepts_event_stream((iod_slice_t){value, length}) == any);
  return 0;
}
