/* What proxies say of a request: Forwarded (RFC 7239) and the X-Forwarded-* that came before it. Each proxy adds at the
 * end, and what stands before that was sent by who knows whom. So lists are read from their end, and nothing that
 * stands further left changes what is read, not even an open quote. */
#ifndef IOD_PROTOCOL_FORWARDED_H
#define IOD_PROTOCOL_FORWARDED_H

#include "ip.h"

/* What one proxy says. Empty: nothing. A quoted value is without its quotes, and with its backslashes. */
typedef struct iod_forwarded {
  iod_slice_t client, proto, host; /* for=, proto=, host= */
} iod_forwarded_t;

/* Takes the last element off a Forwarded list. 1; 0: there is none; IOD_E_BAD_REQUEST. White space is allowed around
 * ";", and an address with its port or brackets without quotes, as many write it. */
IOD_MUST_USE int iod_forwarded_pop(iod_slice_t *list, iod_forwarded_t *element);

/* Takes the last item off a list of X-Forwarded-For and the like. False: there is none. */
bool iod_forwarded_pop_item(iod_slice_t *list, iod_slice_t *item);

/* An address with an optional port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80; the port may
 * be an obfuscated one (RFC 7239 section 6.3). 0, IOD_E_BAD_REQUEST: also for "unknown" and "_obfuscated". */
IOD_MUST_USE int iod_forwarded_node(iod_slice_t text, iod_ip_t *ip);

#endif
