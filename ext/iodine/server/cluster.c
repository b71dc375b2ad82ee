#include "cluster.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../reactor/loop.h"
#include "notices.h"
#include "server.h"

enum {
  COPIED_MAX = 4096,        /* bytes of a message: longer ones are shared, not copied for each link */
  STALE_LOW = IOD_PACE_LOW, /* bytes that wait for the root: it is told of all names again when there are no more */
};

/* 0: the root. */
static uint32_t sender(const iod_server_t *server) { return server->links.root ? server->index + 1 : 0; }

static void send_to_workers(iod_server_t *server, const iod_link_t *but, const iod_parcel_t *p) {
  for (iod_link_t *next, *l = server->links.workers; l; l = next) {
    next = l->next;
    if (l != but && l->joined) (void)iod_link_send(l, p);
  }
}

/* ---- names ---- */

static void send_name(iod_link_t *l, iod_slice_t name, bool pattern, bool there) {
  char head[IOD_CLUSTER_HEAD];
  iod_cluster_frame_t f = {.type = there ? IOD_CLUSTER_SUBSCRIBE : IOD_CLUSTER_UNSUBSCRIBE,
                           .flags = pattern ? IOD_CLUSTER_PATTERN : 0,
                           .sender = sender(l->server),
                           .channel = name};
  int64_t length = iod_cluster_frame_length(&f);
  if (length < 0) return; /* nobody can publish to it */
  iod_parcel_t p = {.copied = {{head, sizeof head}, name}, .length = (size_t)length};
  iod_cluster_head_write(head, &f);
  if (!iod_link_has_room(l, p.length))
    atomic_store(&l->server->links.stale, true);
  else
    (void)iod_link_send(l, &p);
}

static void send_one(void *context, iod_slice_t name, bool pattern) { send_name(context, name, pattern, true); }

static void send_names(iod_link_t *l) { iod_pubsub_each(l->server, &(iod_visitor_t){.visit = send_one, .context = l}); }

static void send_join(iod_link_t *l) {
  char frame[IOD_CLUSTER_HEAD];
  iod_cluster_frame_t f = {.type = IOD_CLUSTER_JOIN, .sender = sender(l->server)};
  iod_parcel_t p = iod_parcel_of((iod_slice_t){frame, sizeof frame});
  iod_cluster_head_write(frame, &f);
  (void)iod_link_send(l, &p);
}

void iod_cluster_repair(iod_link_t *l) {
  if (!atomic_load(&l->server->links.stale) || l->stream.output.pending > STALE_LOW) return;
  atomic_store(&l->server->links.stale, false);
  send_join(l);
  send_names(l);
}

typedef struct note_command {
  iod_command_t command; /* first */
  bool pattern, there;
  size_t length;
  char name[];
} note_command_t;

static void apply_note(iod_server_t *server, iod_command_t *command) {
  note_command_t *n = (note_command_t *)command;
  iod_link_t *l = server->links.root;
  if (l && !atomic_load(&server->links.stale)) send_name(l, (iod_slice_t){n->name, n->length}, n->pattern, n->there);
  iod_free(n);
}

void iod_cluster_note(iod_server_t *server, iod_slice_t name, bool pattern, bool there) {
  if (!atomic_load(&server->links.noting)) return;
  note_command_t *n = iod_alloc(sizeof *n + name.length);
  if (!n) {
    atomic_store(&server->links.stale, true);
    return;
  }
  *n = (note_command_t){.command.apply = apply_note, .pattern = pattern, .there = there, .length = name.length};
  if (name.length) memcpy(n->name, name.at, name.length);
  iod_commands_push(&server->commands, &n->command);
}

/* ---- publishing ---- */

static uint8_t flags_of(const iod_publication_t *publication, iod_scope_t scope) {
  unsigned flags = publication->text ? 0 : IOD_CLUSTER_BINARY;
  if (scope == IOD_SCOPE_SIBLINGS) flags |= IOD_CLUSTER_SIBLINGS;
  if (scope == IOD_SCOPE_ROOT) flags |= IOD_CLUSTER_ROOT;
  return (uint8_t)flags;
}

void iod_cluster_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope) {
  iod_links_t *links = &server->links;
  char head[IOD_CLUSTER_HEAD];
  iod_cluster_frame_t f = {.type = IOD_CLUSTER_PUBLISH,
                           .flags = flags_of(publication, scope),
                           .sender = sender(server),
                           .channel = iod_publication_channel(publication),
                           .message = iod_payload_slice(publication->message)};
  if (!links->root && (!links->workers || scope == IOD_SCOPE_ROOT)) return;
  iod_cluster_head_write(head, &f);
  iod_parcel_t p = {.copied = {{head, sizeof head}, f.channel},
                    .length = sizeof head + f.channel.length + f.message.length};
  if (f.message.length > COPIED_MAX)
    p.shared = publication->message;
  else
    p.copied[2] = f.message;
  if (links->root)
    (void)iod_link_send(links->root, &p);
  else
    send_to_workers(server, NULL, &p);
}

