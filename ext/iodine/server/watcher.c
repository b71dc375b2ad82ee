#include "watcher.h"

#include "../base/alloc.h"
#include "server.h"

enum { ENDED = 1 }; /* its strand's signal */

iod_watcher_t *iod_watcher_new(iod_server_t *server, iod_slice_t name, bool pattern, uint64_t id) {
  iod_watcher_t *w = iod_alloc_zero(sizeof *w);
  iod_subscribing_t how = {.name = name, .pattern = pattern, .deliver = IOD_DELIVER_STRAND, .id = id};
  if (!w) return NULL;
  iod_strand_init(&w->strand, server, IOD_JOB_WATCHER);
  w->subscriber.strand = &w->strand;
  if (iod_pubsub_subscribe(server, &w->subscriber, &how) == 0) return w;
  iod_watcher_free(w);
  return NULL;
}

void iod_watcher_end(iod_watcher_t *w) {
  iod_server_t *server = w->strand.server;
  iod_pubsub_leave(server, &w->subscriber);
  iod_strand_lock(&w->strand);
  w->strand.signals = ENDED;
  iod_strand_unlock(&w->strand, true);
  iod_crew_wake_one(server);
}

void iod_watcher_rest(iod_watcher_t *w) {
  iod_strand_t *s = &w->strand;
  iod_strand_lock(s);
  bool more = s->first != NULL, over = !more && s->signals == ENDED;
  s->busy = false;
  iod_strand_unlock(s, more);
  if (over) iod_watcher_free(w);
}

void iod_watcher_abandon(iod_watcher_t *w) {
  for (iod_message_t *message; (message = iod_strand_take(&w->strand));) iod_message_free(message);
  iod_watcher_rest(w);
}

void iod_watcher_free(iod_watcher_t *w) {
  iod_strand_deinit(&w->strand);
  iod_free(w);
}
