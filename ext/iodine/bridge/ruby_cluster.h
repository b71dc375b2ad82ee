/* The cluster as Ruby sees it: links to its other processes, and what the application's side has to do for pub/sub
 * (server/notices.h). With the GVL. */
#ifndef IOD_BRIDGE_RUBY_CLUSTER_H
#define IOD_BRIDGE_RUBY_CLUSTER_H

#include "ruby_server.h"

#include <ruby.h>

void iod_ruby_cluster_init(VALUE server_class);

/* A job of the server's notices. Never raises: 0, or a state that the caller must jump with. */
IOD_MUST_USE int iod_ruby_cluster_run(ruby_server_t *rs);

/* What this process published fills a link: waits until others have read some of it. */
void iod_ruby_cluster_wait(iod_server_t *server);

#endif
