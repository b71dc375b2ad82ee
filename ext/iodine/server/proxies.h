/* The proxies that a listener trusts, and what they say: of a connection by the PROXY protocol, of a request by
 * X-Forwarded-* or Forwarded. All under the state lock. */
#ifndef IOD_SERVER_PROXIES_H
#define IOD_SERVER_PROXIES_H

#include "../protocol/cidr.h"
#include "handler.h"

typedef struct iod_listener iod_listener_t;

typedef struct iod_proxies {
  uint32_t count;
  iod_cidr_t networks[];
} iod_proxies_t;

/* Of `count` networks, for the caller to fill in. iod_free() it. NULL when out of memory. */
IOD_MUST_USE iod_proxies_t *iod_proxies_new(uint32_t count);

/* Whether the peer of a connection to this listener is trusted: a Unix socket's always is, others by their address. */
bool iod_proxies_trust(const iod_listener_t *listener, const iod_peer_t *peer);

/* The PROXY protocol's header, the first bytes of a connection from a trusted peer. > 0: so many are used up; if the
 * header names a client, *peer is that one now, *trusted whether its address is. 0: more is needed. < 0: no header, or
 * a bad one. */
IOD_MUST_USE int iod_proxies_take_header(const iod_listener_t *listener, iod_peer_t *peer, bool *trusted,
                                         const char *bytes, size_t length);

/* A request from a trusted peer: its remote becomes the right-most address that isn't trusted, request->forwarded what
 * the nearest proxy says of scheme, host and port. X-Forwarded-* go before Forwarded: with any of them there, that one
 * counts for nothing. What is malformed counts for nothing either, nor what stands left of a malformed address. */
void iod_proxies_read(const iod_listener_t *listener, iod_request_t *request);

#endif
