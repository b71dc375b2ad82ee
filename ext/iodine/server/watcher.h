/* Who is subscribed without a connection: a strand of its own, so that its messages keep their order and never come two
 * at once. */
#ifndef IOD_SERVER_WATCHER_H
#define IOD_SERVER_WATCHER_H

#include "pubsub.h"

typedef struct iod_watcher {
  iod_strand_t strand; /* first; each message is a publication, with the id */
  iod_subscriber_t subscriber;
} iod_watcher_t;

/* Subscribed. NULL when out of memory. [app] */
IOD_MUST_USE iod_watcher_t *iod_watcher_new(iod_server_t *server, iod_slice_t name, bool pattern, uint64_t id);

/* Subscribed no more; freed as soon as its job has rested. [app] */
void iod_watcher_end(iod_watcher_t *watcher);

/* The end of its job: queued again if there is more, freed if it has ended. */
void iod_watcher_rest(iod_watcher_t *watcher);

/* Nobody will take its job any more: as if all had been taken. */
void iod_watcher_abandon(iod_watcher_t *watcher);

/* Its server is closed: nobody else knows it. */
void iod_watcher_free(iod_watcher_t *watcher);

#endif
