/* A byte that says what was agreed on, and any bytes as a peer's: the same messages however they are cut, and none that
 * breaks what the reader promises. */
#include "../c/protocol/websocket_cuts.c"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  static iod_inflaters_t spare;
  if (length == 0) return 0;
  iod_websocket_rules_t rules = {.limit = 1000, .from_client = input[0] & 1, .inflaters = &spare};
  iod_websocket_deflate_t agreed = {.on = (input[0] & 2) && iod_deflate_available,
                                    .client_takeover = input[0] & 4,
                                    .server_takeover = input[0] & 4,
                                    .client_bits = (uint8_t)(8 + (input[0] >> 3 & 7)),
                                    .server_bits = 15};
  iod_buffer_t said = {0};
  REQUIRE(websocket_cuts(&rules, &agreed, (const char *)input + 1, length - 1, &said));
  iod_buffer_deinit(&said);
  iod_inflaters_deinit(&spare);
  return 0;
}