/* A root whose own blocks are too slow must not hold up the others, nor keep all that they say. */
static bool can_tell_here(iod_server_t *server) {
  iod_links_t *links = &server->links;
  size_t told = atomic_load(&server->pubsub.told);
  if (links->untold == 0 && told <= IOD_STRANDS_MAX) return true;
  if (links->untold == 0)
    iod_log(IOD_LOG_ERROR, "subscriptions of the root process are too slow: they miss messages of the workers");
  if (told > IOD_STRANDS_LOW) {
    links->untold++;
    return false;
  }
  iod_log(IOD_LOG_WARNING, "subscriptions of the root process have missed %llu messages",
          (unsigned long long)links->untold);
  links->untold = 0;
  return true;
}

static void pass_on(iod_link_t *from, const iod_cluster_frame_t *f, iod_slice_t bytes) {
  iod_server_t *server = from->server;
  iod_parcel_t p = iod_parcel_of(bytes);
  if (can_tell_here(server)) iod_pubsub_deliver_bytes(server, f->channel, f->message, !(f->flags & IOD_CLUSTER_BINARY));
  if (f->flags & IOD_CLUSTER_ROOT) return;
  if (bytes.length > COPIED_MAX && (p.shared = iod_payload_new(bytes.length))) {
    memcpy(p.shared->bytes, bytes.at, bytes.length);
    p.copied[0] = (iod_slice_t){0};
  }
  send_to_workers(server, from, &p);
  if (p.shared) iod_payload_unref(p.shared);
}

/* ---- commands and replies ---- */

typedef struct frame_command {
  iod_command_t command; /* first */
  iod_handle_t to;       /* 0: the root */
  uint64_t id;
  size_t length;
  char bytes[];
} frame_command_t;

/* A reply without a word, as the root would send it. */
static void answer_nothing(iod_server_t *server, uint64_t id) {
  char bytes[IOD_CLUSTER_HEAD];
  iod_cluster_frame_t f = {.type = IOD_CLUSTER_REPLY, .id = id};
  iod_cluster_head_write(bytes, &f);
  if (id && iod_notices_frame(server, IOD_NOTICE_REPLY, (iod_slice_t){bytes, sizeof bytes}, 0))
    iod_log(IOD_LOG_ERROR, "a reply was lost: out of memory");
}

/* In the root, what it says to itself. */
static bool take_own(iod_server_t *server, iod_slice_t bytes, uint8_t notice) {
  return !server->links.cut && iod_notices_frame(server, notice, bytes, 0) == 0;
}

static void apply_command(iod_server_t *server, iod_command_t *command) {
  frame_command_t *c = (frame_command_t *)command;
  iod_link_t *root = server->links.root;
  iod_parcel_t p = iod_parcel_of((iod_slice_t){c->bytes, c->length});
  bool taken = root ? iod_link_send(root, &p) : take_own(server, p.copied[0], IOD_NOTICE_COMMAND);
  if (!taken) answer_nothing(server, c->id);
  iod_free(c);
}

static void apply_reply(iod_server_t *server, iod_command_t *command) {
  frame_command_t *c = (frame_command_t *)command;
  iod_stream_t *worker = c->to ? iod_loop_find(&server->loop, c->to) : NULL;
  iod_parcel_t p = iod_parcel_of((iod_slice_t){c->bytes, c->length});
  if (worker)
    (void)iod_link_send((iod_link_t *)(void *)worker, &p);
  else if (!c->to && !take_own(server, p.copied[0], IOD_NOTICE_REPLY))
    answer_nothing(server, c->id);
  iod_free(c);
}

static int send_frame(iod_server_t *server, iod_handle_t to, const iod_cluster_frame_t *f,
                      void (*apply)(iod_server_t *server, iod_command_t *command)) {
  int64_t length = iod_cluster_frame_length(f);
  if (length < 0) return (int)length;
  frame_command_t *c = iod_alloc(sizeof *c + (size_t)length);
  if (!c) return IOD_E_NOMEM;
  *c = (frame_command_t){.command.apply = apply, .to = to, .id = f->id, .length = (size_t)length};
  iod_cluster_frame_write(c->bytes, f);
  iod_server_command(server, &c->command);
  return 0;
}

int iod_cluster_command(iod_server_t *server, uint64_t id, iod_slice_t engine, iod_slice_t payload) {
  iod_cluster_frame_t f = {.type = IOD_CLUSTER_COMMAND,
                           .flags = IOD_CLUSTER_BINARY,
                           .sender = server->index + 1,
                           .id = id,
                           .channel = engine,
                           .message = payload};
  return send_frame(server, 0, &f, apply_command);
}

