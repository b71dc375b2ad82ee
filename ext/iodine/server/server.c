#include "server.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "client.h"
#include "http.h"
#include "limits.h"
#include "line.h"
#include "overload.h"
#include "relay.h"
#include "user_timer.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { FLUSHED_AT_ONCE = 64 /* streams: our caller may hold the GVL */ };

/* ---- life ---- */

iod_server_t *iod_server_new(uint32_t workers, void (*released)(iod_release_job_t *)) {
  iod_server_t *server = iod_alloc_zero(sizeof *server);
  if (!server) return NULL;
  server->released = released;
  server->references = 1;
  server->shared = iod_shared_new(workers ? workers : 1);
  server->pulse = server->pulses = iod_pulses_new(workers ? workers : 1);
  server->cluster = &server->shared;
  server->stats = &server->unseen;
  server->sink.fd = STDERR_FILENO;
  if (server->shared.slots && server->pulses) return server;
  iod_pulses_free(server->pulses, workers ? workers : 1);
  iod_shared_free(&server->shared);
  iod_free(server);
  return NULL;
}

/* Who leads it counts in its mapping, and may outlive it. */
static void unref(iod_server_t *server) {
  if (--server->references > 0) return;
  iod_pulses_free(server->pulses, server->shared.count);
  iod_shared_free(&server->shared);
  iod_free(server);
}

void iod_server_free(iod_server_t *server) {
  if (server->inherited) return; /* its locks and lists were copied in the middle of who knows what */
  if (server->open) iod_server_close(server);
  for (uint32_t i = 0; i < server->listener_count; i++) {
    iod_listener_close(server->listeners[i]);
    iod_tls_unref(server->listeners[i]->settings.tls);
    iod_public_free(server->listeners[i]->settings.public);
    iod_inside_free(server->listeners[i]->settings.inside);
    iod_free(server->listeners[i]->settings.proxies);
    iod_free((void *)(uintptr_t)server->listeners[i]->settings.policy.origins);
    iod_free(server->listeners[i]);
  }
  server->listener_count = 0;
  iod_addresses_deinit(&server->addresses);
  if (server->led) unref(server->led);
  unref(server);
}

/* ---- forks ---- */

static iod_server_t *_Atomic open_servers[IOD_SERVERS_OPEN];

static int remember(iod_server_t *server) {
  for (int i = 0; i < IOD_SERVERS_OPEN; i++) {
    iod_server_t *none = NULL;
    if (atomic_compare_exchange_strong(&open_servers[i], &none, server)) return 0;
  }
  errno = EMFILE;
  return IOD_E_SYSTEM;
}

static void forget(iod_server_t *server) {
  for (int i = 0; i < IOD_SERVERS_OPEN; i++) {
    iod_server_t *it = server;
    if (atomic_compare_exchange_strong(&open_servers[i], &it, NULL)) return;
  }
}

static void stripes_init(iod_server_t *server) {
  for (int i = 0; i < IOD_STRIPES; i++) pthread_mutex_init(&server->stripes[i], NULL);
}

/* What it does from now on is counted there. */
static void count_in(iod_server_t *server, iod_stats_t *stats) {
  server->stats = stats;
  server->jobs.stats = stats;
  server->loop.traffic = &stats->counters.traffic;
  for (uint32_t i = 0; i < server->listener_count; i++) iod_listener_count(server->listeners[i]);
}

/* Only what is safe between fork and exec: the lists may have been copied in the middle of a change. */
static void abandon(iod_server_t *server) {
  server->inherited = true;
  server->open = false;
  count_in(server, &server->unseen);
  server->crew.slot = &server->crew.own_slot;
  atomic_store(&server->crew.halted, true);
  pthread_mutex_init(&server->loop.state, NULL); /* whoever held them isn't in this process */
  pthread_mutex_init(&server->jobs.lock, NULL);
  pthread_mutex_init(&server->commands.lock, NULL);
  pthread_mutex_init(&server->pubsub.lock, NULL);
  stripes_init(server);
  pthread_mutex_init(&server->crew.lock, NULL);
  pthread_mutex_init(&server->drain_lock, NULL);
  for (uint32_t i = 0; i < server->listener_count; i++) {
    if (server->listeners[i]->fd >= 0) close(server->listeners[i]->fd);
    server->listeners[i]->fd = -1;
  }
  iod_links_abandon(&server->links);
  iod_poller_deinit(&server->loop.poller);
  iod_wake_deinit(&server->loop.wake);
}

static void after_fork_in_child(void) {
  iod_spool_file_forked();
  iod_request_serial_forked();
  for (int i = 0; i < IOD_SERVERS_OPEN; i++) {
    iod_server_t *server = atomic_exchange(&open_servers[i], NULL);
    if (server) abandon(server);
  }
}

