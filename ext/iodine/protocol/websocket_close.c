#include "websocket_close.h"

#include "../base/utf8.h"

enum { CODE = 2 /* bytes */ };

bool iod_websocket_code_valid(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

int iod_websocket_close_parse(iod_slice_t *payload, uint16_t *code) {
  if (payload->length < CODE) return IOD_E_WEBSOCKET_PROTOCOL;
  const uint8_t *at = (const uint8_t *)payload->at;
  *code = (uint16_t)(at[0] << 8 | at[1]);
  *payload = (iod_slice_t){payload->at + CODE, payload->length - CODE};
  if (!iod_websocket_code_valid(*code)) return IOD_E_WEBSOCKET_PROTOCOL;
  return iod_utf8_valid(*payload) ? 0 : IOD_E_WEBSOCKET_DATA;
}

size_t iod_websocket_close_write(char out[IOD_WEBSOCKET_CONTROL_MAX], uint16_t code, iod_slice_t reason) {
  if (code == IOD_WEBSOCKET_NO_CODE) return 0;
  out[0] = (char)(code >> 8);
  out[1] = (char)(code & 0xff);
  if (!iod_utf8_valid(reason)) return CODE;
  reason = iod_utf8_cut(reason, IOD_WEBSOCKET_CONTROL_MAX - CODE);
  if (reason.length > 0) memcpy(out + CODE, reason.at, reason.length);
  return CODE + reason.length;
}
