/* WebSocket frames (RFC 6455 section 5): their heads read and written, payloads masked. Pure. */
#ifndef IOD_PROTOCOL_WEBSOCKET_FRAME_H
#define IOD_PROTOCOL_WEBSOCKET_FRAME_H

#include "../base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  IOD_WEBSOCKET_CONTINUATION = 0,
  IOD_WEBSOCKET_TEXT = 1,
  IOD_WEBSOCKET_BINARY = 2,
  IOD_WEBSOCKET_CLOSE = 8,
  IOD_WEBSOCKET_PING = 9,
  IOD_WEBSOCKET_PONG = 10,
};

enum {
  IOD_WEBSOCKET_HEAD_MAX = 14,    /* bytes of a head */
  IOD_WEBSOCKET_CONTROL_MAX = 125 /* bytes of a control frame's payload */
};

typedef struct iod_websocket_mask {
  uint8_t key[4];
} iod_websocket_mask_t;

typedef struct iod_websocket_frame {
  uint64_t length; /* of the payload, under 2^63 */
  uint8_t opcode;
  bool final;
  bool compressed; /* RSV1 (RFC 7692 section 6) */
  iod_websocket_mask_t mask;
} iod_websocket_frame_t;

/* What a frame may be. */
typedef struct iod_websocket_peer {
  bool client;   /* its frames are masked; else none is */
  bool deflates; /* permessage-deflate was agreed on: RSV1 may be set in a message's first frame */
} iod_websocket_peer_t;

static inline bool iod_websocket_is_control(unsigned opcode) { return opcode >= IOD_WEBSOCKET_CLOSE; }

/* bytes: all that has come of the frame. > 0: the head's length. 0: more is needed, never once IOD_WEBSOCKET_HEAD_MAX
 * bytes are there. IOD_E_WEBSOCKET_PROTOCOL, with the first byte that is wrong: an unknown opcode, a reserved bit, a
 * mask too many or too few, a control frame that is fragmented or longer than IOD_WEBSOCKET_CONTROL_MAX, a length of
 * more bytes than needed, or of 2^63 and more. */
IOD_MUST_USE int iod_websocket_frame_parse(const char *bytes, size_t length, iod_websocket_peer_t from,
                                           iod_websocket_frame_t *frame);

/* Its head's length. mask: NULL for what a server sends; else the payload is to be masked with it, too. */
size_t iod_websocket_frame_write(char out[IOD_WEBSOCKET_HEAD_MAX], const iod_websocket_frame_t *frame,
                                 const iod_websocket_mask_t *mask);

/* Masks or unmasks a piece of a payload that begins `offset` bytes behind the payload's first. to: from itself, or
 * other memory; any alignment. */
void iod_websocket_mask(char *to, const char *from, size_t length, iod_websocket_mask_t mask, uint64_t offset);

#endif
