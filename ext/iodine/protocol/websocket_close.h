/* Close frames' payloads (RFC 6455 sections 5.5.1 and 7.4). Pure. */
#ifndef IOD_PROTOCOL_WEBSOCKET_CLOSE_H
#define IOD_PROTOCOL_WEBSOCKET_CLOSE_H

#include "../base/result.h"
#include "../base/slice.h"
#include "websocket_frame.h"

#include <stdint.h>

enum {
  IOD_WEBSOCKET_NO_CODE = 1005,  /* a close frame without a payload; never sent */
  IOD_WEBSOCKET_ABNORMAL = 1006, /* the connection ended without a close frame; never sent */
};

/* A code that may be in a frame: registered for it (1000 to 1003, 1007 to 1014), or 3000 to 4999. */
bool iod_websocket_code_valid(unsigned code);

/* A payload that isn't empty: what is behind the code stays, the reason. 0; IOD_E_WEBSOCKET_PROTOCOL: one byte alone,
 * or a code that is not valid; IOD_E_WEBSOCKET_DATA: a reason that is not UTF-8. */
IOD_MUST_USE int iod_websocket_close_parse(iod_slice_t *payload, uint16_t *code);

/* Writes a payload and returns its length: nothing for IOD_WEBSOCKET_NO_CODE. A reason that is too long is cut between
 * two characters, one that is not UTF-8 is left out. */
size_t iod_websocket_close_write(char out[IOD_WEBSOCKET_CONTROL_MAX], uint16_t code, iod_slice_t reason);

#endif
