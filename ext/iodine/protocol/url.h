/* Text of forms and queries (URL Standard, application/x-www-form-urlencoded). No allocation. */
#ifndef IOD_PROTOCOL_URL_H
#define IOD_PROTOCOL_URL_H

#include "../base/result.h"
#include "../base/slice.h"

/* "+" becomes a space and "%41" its byte. out: room for text.length bytes; it may be text's own.
 * The length written, or IOD_E_BAD_REQUEST when a '%' is not followed by two hex digits. */
IOD_MUST_USE long iod_url_decode_form(char *out, iod_slice_t text);

#endif
