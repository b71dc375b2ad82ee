#include "listener.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "http.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
  BATCH = 64,         /* accepts before other connections get their turn */
  DEFER_MS = 2,       /* another worker gets this long to take what waits … */
  DEFERRED_MOST = 25, /* … and so many times as long if it has an idle thread, and this one none */
  EXHAUSTED_MS = 100, /* no descriptors: look again after this long, or when a connection closes */
  UNEVEN = 4,         /* connections more than another worker has */
};

/* One that has no socket yet. */
static int new_listener(iod_server_t *server, const iod_settings_t *settings, void *tag, iod_listener_t **listener,
                        char sentence[IOD_SENTENCE_ROOM]) {
  if (server->listener_count == IOD_LISTENERS) {
    snprintf(sentence, IOD_SENTENCE_ROOM, "too many listeners: at most %d", IOD_LISTENERS);
    return IOD_E_FULL;
  }
  iod_listener_t *l = iod_alloc_zero(sizeof *l);
  if (!l || (settings->max_per_address && iod_addresses_init(&server->addresses, server->shared.count))) {
    iod_free(l);
    snprintf(sentence, IOD_SENTENCE_ROOM, "out of memory");
    return IOD_E_NOMEM;
  }
  *l = (iod_listener_t){.server = server, .source = -1, .fd = -1, .settings = *settings, .tag = tag};
  l->timer.kind = IOD_TIMER_OTHER;
  l->settings.websocket.from_client = true;
  l->settings.websocket.inflaters = &server->inflaters;
  *listener = l;
  return 0;
}

static void keep(iod_server_t *server, iod_listener_t *l) {
  iod_tls_ref(l->settings.tls);
  iod_listener_count(l);
  server->listeners[server->listener_count++] = l;
}

int iod_listener_add(iod_server_t *server, bool tcp, const char *address, uint16_t port, const iod_settings_t *settings,
                     void *tag, iod_listener_t **listener, char sentence[IOD_SENTENCE_ROOM]) {
  iod_listener_t *l;
  int result = new_listener(server, settings, tag, &l, sentence);
  if (result) return result;
  l->tcp = tcp;
  if (tcp) {
    l->fd = iod_socket_listen_tcp(address, port, settings->backlog, l->name, sentence);
  } else {
    snprintf(l->name, sizeof l->name, "%s", address);
    l->fd = iod_socket_listen_unix(address, settings->mode, settings->backlog, sentence);
  }
  if (l->fd < 0) {
    iod_free(l);
    return IOD_E_SYSTEM;
  }
  if (tcp && !settings->raw) iod_socket_await_data(l->fd, true);
  keep(server, *listener = l);
  return 0;
}

int iod_listener_take(iod_server_t *server, int fd, const iod_settings_t *settings, void *tag,
                      iod_listener_t **listener, char sentence[IOD_SENTENCE_ROOM]) {
  iod_listener_t *l;
  int result = new_listener(server, settings, tag, &l, sentence);
  if (result) return result;
  result = iod_socket_take_listener(fd, settings->backlog, &l->tcp, l->name, sentence);
  if (result) {
    iod_free(l);
    return result;
  }
  l->fd = fd;
  if (l->tcp) iod_socket_await_data(fd, !settings->raw); /* it may have served something else before */
  keep(server, *listener = l);
  return 0;
}

static int descriptor(const iod_server_t *server, const char *name) {
  for (uint32_t i = 0; i < server->listener_count; i++)
    if (server->listeners[i]->fd >= 0 && strcmp(server->listeners[i]->name, name) == 0) return server->listeners[i]->fd;
  return IOD_E_CLOSED;
}

int iod_listener_descriptor(iod_server_t *server, const char *name) {
  if (server->inherited) return IOD_E_CLOSED;
  if (!server->open) return descriptor(server, name);
  iod_server_lock(server);
  int fd = descriptor(server, name);
  iod_server_unlock(server);
  return fd;
}

static int set_tls(iod_server_t *server, const char *name, iod_tls_t *tls) {
  int result = IOD_E_CLOSED;
  for (uint32_t i = 0; i < server->listener_count; i++) {
    iod_settings_t *settings = &server->listeners[i]->settings;
    if (!settings->tls || strcmp(server->listeners[i]->name, name) != 0) continue;
    iod_tls_unref(settings->tls);
    settings->tls = iod_tls_ref(tls);
    result = 0;
  }
  return result;
}

int iod_listener_set_tls(iod_server_t *server, const char *name, iod_tls_t *tls) {
  if (!tls || server->inherited) return IOD_E_CLOSED;
  if (!server->open) return set_tls(server, name, tls);
  iod_server_lock(server);
  int result = set_tls(server, name, tls);
  iod_server_unlock(server);
  return result;
}

