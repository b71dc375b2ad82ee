/* Iodine::Server::TLS: certificates and rules, made from PEM strings. Private to the gem.
 *
 *   TLS.new(certificates, trust = nil, protocols = ['http/1.1'], trust_label = nil) → RuntimeError says what is wrong
 *     certificates: [[server_name or nil, chain, key, password or nil, chain_label, key_label = chain_label], …]
 *   TLS.client(certificates, trust, protocols, trust_label = nil) → for connections that we open
 *   TLS::SUPPORTED → true / false · TLS::LIBRARY → "OpenSSL 3.0.22 …"
 */
#ifndef IOD_BRIDGE_RUBY_TLS_H
#define IOD_BRIDGE_RUBY_TLS_H

#include "../reactor/tls.h"

#include <ruby.h>

void iod_ruby_tls_init(VALUE server_class);

/* nil → NULL; TypeError for what is no such object. Borrowed from it. */
iod_tls_t *iod_ruby_tls_of(VALUE object);

#endif
