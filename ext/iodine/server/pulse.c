#include "pulse.h"

#include "../base/clock.h"
#include "client.h"
#include "http.h"
#include "line.h"
#include "server.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum { LISTED_AFTER = 1000 /* ms of standing still */ };

iod_pulse_t *iod_pulses_new(uint32_t count) {
  void *pulses = mmap(NULL, count * sizeof(iod_pulse_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return pulses == MAP_FAILED ? NULL : pulses;
}

void iod_pulses_free(iod_pulse_t *pulses, uint32_t count) {
  if (pulses) munmap(pulses, count * sizeof(iod_pulse_t));
}

void iod_pulse_reset(iod_pulse_t *p, uint64_t beat) {
  atomic_store(&p->listed, 0);
  atomic_store(&p->stuck_since, 0);
  atomic_store(&p->sent, 0);
  atomic_store(&p->answered, 0);
  atomic_store(&p->dumps, 0);
  atomic_store(&p->beat, beat);
}

/* ---- requests that wait for their answer ---- */

typedef struct oldest {
  const iod_http_t *found[IOD_PULSE_REQUESTS]; /* the oldest first */
  uint32_t count;
} oldest_t;

static void look_at(iod_stream_t *s, void *context) {
  oldest_t *o = context;
  if (iod_line_is(s) || iod_link_is(s) || iod_client_is(s) || !iod_http_answering(s)) return;
  const iod_http_t *http = (const iod_http_t *)(const void *)s;
  uint32_t at = o->count < IOD_PULSE_REQUESTS ? o->count++ : IOD_PULSE_REQUESTS;
  for (; at > 0 && o->found[at - 1]->begun_us > http->begun_us; at--)
    if (at < IOD_PULSE_REQUESTS) o->found[at] = o->found[at - 1];
  if (at < IOD_PULSE_REQUESTS) o->found[at] = http;
}

static void note(iod_pulse_request_t *note, const iod_http_t *http) {
  const iod_request_t *r = http->request;
  iod_slice_t method = iod_request_slice(r, r->head.method), path = iod_request_slice(r, r->head.path);
  note->since = http->begun_us / 1000;
  snprintf(note->line, sizeof note->line, "%.*s %.*s", (int)method.length, method.at, (int)path.length, path.at);
}

static void list_requests(iod_server_t *server) {
  iod_pulse_t *p = server->pulse;
  oldest_t oldest = {.count = 0};
  iod_server_lock(server);
  iod_loop_each(&server->loop, look_at, &oldest);
  for (uint32_t i = 0; i < oldest.count; i++) note(&p->requests[i], oldest.found[i]);
  iod_server_unlock(server);
  atomic_store(&p->listed, oldest.count);
}

uint32_t iod_pulse_requests(iod_pulse_t *p, iod_pulse_request_t requests[IOD_PULSE_REQUESTS]) {
  uint32_t count = atomic_load(&p->listed);
  if (count > IOD_PULSE_REQUESTS) count = IOD_PULSE_REQUESTS;
  for (uint32_t i = 0; i < count; i++) {
    requests[i] = p->requests[i];
    requests[i].line[IOD_PULSE_LINE - 1] = 0;
  }
  return atomic_load(&p->listed) ? count : 0; /* it goes on meanwhile */
}

/* ---- the look ---- */

void iod_pulse_look(iod_server_t *server) {
  iod_pulse_t *p = server->pulse;
  uint64_t now = iod_clock_ms(), since = atomic_load_explicit(&p->stuck_since, memory_order_relaxed);
  uint64_t done = atomic_load(&server->jobs.taken) + atomic_load_explicit(&p->sent, memory_order_relaxed);
  bool stands = atomic_load(&server->jobs.waiting) > 0 && done == server->crew.done_before;
  atomic_store_explicit(&p->beat, now, memory_order_relaxed);
  server->crew.done_before = done;
  if (!stands) {
    if (since) atomic_store(&p->listed, 0), atomic_store(&p->stuck_since, 0);
  } else if (!since) {
    atomic_store(&p->stuck_since, now);
  } else if (now - since >= LISTED_AFTER && atomic_load(&p->listed) == 0) {
    list_requests(server);
  }
}