void iod_server_watch_forks(void) {
  (void)pthread_atfork(iod_spool_file_forks, iod_spool_file_forks, after_fork_in_child);
}

/* ---- opening ---- */

static void on_timer(void *context, iod_timer_t *timer) {
  iod_server_t *server = context;
  if (timer == &server->public_state.cache.timer) {
    iod_public_state_timeout(&server->public_state, &server->loop.timers, server->loop.now);
    return;
  }
  if (timer->kind == IOD_TIMER_PATIENCE) {
    iod_overload_timeout(timer);
    return;
  }
  if (timer == &server->retirement.timer) {
    iod_retirement_timeout(server);
    return;
  }
  for (uint32_t i = 0; i < server->listener_count; i++) {
    if (timer != &server->listeners[i]->timer) continue;
    iod_listener_timeout(server->listeners[i]);
    return;
  }
  iod_user_timer_fire(server, timer);
}

static void release(void *context, void *token) {
  iod_server_t *server = context;
  iod_release_job_t *release = token;
  release->job.kind = IOD_JOB_RELEASE;
  iod_jobs_push(&server->jobs, &release->job, false);
}

void iod_server_lead(iod_server_t *server, iod_server_t *workers) {
  server->led = workers;
  workers->references++;
  server->cluster = &workers->shared;
}

/* The root of a cluster serves nothing, and has a place of its own. */
static iod_stats_t *stats_of(const iod_server_t *server) {
  bool root = server->cluster != &server->shared;
  return root ? iod_shared_root(server->cluster) : &server->shared.stats[server->index];
}

void iod_server_vacate(iod_server_t *server, uint32_t index) {
  if (index >= server->shared.count) return;
  iod_shared_leave(&server->shared, index);
  iod_stats_leave(&server->shared.stats[index]);
  iod_pulse_reset(&server->pulses[index], 0);
  iod_addresses_clear(&server->addresses, index);
}

int iod_server_open(iod_server_t *server, uint32_t index) {
  int result = remember(server);
  if (result) return result;
  result = iod_loop_init(&server->loop, sizeof(iod_http_t));
  if (result) {
    forget(server);
    return result;
  }
  server->loop.on_timer = on_timer;
  server->loop.context = server;
  server->loop.releaser = (iod_releaser_t){.release = release, .context = server};
  server->index = index < server->shared.count ? index : 0;
  server->pulse = &server->pulses[server->index];
  server->capacity = iod_limits_capacity();
  iod_jobs_init(&server->jobs);
  iod_commands_init(&server->commands);
  iod_pubsub_init(&server->pubsub);
  stripes_init(server);
  iod_notices_init(&server->notices, server);
  server->links = (iod_links_t){0};
  iod_access_log_init(&server->log, server->sink, &stats_of(server)->counters.lost_lines);
  iod_public_state_init(&server->public_state);
  iod_pool_init(&server->parsers, sizeof(iod_http1_parser_t), IOD_PARSERS_KEPT);
  pthread_mutex_init(&server->drain_lock, NULL);
  pthread_cond_init(&server->drained, NULL);
  server->draining = false;
  server->retirement = (iod_retirement_t){0};
  server->refusals = 0;
  server->open = true;
  count_in(server, stats_of(server));
  for (uint32_t i = 0; i < server->listener_count; i++) iod_listener_arm(server->listeners[i]);
  iod_server_vacate(server, server->index);
  iod_shared_enter(&server->shared, server->index);
  if (server->cluster != &server->shared) iod_stats_enter(server->stats);
  iod_pulse_reset(server->pulse, iod_clock_ms());
  result = iod_crew_start(server);
  if (result) iod_server_close(server);
  return result;
}

/* Threads that wait for their client, outside the crew: it is gone now, and before the locks go they have to leave. */
static void dismiss_waiters(iod_server_t *server) {
  while (atomic_load(&server->drain_waiters) > 0) sched_yield();
  pthread_mutex_lock(&server->drain_lock); /* the last of them holds it still */
  pthread_mutex_unlock(&server->drain_lock);
}

static void close_listeners(iod_server_t *server) {
  for (uint32_t i = 0; i < server->listener_count; i++) iod_listener_close(server->listeners[i]);
}

void iod_server_close(iod_server_t *server) {
  if (!server->open) {
    close_listeners(server);
    return;
  }
  iod_shared_leave(&server->shared, server->index);
  iod_crew_stop(server);
  iod_server_lock(server);
  close_listeners(server);
  iod_user_timers_free(server);
  iod_public_state_deinit(&server->public_state, &server->loop.timers);
  iod_retirement_end(server);
  iod_links_close(server);
  iod_server_unlock(server);
  iod_loop_deinit(&server->loop);
  iod_access_log_deinit(&server->log);
  iod_jobs_deinit(&server->jobs, server->released);
  iod_commands_deinit(&server->commands);
  iod_notices_deinit(&server->notices);
  iod_pubsub_deinit(&server->pubsub);
  for (int i = 0; i < IOD_STRIPES; i++) pthread_mutex_destroy(&server->stripes[i]);
  iod_deflaters_deinit(&server->deflaters);
  iod_inflaters_deinit(&server->inflaters);
  iod_pool_deinit(&server->parsers);
  dismiss_waiters(server);
  iod_stats_leave(server->stats);
  count_in(server, &server->unseen);
  pthread_cond_destroy(&server->drained);
  pthread_mutex_destroy(&server->drain_lock);
  forget(server);
  server->open = false;
}

