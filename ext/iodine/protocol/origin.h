/* Which pages may open a WebSocket here (RFC 6454, RFC 6455 section 10.2): cookies travel with a handshake from any
 * page. Pure. */
#ifndef IOD_PROTOCOL_ORIGIN_H
#define IOD_PROTOCOL_ORIGIN_H

#include "../base/slice.h"

/* Can this be on the list? "scheme://host" or "scheme://host:port", without a path; "scheme://" and "*." before the
 * name: any host below it, not itself; "null". */
bool iod_origin_valid(iod_slice_t allowed);

/* Is the request's Origin the one on the list (which is valid), but for case? A scheme's own port (80 for http, 443 for
 * https) is the same as none. */
bool iod_origin_matches(iod_slice_t origin, iod_slice_t allowed);

#endif
