/* The request of a client's opening handshake (RFC 6455 section 4.1), written. Pure. */
#ifndef IOD_PROTOCOL_WEBSOCKET_REQUEST_H
#define IOD_PROTOCOL_WEBSOCKET_REQUEST_H

#include "../base/buffer.h"
#include "websocket_handshake.h"

typedef struct iod_websocket_field {
  iod_slice_t name, value;
} iod_websocket_field_t;

/* All borrowed; what is left empty is left out. */
typedef struct iod_websocket_request {
  iod_slice_t method;    /* empty: GET, which is what the RFC wants */
  iod_slice_t target;    /* path and query; empty: "/" */
  iod_slice_t host;      /* as in a URL: an IPv6 address has its brackets */
  uint16_t port;         /* 0: not to be named, and neither is 80, or 443 if */
  bool secure;           /* it goes over TLS */
  iod_slice_t protocols; /* the sub-protocols offered: "chat, superchat" */
  const iod_websocket_field_t *headers;
  size_t header_count;
  const iod_websocket_field_t *cookies;
  size_t cookie_count;
  iod_slice_t body;
} iod_websocket_request_t;

/* A key out of bytes that nobody can predict. */
enum { IOD_WEBSOCKET_NONCE = 16 };
void iod_websocket_key(char out[IOD_WEBSOCKET_KEY_LENGTH], const uint8_t nonce[IOD_WEBSOCKET_NONCE]);

/* NULL: it can be written. Else what is wrong, a sentence's end: bytes that may not stand where they do (so a line
 * break or a NUL gets in nowhere), or a header line that is not for the caller to set: Host, Connection, Upgrade,
 * Sec-WebSocket-*, Content-Length, Transfer-Encoding, and Cookie if there are cookies. */
const char *iod_websocket_request_fault(const iod_websocket_request_t *request);

/* Appends all of it but the key, for which there is room *key_at bytes behind the first: each connection has one of its
 * own. 0; then nothing was appended: IOD_E_NOMEM, IOD_E_BAD_REQUEST: it has a fault. */
IOD_MUST_USE int iod_websocket_request_write(const iod_websocket_request_t *request, iod_buffer_t *out, size_t *key_at);

#endif
