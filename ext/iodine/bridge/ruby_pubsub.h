/* Pub/sub as Ruby sees it: names and messages, publishing, and the blocks of subscriptions. With the GVL. */
#ifndef IOD_BRIDGE_RUBY_PUBSUB_H
#define IOD_BRIDGE_RUBY_PUBSUB_H

#include "../server/watcher.h"
#include "ruby_server.h"

#include <ruby.h>

void iod_ruby_pubsub_init(VALUE iodine_module, VALUE server_class);

/* A String or Symbol as a channel's name: frozen bytes. Raises TypeError; ArgumentError when it is nil. */
VALUE iod_ruby_pubsub_name(VALUE name);

/* Iodine.publish and Connection#publish: (to, message, engine = nil), or the keywords to:, message:, engine:. → true */
VALUE iod_ruby_pubsub_publish(int argc, VALUE *argv, VALUE self);

/* ---- the blocks of one subscriber, in a Hash: by their subscriptions' ids, and the ids by name ---- */

/* Another one for a name that has one already. Its id. */
uint64_t iod_ruby_pubsub_keep(VALUE blocks, VALUE name, bool pattern, VALUE block);
void iod_ruby_pubsub_drop(VALUE blocks, VALUE name, bool pattern);

/* Calls the block of a message that was published, unless it was dropped meanwhile. May raise. */
VALUE iod_ruby_pubsub_call(VALUE blocks, const iod_message_t *message);

/* A job of a watcher's strand. Never raises: 0, or a state that the caller must jump with. */
IOD_MUST_USE int iod_ruby_pubsub_run(ruby_server_t *rs, iod_watcher_t *watcher);

/* Of a server that is about to be closed, then of one that was: its watchers. */
void iod_ruby_pubsub_leave(ruby_server_t *rs);
void iod_ruby_pubsub_clear(ruby_server_t *rs);

#endif
