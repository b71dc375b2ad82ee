#include "websocket_handshake.h"

#include "../base/base64.h"
#include "../base/sha1.h"
#include "list.h"
#include "origin.h"

enum { KEY = 1, VERSION = 2, ORIGIN = 4 };

static void see_once(iod_websocket_handshake_t *h, uint8_t which) {
  h->twice |= h->seen & which;
  h->seen |= which;
}

static void see_own(iod_websocket_handshake_t *h, iod_slice_t name, iod_slice_t value) {
  if (iod_slice_is(name, IOD_SLICE("sec-websocket-key"))) {
    see_once(h, KEY);
    h->key = iod_list_trim(value);
  } else if (iod_slice_is(name, IOD_SLICE("sec-websocket-version"))) {
    see_once(h, VERSION);
    h->version = iod_slice_equal(iod_list_trim(value), IOD_SLICE("13"));
  } else if (iod_slice_is(name, IOD_SLICE("sec-websocket-extensions"))) {
    h->malformed |= iod_websocket_offer_take(value, &h->policy->deflate, &h->agreed) != 0;
  }
}

void iod_websocket_handshake_see(iod_websocket_handshake_t *h, iod_slice_t name, iod_slice_t value) {
  switch (name.length) {
  case 6:
    if (!iod_slice_is(name, IOD_SLICE("origin"))) return;
    see_once(h, ORIGIN);
    h->origin = iod_list_trim(value);
    break;
  case 7:
    h->upgrade |= iod_slice_is(name, IOD_SLICE("upgrade")) && iod_list_names(value, IOD_SLICE("websocket"));
    break;
  case 10:
    h->connection |= iod_slice_is(name, IOD_SLICE("connection")) && iod_list_names(value, IOD_SLICE("upgrade"));
    break;
  default: see_own(h, name, value);
  }
}

static bool key_valid(iod_slice_t key) {
  uint8_t bytes[IOD_WEBSOCKET_KEY_LENGTH / 4 * 3];
  return key.length == IOD_WEBSOCKET_KEY_LENGTH && iod_base64_decode(bytes, key) == 16;
}

static bool origin_allowed(const iod_websocket_handshake_t *h) {
  const iod_websocket_policy_t *policy = h->policy;
  if (policy->origin_count == 0 || !(h->seen & ORIGIN)) return true;
  if (h->twice & ORIGIN) return false;
  for (size_t i = 0; i < policy->origin_count; i++)
    if (iod_origin_matches(h->origin, policy->origins[i])) return true;
  return false;
}

int iod_websocket_handshake_check(const iod_websocket_handshake_t *h) {
  if (!h->upgrade || !h->connection) return 0;
  if (!h->version || h->twice & VERSION) return IOD_E_UPGRADE_REQUIRED;
  if (!key_valid(h->key) || h->twice & KEY || h->malformed) return IOD_E_BAD_REQUEST;
  return origin_allowed(h) ? 1 : IOD_E_FORBIDDEN;
}

void iod_websocket_accept(char out[IOD_WEBSOCKET_ACCEPT_LENGTH], iod_slice_t key) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char text[IOD_WEBSOCKET_KEY_LENGTH + sizeof guid];
  uint8_t digest[IOD_SHA1_LENGTH];
  memcpy(text, key.at, IOD_WEBSOCKET_KEY_LENGTH);
  memcpy(text + IOD_WEBSOCKET_KEY_LENGTH, guid, sizeof guid);
  iod_sha1(digest, (iod_slice_t){text, sizeof text - 1});
  iod_base64_encode(out, (iod_slice_t){(const char *)digest, sizeof digest});
}

/* Room was reserved. */
static void put(iod_buffer_t *out, iod_slice_t text) {
  memcpy(iod_buffer_tail(out), text.at, text.length);
  iod_buffer_extend(out, text.length);
}

int iod_websocket_handshake_answer(const iod_websocket_handshake_t *h, iod_buffer_t *out) {
  enum { THE_REST = 128 };
  char accept[IOD_WEBSOCKET_ACCEPT_LENGTH];
  if (iod_buffer_reserve(out, THE_REST + sizeof accept + IOD_WEBSOCKET_OFFER_ROOM) != 0) return IOD_E_NOMEM;
  iod_websocket_accept(accept, h->key);
  put(out, IOD_SLICE("upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: "));
  put(out, (iod_slice_t){accept, sizeof accept});
  put(out, IOD_SLICE("\r\n"));
  if (!h->agreed.on) return 0;
  put(out, IOD_SLICE("sec-websocket-extensions: "));
  iod_buffer_extend(out, iod_websocket_offer_answer(iod_buffer_tail(out), &h->agreed));
  put(out, IOD_SLICE("\r\n"));
  return 0;
}
