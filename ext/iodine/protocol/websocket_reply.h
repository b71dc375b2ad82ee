/* What a server answers to a client's opening handshake (RFC 6455 section 4.1, "Once the client's opening handshake has
 * been sent …"). Pure, resumable at every byte. */
#ifndef IOD_PROTOCOL_WEBSOCKET_REPLY_H
#define IOD_PROTOCOL_WEBSOCKET_REPLY_H

#include "http1_head.h"
#include "websocket_handshake.h"

enum { IOD_WEBSOCKET_REPLY_MAX = 16 * 1024 /* bytes of all heads */ };

typedef struct iod_websocket_reply {
  int status;          /* of the answer, once it is known; 0: not yet */
  iod_span_t protocol; /* the sub-protocol that was chosen; empty: none */
  const char *why;     /* after an error, for "the server …": static */

  /* private */
  iod_slice_t offered;
  char accept[IOD_WEBSOCKET_ACCEPT_LENGTH];
  uint32_t line, scanned;
  uint8_t seen;
  bool in_headers;
} iod_websocket_reply_t;

/* Of the request: its key, and the sub-protocols that were offered, which stay borrowed. */
void iod_websocket_reply_init(iod_websocket_reply_t *reply, iod_slice_t key, iod_slice_t offered);

/* bytes: all that has come so far, the same as at the last call and more behind.
 * > 0: the connection is a WebSocket; so long is the head, frames follow. 0: more is needed. < 0, the same however the
 * bytes were cut: IOD_E_REFUSED (another status than 101: as soon as its line is there), IOD_E_BAD_REQUEST (no HTTP, or
 * malformed), IOD_E_HEAD_TOO_LARGE, IOD_E_WEBSOCKET_PROTOCOL (a 101 that is for somebody else: Upgrade, Connection or
 * Sec-WebSocket-Accept are missing, there twice or wrong, or a sub-protocol or an extension was chosen that was not
 * offered; extensions aren't). Interim answers (RFC 9110 section 15.2) are passed over. After an error no more calls.
 */
IOD_MUST_USE int iod_websocket_reply_parse(iod_websocket_reply_t *reply, const char *bytes, size_t length);

#endif
