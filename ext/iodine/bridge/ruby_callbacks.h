/* The callbacks of connections: which there are, and calling them. With the GVL. */
#ifndef IOD_BRIDGE_RUBY_CALLBACKS_H
#define IOD_BRIDGE_RUBY_CALLBACKS_H

#include "../base/result.h"
#include "ruby_connection.h"

void iod_ruby_callbacks_init(void);

/* A job of its strand: calls the callbacks of what has come up, some of it. Never raises: 0, or a state that the caller
 * must jump with (this thread is being killed). */
IOD_MUST_USE int iod_ruby_callbacks_run(iod_connection_t *connection);

/* Nobody will be told of it any more: see iod_server_t. */
void iod_ruby_callbacks_abandoned(iod_connection_t *connection);

/* From now on these are the callbacks; what they lack is not even queued. May raise what respond_to? raises. */
void iod_ruby_callbacks_set(iod_ruby_connection_t *rc, VALUE handler);

/* The old handler's on_close, then the new one's on_open, now or, off the connection's strand, in its turn. */
void iod_ruby_callbacks_switch(VALUE self, VALUE handler);

/* Queues a block, or an Array with a new handler, on its strand. False: its connection is over, or the parent
 * process's. */
bool iod_ruby_callbacks_post(VALUE self, VALUE call);

#endif
