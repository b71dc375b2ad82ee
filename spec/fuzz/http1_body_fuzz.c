/* Any bytes as a body: the first byte chooses Content-Length (even; its upper bits are the length) or chunked. The same
 * result however they are cut, and never a byte more than was announced. */
#include "../c/protocol/cuts.c"
#include "fuzz.h"

enum { LIMIT = 500 };

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  if (length == 0) return 0;
  iod_http1_body_t start;
  bool chunked = input[0] & 1;
  if (chunked) {
    iod_http1_body_chunked(&start, LIMIT);
  } else {
    iod_http1_body_length(&start, input[0] >> 1);
  }
  cuts_body_t result;
  REQUIRE(cuts_body(&start, (const char *)input + 1, length - 1, &result) == 0);
  REQUIRE(result.error == 0 ||
          (chunked && (result.error == IOD_E_BAD_REQUEST || result.error == IOD_E_BODY_TOO_LARGE)));
  REQUIRE(result.length <= (chunked ? (size_t)LIMIT : (size_t)(input[0] >> 1)));
  REQUIRE(result.error != 0 || result.done || result.used == length - 1);
  free(result.data);
  return 0;
}