static void pause_for(iod_listener_t *l, uint64_t ms) {
  iod_loop_t *loop = &l->server->loop;
  if (iod_timers_set(&loop->timers, &l->timer, loop->now + ms)) return; /* stays armed: the poller tells again */
  iod_loop_source_arm(loop, l->source, false);
}

/* Workers share the load: who has no idle thread lets another one take what waits, and else who has more connections
 * the one that has fewer. All were told of it, so nothing is lost if that one can't: after DEFER_MS a few are taken
 * here, and so on. */
static bool leave_to_others(const iod_server_t *server) {
  bool idle;
  uint32_t least = iod_shared_least(&server->shared, server->index, &idle);
  if (least == UINT32_MAX) return false;
  if (iod_slot_saturated(server->crew.slot)) return true;
  return idle && iod_server_open_connections(server) > least + UNEVEN + least / 8;
}

static void accept_one(iod_listener_t *l, int fd, const iod_peer_t *peer) {
  iod_server_t *server = l->server;
  iod_count_one(&l->stats->counters.accepted);
  if (l->settings.proxy_protocol && !iod_proxies_trust(l, peer)) {
    iod_log(IOD_LOG_DEBUG, "closed a connection of %s to %s: it is no trusted proxy", peer->ip, l->name);
    close(fd);
    return;
  }
  uint32_t most = l->settings.max_clients ? l->settings.max_clients : server->capacity;
  bool refused = iod_server_open_connections(server) - server->refusals >= most;
  if (refused && server->refusals >= IOD_REFUSALS) {
    iod_count_one(&l->stats->counters.refused);
    close(fd);
  } else {
    iod_http_open(l, fd, peer, refused);
  }
}

/* Accepts up to `most`, the first `regardless` of them without a look at the other workers. */
static void take(iod_listener_t *l, int most, int regardless) {
  for (int i = 0; i < most && l->fd >= 0; i++) {
    if (i >= regardless && leave_to_others(l->server)) {
      pause_for(l, DEFER_MS);
      return;
    }
    iod_peer_t peer;
    int fd = iod_socket_accept(l->fd, l->tcp, &peer);
    if (fd >= 0) {
      accept_one(l, fd, &peer);
      continue;
    }
    if ((errno == EMFILE || errno == ENFILE) && iod_file_cache_give_way(&l->server->public_state.cache)) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      iod_log(IOD_LOG_DEBUG, "can't accept on %s for now: %s", l->name, strerror(errno));
      pause_for(l, EXHAUSTED_MS);
    }
    if (errno != ECONNABORTED && errno != EINTR) return;
  }
}

static void on_ready(void *context) {
  iod_listener_t *l = context;
  if (l->server->loop.now > l->looked + DEFER_MS) l->deferred = 0; /* it didn't wait all the time */
  take(l, BATCH, 0);
}

void iod_listener_count(iod_listener_t *l) { l->stats = l->settings.inside ? &l->server->unseen : l->server->stats; }

void iod_listener_arm(iod_listener_t *l) {
  iod_loop_t *loop = &l->server->loop;
  l->source = iod_loop_source_add(loop, l->fd, on_ready, l);
  if (l->source >= 0) iod_loop_source_arm(loop, l->source, true);
}

void iod_listener_timeout(iod_listener_t *l) {
  const iod_server_t *server = l->server;
  bool idle, saturated = iod_slot_saturated(server->crew.slot);
  if (l->fd < 0) return;
  iod_loop_source_arm(&l->server->loop, l->source, true);
  l->looked = server->loop.now;
  (void)iod_shared_least(&server->shared, server->index, &idle);
  /* Here it would wait for a job's end, there for a process to be scheduled. */
  if (saturated && idle && l->deferred++ < DEFERRED_MOST) return; /* the poller tells at once if it still waits */
  l->deferred = 0;
  take(l, BATCH, saturated && !idle ? BATCH : UNEVEN);
}

void iod_listener_resume(iod_listener_t *l) {
  if (l->source < 0 || !l->timer.due) return;
  iod_timers_unset(&l->timer);
  iod_listener_timeout(l);
}

/* What waits was sent by clients that count on an answer; after close() they would get a reset. */
void iod_listener_drain(iod_listener_t *l) {
  if (l->source >= 0) take(l, l->settings.backlog, l->settings.backlog);
  iod_listener_close(l);
}

void iod_listener_close(iod_listener_t *l) {
  if (l->fd < 0) return;
  if (l->source >= 0) {
    iod_loop_source_arm(&l->server->loop, l->source, false);
    l->server->loop.sources[l->source].fd = -1;
    iod_timers_remove(&l->server->loop.timers, &l->timer);
  }
  close(l->fd);
  l->fd = l->source = -1;
}