/* ---- the state lock ---- */

static void locked(iod_server_t *server) {
  iod_loop_clock(&server->loop);
  iod_commands_apply(&server->commands, server);
}

void iod_server_lock(iod_server_t *server) {
  iod_loop_lock(&server->loop);
  locked(server);
}

bool iod_server_trylock(iod_server_t *server) {
  if (!iod_loop_trylock(&server->loop)) return false;
  locked(server);
  return true;
}

void iod_server_unlock(iod_server_t *server) {
  do {
    iod_commands_apply(&server->commands, server);
    iod_loop_unlock(&server->loop);
    /* Who found the lock held left a command and relies on us. */
  } while (atomic_load(&server->commands.waiting) > 0 && iod_loop_trylock(&server->loop));
  iod_crew_offer(server);
}

void iod_server_command(iod_server_t *server, iod_command_t *command) {
  if (server->inherited) {
    iod_free(command);
    return;
  }
  iod_commands_push(&server->commands, command);
  iod_server_kick(server);
}

void iod_server_kick(iod_server_t *server) {
  if (iod_server_trylock(server)) iod_server_unlock(server);
}

void iod_server_left(iod_server_t *server) {
  if (server->shared.slots)
    atomic_store(&server->shared.slots[server->index].connections, iod_server_open_connections(server));
  for (uint32_t i = 0; i < server->listener_count; i++) iod_listener_resume(server->listeners[i]);
}

void iod_server_flush(iod_server_t *server) {
  if (server->inherited || !atomic_load(&server->loop.corked_since)) return;
  if (!iod_server_trylock(server)) return; /* the stand-in sees to it */
  bool all = iod_loop_uncork(&server->loop, FLUSHED_AT_ONCE);
  iod_server_unlock(server);
  if (!all) iod_loop_interrupt(&server->loop); /* the driver goes on with it */
}

/* ---- answers ---- */

typedef struct send_command {
  iod_command_t command; /* first */
  iod_request_t *request;
  iod_send_t send;
  size_t count;
  iod_segment_t segments[];
} send_command_t;

static void apply_send(iod_server_t *server, iod_command_t *command) {
  send_command_t *c = (send_command_t *)command;
  int result = iod_http_send(server, c->request, &c->send, c->segments, c->count);
  (void)result; /* the request says that its client is gone */
  iod_request_unref(c->request);
  iod_free(c);
}

/* A copy that outlives the caller's bytes. */
static send_command_t *command_new(iod_request_t *request, const iod_send_t *send, const iod_segment_t *segments,
                                   size_t count) {
  size_t room = 0;
  for (size_t i = 0; i < count; i++)
    if (segments[i].kind == IOD_SEGMENT_BYTES) room += segments[i].length;
  send_command_t *c = iod_alloc(sizeof *c + count * sizeof *segments + room);
  if (!c) return NULL;
  *c = (send_command_t){.command.apply = apply_send, .request = request, .send = *send, .count = count};
  char *copy = (char *)(c->segments + count);
  for (size_t i = 0; i < count; i++) {
    c->segments[i] = segments[i];
    if (segments[i].kind != IOD_SEGMENT_BYTES) continue;
    memcpy(copy, segments[i].bytes, segments[i].length);
    c->segments[i].bytes = copy;
    copy += segments[i].length;
  }
  atomic_fetch_add(&request->references, 1);
  return c;
}

int iod_request_send(iod_server_t *server, iod_request_t *request, const iod_send_t *send,
                     const iod_segment_t *segments, size_t count) {
  if (server->inherited) return IOD_E_CLOSED; /* what it borrows is the parent's too */
  if (!iod_server_trylock(server)) {
    send_command_t *command = command_new(request, send, segments, count);
    if (command) {
      atomic_fetch_add(&request->pending, send->body_bytes); /* so that a writer waits; exact once it is applied */
      iod_server_command(server, &command->command);
      return atomic_load(&request->gone) == IOD_GONE ? IOD_E_CLOSED : 0;
    }
    iod_server_lock(server); /* without memory for a command there is no way but to wait */
  }
  int result = iod_http_send(server, request, send, segments, count);
  iod_server_unlock(server);
  return result;
}

