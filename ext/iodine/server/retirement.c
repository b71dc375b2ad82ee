#include "retirement.h"

#include "../base/clock.h"
#include "client.h"
#include "http.h"
#include "line.h"
#include "server.h"

#include <unistd.h>

enum {
  STEP_MS = 50,         /* between two looks at who is to be closed */
  RETRY_FIRST_MS = 500, /* when a client of an event stream comes again … */
  RETRY_SPREAD_MS = 2500,
};

static uint64_t draw(const iod_retirement_t *r, const iod_stream_t *s) {
  return iod_hash(&r->seed, (iod_slice_t){(const char *)&s->handle, sizeof s->handle});
}

/* Which it is doesn't change from look to look. */
static void leave_if_due(iod_stream_t *s, void *context) {
  iod_server_t *server = context;
  const iod_retirement_t *r = &server->retirement;
  if (!iod_line_is(s)) return;
  uint64_t number = draw(r, s);
  if (r->begun + (number >> 32) % r->spread <= server->loop.now)
    iod_line_leave(iod_line_of(s), (uint32_t)(RETRY_FIRST_MS + number % RETRY_SPREAD_MS));
}

void iod_retirement_timeout(iod_server_t *server) {
  iod_loop_t *loop = &server->loop;
  iod_loop_each(loop, leave_if_due, server);
  /* Without memory for a timer all are closed by the end. */
  (void)!iod_timers_set(&loop->timers, &server->retirement.timer, loop->now + STEP_MS);
}

/* What is answered from now on says that the connection closes. */
static void announce(iod_stream_t *s, void *unused) {
  (void)unused;
  if (!iod_line_is(s) && !iod_link_is(s) && !iod_client_is(s)) iod_http_announce_close(s);
}

void iod_server_retire(iod_server_t *server, uint64_t ms) {
  iod_retirement_t *r = &server->retirement;
  iod_server_lock(server);
  *r = (iod_retirement_t){.on = true, .begun = server->loop.now, .spread = ms ? ms : 1};
  r->timer.kind = IOD_TIMER_OTHER;
  if (getentropy(&r->seed, sizeof r->seed)) r->seed = (iod_seed_t){{iod_clock_us(), (uint64_t)getpid()}};
  iod_server_close_door(server);
  iod_loop_each(&server->loop, announce, NULL);
  iod_retirement_timeout(server);
  iod_server_unlock(server);
}

void iod_retirement_end(iod_server_t *server) {
  server->retirement.on = false;
  iod_timers_remove(&server->loop.timers, &server->retirement.timer);
}
