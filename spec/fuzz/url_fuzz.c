/* Any bytes as a form's text: never longer, the same in place, and encoded again the same bytes. */
#include "../../ext/iodine/protocol/url.h"
#include "fuzz.h"

static void check_again(const char *text, size_t length) {
  char *encoded = malloc(3 * length + 1), *again = malloc(3 * length + 1);
  REQUIRE(encoded && again);
  for (size_t i = 0; i < length; i++) sprintf(encoded + 3 * i, "%%%02x", (unsigned char)text[i]);
  REQUIRE(iod_url_decode_form(again, (iod_slice_t){encoded, 3 * length}) == (long)length);
  REQUIRE(length == 0 || memcmp(again, text, length) == 0);
  free(encoded);
  free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  char *text = test_flush(input, length), *out = malloc(length + 1);
  REQUIRE(out);
  long n = iod_url_decode_form(out, (iod_slice_t){text, length});
  REQUIRE(n == IOD_E_BAD_REQUEST || (n >= 0 && (size_t)n <= length));
  REQUIRE(iod_url_decode_form(text, (iod_slice_t){text, length}) == n);
  if (n > 0) {
    REQUIRE(memcmp(out, text, (size_t)n) == 0);
    check_again(out, (size_t)n);
  }
  free(out);
  return 0;
}