int iod_request_wait_drained(iod_server_t *server, iod_request_t *request, size_t low, const _Atomic bool *cancelled) {
  pthread_mutex_lock(&server->drain_lock);
  atomic_fetch_add(&server->drain_waiters, 1);
  while (atomic_load(&request->gone) != IOD_GONE && atomic_load(&request->pending) > low && !atomic_load(cancelled))
    pthread_cond_wait(&server->drained, &server->drain_lock);
  atomic_fetch_sub(&server->drain_waiters, 1);
  pthread_mutex_unlock(&server->drain_lock);
  return atomic_load(&request->gone) == IOD_GONE ? IOD_E_CLOSED : 0;
}

void iod_server_wake_waiters(iod_server_t *server) {
  pthread_mutex_lock(&server->drain_lock);
  pthread_cond_broadcast(&server->drained);
  pthread_mutex_unlock(&server->drain_lock);
}

int iod_request_hijack(iod_server_t *server, iod_request_t *request, char **early, size_t *early_length) {
  static const _Atomic bool never = false;
  if (server->inherited) return IOD_E_CLOSED;
  for (;;) {
    iod_server_lock(server);
    iod_http_t *http = iod_http_of(server, request);
    if (!http) break;
    iod_http_uncork(http);
    if (!iod_stream_open(&http->stream)) break;
    size_t pending = http->stream.output.pending;
    if (pending == 0) {
      if (http->stream.transport) {
        *early = NULL;
        *early_length = 0;
        int end = iod_relay_open(&http->stream);
        iod_server_unlock(server);
        return end;
      }
      *early_length = iod_buffer_length(&http->stream.input);
      *early = iod_alloc(*early_length);
      if (!*early && *early_length) {
        iod_server_unlock(server);
        return IOD_E_NOMEM;
      }
      if (*early_length) memcpy(*early, iod_buffer_head(&http->stream.input), *early_length);
      int fd = iod_stream_detach(&http->stream);
      iod_server_unlock(server);
      return fd;
    }
    atomic_store(&request->pending, pending);
    iod_server_unlock(server);
    if (iod_request_wait_drained(server, request, 0, &never)) return IOD_E_CLOSED;
  }
  iod_server_unlock(server);
  return IOD_E_CLOSED;
}

int iod_server_call(iod_server_t *server) {
  iod_job_t *job = iod_alloc_zero(sizeof *job);
  if (!job) return IOD_E_NOMEM;
  job->kind = IOD_JOB_CALL;
  iod_jobs_push(&server->jobs, job, false);
  iod_crew_wake_one(server);
  return 0;
}

/* ---- the end ---- */

static void drain_stream(iod_stream_t *stream, void *server) {
  if (iod_line_is(stream))
    iod_line_drain(iod_line_of(stream));
  else if (iod_client_is(stream))
    iod_stream_close(stream);
  else if (!iod_link_is(stream))
    iod_http_drain(stream, server);
}

void iod_server_close_door(iod_server_t *server) {
  server->draining = true;
  iod_shared_leave(&server->shared, server->index); /* nothing is left to it */
  for (uint32_t i = 0; i < server->listener_count; i++)
    if (!server->listeners[i]->settings.inside) iod_listener_drain(server->listeners[i]); /* it tells of the drain */
}

void iod_server_drain(iod_server_t *server) {
  iod_server_lock(server);
  iod_server_close_door(server);
  iod_retirement_end(server);
  iod_links_catch_up(server); /* who is about to close gets what was published before */
  iod_loop_each(&server->loop, drain_stream, server);
  iod_server_unlock(server);
}

static void hang_up(iod_stream_t *stream, void *unused) {
  (void)unused;
  if (iod_line_is(stream) || iod_client_is(stream)) iod_stream_close(stream);
}

uint32_t iod_server_hang_up(iod_server_t *server) {
  iod_server_lock(server);
  iod_loop_each(&server->loop, hang_up, NULL);
  iod_server_unlock(server);
  return atomic_load(&server->untold);
}

static void count_busy(iod_stream_t *stream, void *count) {
  if (iod_line_is(stream) || iod_link_is(stream) || iod_client_is(stream)) return;
  *(uint32_t *)count += iod_http_busy(stream);
}

uint32_t iod_server_busy(iod_server_t *server) {
  uint32_t busy = 0;
  iod_server_lock(server);
  iod_loop_each(&server->loop, count_busy, &busy);
  if (server->draining) busy += atomic_load(&server->untold);
  iod_server_unlock(server);
  return busy;
}

uint32_t iod_server_open_connections(const iod_server_t *server) {
  return server->loop.stream_count - server->links.count;
}

uint32_t iod_server_connections(iod_server_t *server) {
  iod_server_lock(server);
  uint32_t count = iod_server_open_connections(server);
  iod_server_unlock(server);
  return count;
}
