/* What the server tells of itself: Server#stats, and listeners that answer with it. */
#ifndef IOD_BRIDGE_RUBY_STATS_H
#define IOD_BRIDGE_RUBY_STATS_H

#include "ruby_server.h"

/* settings[:inside]: [page, Content-Security-Policy] of a listener that tells how the server is doing; NULL for others.
 */
iod_inside_t *iod_ruby_stats_inside(VALUE settings);

void iod_ruby_stats_init(VALUE server_class);

#endif
