/* Agreeing on permessage-deflate (RFC 7692 section 7.1; RFC 6455 section 9.1). Pure. */
#ifndef IOD_PROTOCOL_WEBSOCKET_OFFER_H
#define IOD_PROTOCOL_WEBSOCKET_OFFER_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* What a server wants at most, or what was agreed on; all zeroes: no compression. */
typedef struct iod_websocket_deflate {
  bool on;
  bool server_takeover, client_takeover; /* may a message refer to those before it? */
  bool server_bits_asked;                /* the answer has to name the server's window; not for what a server wants */
  uint8_t server_bits, client_bits;      /* of the windows: the server's 9 to 15, the client's 8 to 15 */
} iod_websocket_deflate_t;

/* Reads a line of Sec-WebSocket-Extensions and takes the first offer of it that we can keep, unless *agreed is `on`
 * already. An offer with a parameter that is unknown, there twice, or of another form or value than the RFC's is
 * declined; so is a server's window of 8 bits, for which there is no deflater, and each other extension.
 * 0; IOD_E_BAD_REQUEST: not a list of extensions. */
IOD_MUST_USE int iod_websocket_offer_take(iod_slice_t line, const iod_websocket_deflate_t *wanted,
                                          iod_websocket_deflate_t *agreed);

/* The value of the answer's Sec-WebSocket-Extensions: its length. */
enum { IOD_WEBSOCKET_OFFER_ROOM = 128 };
size_t iod_websocket_offer_answer(char out[IOD_WEBSOCKET_OFFER_ROOM], const iod_websocket_deflate_t *agreed);

#endif
