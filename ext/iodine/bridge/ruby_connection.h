/* Iodine::Connection: what callbacks get of a connection, and the callbacks themselves. With the GVL.
 *
 * An object lives while the server has its connection open or has something to tell of it: until then a registry marks
 * it, after that it is the application's alone. */
#ifndef IOD_BRIDGE_RUBY_CONNECTION_H
#define IOD_BRIDGE_RUBY_CONNECTION_H

#include "../base/result.h"
#include "../server/connection.h"

#include <ruby.h>

void iod_ruby_connection_init(VALUE iodine_module);

/* A job of its strand: calls the callbacks of what has come up, some of it. Never raises: 0, or a state that the caller
 * must jump with (this thread is being killed). */
IOD_MUST_USE int iod_ruby_connection_run(iod_connection_t *connection);

/* Nobody will be told of it any more: see iod_server_t. */
void iod_ruby_connection_abandoned(iod_connection_t *connection);

#endif
