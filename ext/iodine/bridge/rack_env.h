/* A listener's Rack application, and the env of each request to it. With the GVL. */
#ifndef IOD_BRIDGE_RACK_ENV_H
#define IOD_BRIDGE_RACK_ENV_H

#include "../server/handler.h"

#include <ruby.h>

/* A Ruby object that keeps the application and a template: an env with every key whose value seldom changes. */
VALUE iod_rack_listener_new(VALUE app, VALUE settings);
VALUE iod_rack_listener_app(VALUE listener);
VALUE iod_rack_listener_protocols(VALUE listener); /* Iodine::TLS#on_protocol's: blocks by ALPN names, or nil */

void iod_rack_env_init(VALUE iodine_module);

/* exchange: rack.hijack and rack.early_hints. May raise NoMemoryError. */
VALUE iod_rack_env_new(VALUE listener, const iod_request_t *request, VALUE exchange, VALUE input);

/* The connection goes on with this env, but not as HTTP: what belonged to the response is let go of. */
void iod_rack_env_settle(VALUE env, VALUE exchange);

/* The value of rack.response_finished or rack.after_reply: whatever the application left there. */
VALUE iod_rack_env_finished(VALUE env);
VALUE iod_rack_env_after_reply(VALUE env);

#endif
