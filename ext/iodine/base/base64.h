/* Base64 with padding (RFC 4648 section 4). */
#ifndef IOD_BASE_BASE64_H
#define IOD_BASE_BASE64_H

#include "result.h"
#include "slice.h"

#include <stdint.h>

/* Of n bytes encoded. */
#define IOD_BASE64_LENGTH(n) (((n) + 2) / 3 * 4)

/* Writes IOD_BASE64_LENGTH(bytes.length) characters, and returns how many these are. */
size_t iod_base64_encode(char *out, iod_slice_t bytes);

/* out: room for text.length / 4 * 3 bytes. How many these are, or IOD_E_BAD_REQUEST: another length than a multiple of
 * 4, other characters (also white space), bits that aren't 0 in what is padded. */
IOD_MUST_USE long iod_base64_decode(uint8_t *out, iod_slice_t text);

#endif
