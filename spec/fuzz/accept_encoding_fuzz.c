/* A byte that says what is available and any bytes as Accept-Encoding: one of these or none, the same in upper case and
 * when each member has a line of its own. */
#include "../../ext/iodine/protocol/accept_encoding.h"
#include "fuzz.h"

static unsigned best_of_lines(const char *at, const char *end, unsigned available) {
  iod_accept_encoding_t accept = {0};
  while (at < end) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    iod_accept_encoding_see(&accept, (iod_slice_t){at, (size_t)((comma ? comma : end) - at)});
    at = comma ? comma + 1 : end;
  }
  return iod_accept_encoding_best(&accept, available);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  if (length == 0) return 0;
  unsigned available = input[0];
  length--;
  char *value = test_flush(input + 1, length);
  iod_accept_encoding_t accept = {0};
  iod_accept_encoding_see(&accept, (iod_slice_t){value, length});
  unsigned best = iod_accept_encoding_best(&accept, available);
  REQUIRE(best == 0 || (best & available) == best);
  REQUIRE(best == 0 || iod_coding_name(best).length > 0);
  REQUIRE(best_of_lines(value, value + length, available) == best);
  for (size_t i = 0; i < length; i++)
    if (value[i] >= 'a' && value[i] <= 'z') value[i] = (char)(value[i] - 32);
  REQUIRE(best_of_lines(value, value + length, available) == best);
  return 0;
}
