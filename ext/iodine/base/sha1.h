/* SHA-1 (RFC 3174), for WebSocket handshakes only: it protects nothing any more. */
#ifndef IOD_BASE_SHA1_H
#define IOD_BASE_SHA1_H

#include "slice.h"

#include <stdint.h>

enum { IOD_SHA1_LENGTH = 20 };
void iod_sha1(uint8_t out[IOD_SHA1_LENGTH], iod_slice_t bytes);

#endif
