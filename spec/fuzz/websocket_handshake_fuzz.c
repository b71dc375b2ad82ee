/* Lines of a letter that chooses a header and its value, as a handshake; the offers' answers are offers that are taken
 * again in the same way. Each value as an origin, and with the one before it as what is allowed. */
#include "../../ext/iodine/protocol/origin.h"
#include "../../ext/iodine/protocol/websocket_handshake.h"
#include "fuzz.h"

static const iod_websocket_deflate_t WANTED = {
    .on = true, .server_takeover = true, .client_takeover = true, .server_bits = 15, .client_bits = 15};

static void check_offer(iod_slice_t value) {
  iod_websocket_deflate_t agreed = {0}, again = {0};
  char answer[IOD_WEBSOCKET_OFFER_ROOM], second[IOD_WEBSOCKET_OFFER_ROOM];
  int result = iod_websocket_offer_take(value, &WANTED, &agreed);
  REQUIRE(result == 0 || (result == IOD_E_BAD_REQUEST && !agreed.on));
  if (!agreed.on) return;
  REQUIRE(agreed.server_bits >= 9 && agreed.server_bits <= 15 && agreed.client_bits >= 8 && agreed.client_bits <= 15);
  size_t n = iod_websocket_offer_answer(answer, &agreed);
  REQUIRE(iod_websocket_offer_take((iod_slice_t){answer, n}, &WANTED, &again) == 0 && again.on);
  REQUIRE(iod_websocket_offer_answer(second, &again) == n && memcmp(answer, second, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  static const char *const names[] = {
      "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Origin"};
  static const iod_slice_t origins[] = {{"https://*.example.com", 21}};
  iod_websocket_policy_t policy = {.deflate = WANTED, .origins = origins, .origin_count = 1};
  iod_websocket_handshake_t h = iod_websocket_handshake(&policy);
  iod_slice_t before = {"", 0};
  const char *at = test_flush(input, length), *end = at + length;
  while (at < end) {
    const char *feed = memchr(at, '\n', (size_t)(end - at)), *line_end = feed ? feed : end;
    if (line_end > at) {
      const char *name = names[(unsigned char)*at % 6];
      iod_slice_t value = {at + 1, (size_t)(line_end - at - 1)};
      iod_websocket_handshake_see(&h, (iod_slice_t){name, strlen(name)}, value);
      check_offer(value);
      if (iod_origin_valid(before)) iod_origin_matches(value, before);
      REQUIRE(!iod_origin_valid(value) || memchr(value.at, '*', value.length) || iod_origin_matches(value, value));
      before = value;
    }
    at = feed ? feed + 1 : end;
  }
  int result = iod_websocket_handshake_check(&h);
  REQUIRE(result == 0 || result == 1 || result == IOD_E_BAD_REQUEST || result == IOD_E_UPGRADE_REQUIRED ||
          result == IOD_E_FORBIDDEN);
  if (result != 1) return 0;
  iod_buffer_t out = {0};
  REQUIRE(iod_websocket_handshake_answer(&h, &out) == 0);
  iod_buffer_deinit(&out);
  return 0;
}
