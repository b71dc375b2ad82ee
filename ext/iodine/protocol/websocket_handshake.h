/* A server's side of the opening handshake (RFC 6455 sections 4.2 and 4.4). Pure; the caller shows each header of the
 * request once, in order, and asks then. */
#ifndef IOD_PROTOCOL_WEBSOCKET_HANDSHAKE_H
#define IOD_PROTOCOL_WEBSOCKET_HANDSHAKE_H

#include "../base/buffer.h"
#include "websocket_offer.h"

/* Shared by many handshakes, outlives them. */
typedef struct iod_websocket_policy {
  iod_websocket_deflate_t deflate; /* what we want at most */
  const iod_slice_t *origins;      /* allowed ones, as iod_origin_valid says; none: all are */
  size_t origin_count;
} iod_websocket_policy_t;

typedef struct iod_websocket_handshake {
  const iod_websocket_policy_t *policy;
  iod_websocket_deflate_t agreed; /* once all headers were shown */
  iod_slice_t key;                /* private, as what follows */
  iod_slice_t origin;
  uint8_t seen, twice; /* bits of the headers that came, and came again */
  bool upgrade, connection, version, malformed;
} iod_websocket_handshake_t;

static inline iod_websocket_handshake_t iod_websocket_handshake(const iod_websocket_policy_t *policy) {
  return (iod_websocket_handshake_t){.policy = policy};
}

/* Takes Upgrade, Connection, Origin and Sec-WebSocket-*; any other name is left alone. What it is shown stays borrowed.
 */
void iod_websocket_handshake_see(iod_websocket_handshake_t *handshake, iod_slice_t name, iod_slice_t value);

/* For a GET by HTTP/1.1. 1: it may be upgraded. 0: it doesn't ask for it: Connection doesn't name upgrade, or Upgrade
 * doesn't name websocket. IOD_E_UPGRADE_REQUIRED: another version than 13, or none; the answer is to have
 * IOD_WEBSOCKET_VERSION_LINE. IOD_E_BAD_REQUEST: no key, several, or one that isn't 16 bytes in base64, or malformed
 * extensions. IOD_E_FORBIDDEN: the page it comes from is not on the list; who sends no Origin is no page. */
IOD_MUST_USE int iod_websocket_handshake_check(const iod_websocket_handshake_t *handshake);

#define IOD_WEBSOCKET_VERSION_LINE "sec-websocket-version: 13\r\n"

/* The value of Sec-WebSocket-Accept for a valid key. */
enum { IOD_WEBSOCKET_KEY_LENGTH = 24, IOD_WEBSOCKET_ACCEPT_LENGTH = 28 };
void iod_websocket_accept(char out[IOD_WEBSOCKET_ACCEPT_LENGTH], iod_slice_t key);

/* For a request that was checked: appends the answer's own header lines; the status line is before them, the
 * application's and an empty line behind. 0 or IOD_E_NOMEM (then nothing was appended). */
IOD_MUST_USE int iod_websocket_handshake_answer(const iod_websocket_handshake_t *handshake, iod_buffer_t *out);

#endif
