/* WebSocket messages out of the bytes of one peer (RFC 6455 sections 5 to 8, RFC 7692): fragments joined, text checked,
 * limits kept, inflated. No I/O. The results are the same however the bytes are cut. Not thread safe. */
#ifndef IOD_PROTOCOL_WEBSOCKET_MESSAGE_H
#define IOD_PROTOCOL_WEBSOCKET_MESSAGE_H

#include "../base/buffer.h"
#include "websocket_deflate.h"
#include "websocket_frame.h"
#include "websocket_offer.h"

/* Shared by many readers, outlives them. */
typedef struct iod_websocket_rules {
  size_t limit;               /* bytes of a message, as it is when inflated */
  bool from_client;           /* we are the server */
  iod_inflaters_t *inflaters; /* for those without a context of their own; under the same lock as the readers */
} iod_websocket_rules_t;

/* All fields private. Between two messages it holds no memory, but for the peer's context if one was agreed on. */
typedef struct iod_websocket_reader {
  const iod_websocket_rules_t *rules;
  iod_buffer_t message;      /* what came of it, inflated */
  iod_inflater_t *inflater;  /* in the middle of a compressed message; with a context of its own for ever */
  char *partial;             /* of a frame's head, or of a whole control frame */
  uint64_t left;             /* bytes to come of the data frame */
  uint64_t total;            /* bytes of the message's frames, as sent */
  iod_websocket_mask_t mask; /* turned to the next byte */
  uint8_t partial_length;
  uint8_t opcode; /* of the message under way; 0: none */
  uint8_t text;   /* its state as UTF-8 */
  uint8_t bits;   /* of the peer's window; 0: without a context of its own */
  bool deflates, in_frame, final, compressed, lent, ended;
} iod_websocket_reader_t;

typedef struct iod_websocket_event {
  uint8_t opcode; /* IOD_WEBSOCKET_TEXT, _BINARY: a whole message; _PING, _PONG, _CLOSE; 0: none yet */
  uint16_t code;  /* of a close: what the peer said, or 1005 */
  iod_slice_t
      data; /* borrowed until the reader's next call: in the bytes read or in the reader; of a close: the reason */
} iod_websocket_event_t;

/* agreed: of the handshake; all zeroes = nothing. */
void iod_websocket_reader_init(iod_websocket_reader_t *reader, const iod_websocket_rules_t *rules,
                               const iod_websocket_deflate_t *agreed);
void iod_websocket_reader_deinit(iod_websocket_reader_t *reader);

/* Reads on, up to the first event: how many bytes were used, all of them if there is no event. They are changed
 * (unmasked). What follows a close or an error is used up and means nothing.
 *
 * IOD_E_WEBSOCKET_PROTOCOL, _DATA, _TOO_LARGE: the number is that of the close code, as soon as the byte came that is
 * wrong; too large is a message whose frames say so, or that inflates to more, or whose compressed form is over twice
 * the limit. IOD_E_NOMEM. */
IOD_MUST_USE int64_t iod_websocket_read(iod_websocket_reader_t *reader, char *bytes, size_t length,
                                        iod_websocket_event_t *event);

/* Instead of borrowing a text or binary event's data: takes them over where the reader holds them. False: they are in
 * the bytes that were read. */
bool iod_websocket_reader_give(iod_websocket_reader_t *reader, iod_buffer_t *message);

/* Gives back the memory of the last event: for when no more bytes are there. */
void iod_websocket_reader_rest(iod_websocket_reader_t *reader);

#endif
