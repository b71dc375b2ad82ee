/* Dates in headers (RFC 9110 section 5.6.7). Pure; base/clock.h writes them. */
#ifndef IOD_PROTOCOL_HTTP_DATE_H
#define IOD_PROTOCOL_HTTP_DATE_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdint.h>

/* Seconds since 1970 from an IMF-fixdate, RFC 850 or asctime date. now: the same today, for years of two digits (one
 * that would be over 50 years ahead is in the past). The day of the week has to be one, not the right one. 0 or
 * IOD_E_BAD_REQUEST. */
IOD_MUST_USE int iod_http_date_parse(iod_slice_t text, int64_t now, int64_t *seconds);

#endif
