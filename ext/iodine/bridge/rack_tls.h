/* What an application learns of a secure connection. With the GVL; may raise what Ruby code raises. */
#ifndef IOD_BRIDGE_RACK_TLS_H
#define IOD_BRIDGE_RACK_TLS_H

#include "../reactor/tls.h"

#include <ruby.h>

void iod_rack_tls_init(VALUE iodine_module);

/* Adds the client's certificate, if it showed one: rack.peer_cert, SSL_CLIENT_… */
void iod_rack_tls_env(VALUE env, const iod_tls_info_t *info);

/* With a connection's first request: calls the block that `blocks` (a Hash by ALPN names, or nil) has for its protocol.
 */
void iod_rack_tls_announce(VALUE blocks, const iod_tls_info_t *info);

#endif
