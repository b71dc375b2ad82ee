#include "notices.h"

#include "server.h"

enum {
  MOST_NAMES = 1 << 19,  /* notices that wait for engines that are too slow: past it they are told what is left */
  MOST_BYTES = 64 << 20, /* of commands */
};

enum { UNLINKED = 1 }; /* its strand's signal */

void iod_notices_init(iod_notices_t *n, iod_server_t *server) {
  iod_strand_init(&n->strand, server, IOD_JOB_NOTICES);
  atomic_init(&n->stale, false);
}

void iod_notices_deinit(iod_notices_t *n) { iod_strand_deinit(&n->strand); }

/* ---- what is to be done ---- */

static void push(iod_server_t *server, iod_message_t *message) {
  iod_strand_t *s = &server->notices.strand;
  iod_strand_lock(s);
  bool idle = !s->busy;
  iod_strand_append(s, message);
  iod_strand_unlock(s, true);
  if (idle) iod_crew_wake_one(server);
}

/* False when out of memory. */
static bool push_new(iod_server_t *server, uint8_t tell, iod_slice_t bytes, uint64_t id) {
  iod_message_t *message = iod_message_new(tell, bytes.at, bytes.length);
  if (!message) return false;
  message->id = id;
  push(server, message);
  return true;
}

static bool has_room(iod_strand_t *s) {
  iod_strand_lock(s);
  bool room = s->count < MOST_NAMES && s->bytes < MOST_BYTES;
  iod_strand_unlock(s, false);
  return room;
}

void iod_notices_name(iod_server_t *server, iod_slice_t name, bool pattern, bool there) {
  iod_notices_t *n = &server->notices;
  uint64_t id = (there ? IOD_NAME_THERE : 0u) | (pattern ? IOD_NAME_PATTERN : 0u);
  if (atomic_load(&n->stale)) return; /* those that are there then will be listed */
  if (!has_room(&n->strand) || !push_new(server, IOD_NOTICE_NAME, name, id)) atomic_store(&n->stale, true);
}

typedef struct listing {
  iod_server_t *server;
  bool begun, whole;
} listing_t;

static void list_one(void *context, iod_slice_t name, bool pattern) {
  listing_t *l = context;
  uint64_t id = IOD_NAME_THERE | (pattern ? IOD_NAME_PATTERN : 0u);
  l->whole = l->whole && push_new(l->server, IOD_NOTICE_NAME, name, id);
}

/* Nothing else comes between, since names are noted under the lock. */
static void begin(void *context) {
  listing_t *l = context;
  atomic_store(&l->server->pubsub.listed, true);
  atomic_store(&l->server->notices.stale, false);
  l->whole = push_new(l->server, IOD_NOTICE_LISTING, (iod_slice_t){0}, 0);
}

static void end(void *context) {
  listing_t *l = context;
  l->whole = l->whole && push_new(l->server, IOD_NOTICE_LISTED, (iod_slice_t){0}, 0);
  if (!l->whole) atomic_store(&l->server->notices.stale, true);
}

void iod_notices_list(iod_server_t *server) {
  listing_t listing = {.server = server};
  iod_pubsub_each(server, &(iod_visitor_t){begin, list_one, end, &listing});
}

int iod_notices_frame(iod_server_t *server, uint8_t tell, iod_slice_t frame, uint64_t id) {
  if (!has_room(&server->notices.strand)) return IOD_E_FULL;
  return push_new(server, tell, frame, id) ? 0 : IOD_E_NOMEM;
}

void iod_notices_unlinked(iod_server_t *server) {
  iod_strand_t *s = &server->notices.strand;
  iod_strand_lock(s);
  s->signals = UNLINKED;
  iod_strand_unlock(s, true);
  iod_crew_wake_one(server);
}

/* ---- its job ---- */

uint8_t iod_notices_take(iod_server_t *server, iod_message_t **message) {
  iod_strand_t *s = &server->notices.strand;
  iod_strand_lock(s);
  *message = iod_strand_shift(s);
  uint8_t tell = *message ? (*message)->tell : s->signals ? IOD_NOTICE_UNLINKED : IOD_NOTICE_NONE;
  if (!*message) s->signals = 0;
  iod_strand_unlock(s, false);
  return tell;
}

void iod_notices_rest(iod_server_t *server) {
  iod_notices_t *n = &server->notices;
  if (!iod_strand_rest(&n->strand) && atomic_load(&n->stale)) iod_notices_list(server);
}
