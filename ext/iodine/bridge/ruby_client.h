/* Iodine::Server::Client: where to connect to, and how. Private to the gem.
 *
 *   Client.new(options) → ArgumentError says what is wrong with its request
 *     options, all present: label, addresses (numeric, or one path), local (is it that?), port, tls (a Server::TLS, or
 *     nil) and server_name, patience and write_timeout (ms), timeout (s), max_message and max_pending (bytes), request:
 *     nil, or for a WebSocket a Hash with all of method, target, host, port, secure, protocols, headers and cookies
 *     ([[name, value], …]), body
 *
 * and what Iodine::Server does with it:
 *
 *   server.connect(client, callbacks) · server.attach(client, fd, callbacks): takes over what Server.adopt gave
 *   Server.adopt(fd) → another descriptor of that socket; ArgumentError: it is no connected stream
 */
#ifndef IOD_BRIDGE_RUBY_CLIENT_H
#define IOD_BRIDGE_RUBY_CLIENT_H

#include <ruby.h>

void iod_ruby_client_init(VALUE server_class);

#endif