int iod_cluster_reply(iod_server_t *server, iod_handle_t to, uint64_t id, const iod_slice_t *payload) {
  iod_cluster_frame_t f = {.type = IOD_CLUSTER_REPLY, .flags = IOD_CLUSTER_BINARY, .id = id};
  if (payload) {
    f.flags |= IOD_CLUSTER_ENGINE;
    f.message = *payload;
  }
  return send_frame(server, to, &f, apply_reply);
}

/* Engines that are too slow must not keep all that the workers say. */
static void take_command(iod_link_t *from, const iod_cluster_frame_t *f, iod_slice_t bytes) {
  iod_links_t *links = &from->server->links;
  if (iod_notices_frame(from->server, IOD_NOTICE_COMMAND, bytes, from->stream.handle) == 0) return;
  links->unheard++;
  if ((links->unheard & (links->unheard - 1)) == 0) /* 1, 2, 4, 8 … */
    iod_log(IOD_LOG_ERROR, "engines of the root process are too slow: %llu commands for them are lost",
            (unsigned long long)links->unheard);
  if (f->id && iod_cluster_reply(from->server, from->stream.handle, f->id, NULL))
    iod_log(IOD_LOG_ERROR, "a reply was lost: out of memory");
}

/* ---- what comes ---- */

static void take_name(iod_link_t *from, const iod_cluster_frame_t *f) {
  iod_subscribing_t how = {
      .name = f->channel, .pattern = f->flags & IOD_CLUSTER_PATTERN, .deliver = IOD_DELIVER_ELSEWHERE};
  if (f->type == IOD_CLUSTER_UNSUBSCRIBE)
    (void)iod_pubsub_drop(from->server, &from->subscriber, how.name, how.pattern);
  else if (iod_pubsub_subscribe(from->server, &from->subscriber, &how))
    iod_log(IOD_LOG_ERROR, "engines won't hear of a name of worker %ld: out of memory", (long)from->pid);
}

static void take_join(iod_link_t *from) {
  iod_pubsub_leave(from->server, &from->subscriber);
  from->subscriber.over = false;
  from->joined = true;
  send_join(from);
}

static bool hear_worker(iod_link_t *l, const iod_cluster_frame_t *f, iod_slice_t bytes) {
  switch (f->type) {
  case IOD_CLUSTER_PUBLISH: pass_on(l, f, bytes); return true;
  case IOD_CLUSTER_SUBSCRIBE:
  case IOD_CLUSTER_UNSUBSCRIBE: take_name(l, f); return true;
  case IOD_CLUSTER_COMMAND: take_command(l, f, bytes); return true;
  case IOD_CLUSTER_JOIN: take_join(l); return true;
  }
  return false;
}

/* What this process can't keep up with waits in the root, which doesn't put up with that for ever. */
static bool hear_root(iod_link_t *l, const iod_cluster_frame_t *f, iod_slice_t bytes) {
  switch (f->type) {
  case IOD_CLUSTER_PUBLISH:
    iod_pubsub_deliver_bytes(l->server, f->channel, f->message, !(f->flags & IOD_CLUSTER_BINARY));
    iod_link_wait_for_strands(l);
    return true;
  case IOD_CLUSTER_REPLY:
    if (iod_notices_frame(l->server, IOD_NOTICE_REPLY, bytes, 0)) answer_nothing(l->server, f->id);
    return true;
  case IOD_CLUSTER_JOIN: return true; /* it has heard this worker's */
  }
  return false;
}

bool iod_cluster_hear(iod_link_t *l, const iod_cluster_frame_t *f, iod_slice_t bytes) {
  return l->pid ? hear_worker(l, f, bytes) : hear_root(l, f, bytes);
}

/* ---- links that come and go ---- */

static int link_worker(iod_server_t *server, const iod_cluster_worker_t *worker) {
  iod_link_t *l;
  int result = iod_link_open(server, worker->fd, worker->pid, &l);
  if (result == 0) l->joined = worker->joined;
  return result;
}

int iod_cluster_link_workers(iod_server_t *server, const iod_cluster_worker_t *workers, size_t count) {
  int result = 0;
  iod_server_lock(server);
  for (size_t i = 0; i < count; i++) {
    int linked = link_worker(server, &workers[i]);
    if (linked) result = linked;
  }
  iod_server_unlock(server);
  return result;
}

int iod_cluster_link_root(iod_server_t *server, int fd) {
  iod_link_t *l;
  iod_server_lock(server);
  int result = iod_link_open(server, fd, 0, &l);
  if (result == 0) {
    atomic_store(&server->links.noting, true);
    send_names(l);
  }
  iod_server_unlock(server);
  return result;
}

void iod_cluster_left(iod_link_t *l) {
  iod_links_t *links = &l->server->links;
  if (l->pid) {
    iod_pubsub_leave(l->server, &l->subscriber);
    return;
  }
  atomic_store(&links->noting, false);
  if (links->root != l) return; /* its server closes */
  links->root = NULL;
  links->cut = true;
  iod_notices_unlinked(l->server);
}
