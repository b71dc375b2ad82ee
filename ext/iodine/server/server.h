/* A server: listeners, and once opened a running reactor with the two queues. One for each process that serves. What
 * the application's threads call is in handler.h and crew.h. */
#ifndef IOD_SERVER_SERVER_H
#define IOD_SERVER_SERVER_H

#include "../base/alloc.h"
#include "../reactor/loop.h"
#include "access_log.h"
#include "addresses.h"
#include "commands.h"
#include "connection.h"
#include "crew.h"
#include "handler.h"
#include "inside.h"
#include "jobs.h"
#include "link.h"
#include "listener.h"
#include "notices.h"
#include "public.h"
#include "pubsub.h"
#include "pulse.h"
#include "retirement.h"
#include "shared.h"

#include <pthread.h>
#include <sys/types.h>

enum {
  IOD_LISTENERS = 32,
  IOD_PARSERS_KEPT = 32,
  IOD_SERVERS_OPEN = 8,
  IOD_REFUSALS = 128, /* connections that are told at the same time that they are too many; others are just closed */
};

struct iod_server {
  iod_loop_t loop;
  bool open;
  bool inherited; /* this process was forked by the one that opened it: nothing here is its own */
  iod_listener_t *listeners[IOD_LISTENERS];
  uint32_t listener_count;
  iod_shared_t shared;
  iod_pulse_t *pulses, *pulse; /* one for each slot; this worker's */
  uint32_t beat;               /* ms between two signs of life at most, 0 = any */
  iod_addresses_t addresses;
  uint32_t index;              /* this worker's slot */
  const iod_shared_t *cluster; /* what is told of: this mapping, or the one of the workers whose root this is */
  iod_stats_t *stats;          /* where this process counts … */
  iod_stats_t unseen;          /* … but what is asked of itself, and what a forked copy does */
  uint32_t capacity;
  iod_server_t *led;   /* whose mapping that is, or NULL */
  uint32_t references; /* to what is shared: its own, and of who leads it */
  void (*released)(iod_release_job_t *);
  void (*abandoned)(iod_connection_t *); /* a connection that nobody will be told of any more; may be NULL */

  iod_jobs_t jobs;
  iod_commands_t commands;
  iod_pubsub_t pubsub;
  pthread_mutex_t stripes[IOD_STRIPES]; /* of strands */
  iod_notices_t notices;
  iod_links_t links; /* to the other processes of the cluster */
  iod_crew_t crew;
  pthread_mutex_t drain_lock; /* a leaf: streaming threads wait for their client */
  pthread_cond_t drained;
  _Atomic uint32_t drain_waiters;
  _Atomic uint32_t untold; /* connections of which the application wasn't told the close */

  /* under the state lock */
  bool draining;
  iod_retirement_t retirement; /* while it is on, the drain is in no hurry */
  uint32_t refusals;           /* open connections that were refused */
  unsigned retry;              /* counts what was answered with 503 */
  iod_access_log_t log;
  iod_access_sink_t sink;            /* of the log, once it is open */
  iod_http1_parser_t scratch_parser; /* for heads that come whole */
  iod_pool_t parsers;
  iod_public_state_t public_state;
  struct iod_user_timer *timers;
  struct iod_line *overfull; /* lines that got more than may pile up */
  iod_deflaters_t deflaters;
  iod_inflaters_t inflaters;
};

/* workers: how many processes will share the listeners, at least 1. released: takes back what nobody takes as a job any
 * more, from within iod_server_close. NULL when out of memory. */
iod_server_t *iod_server_new(uint32_t workers, void (*released)(iod_release_job_t *));
void iod_server_free(iod_server_t *server); /* closed before, or never opened, or another process's */

/* In the process that serves: poller, stand-in; accepts from now on. 0, IOD_E_SYSTEM (errno), IOD_E_NOMEM. */
IOD_MUST_USE int iod_server_open(iod_server_t *server, uint32_t index);
void iod_server_drain(
    iod_server_t *server); /* no more accepts; idle connections close, the others after their answer. Blocks */
uint32_t iod_server_busy(iod_server_t *server);    /* connections with a request under way or output waiting; while it
                                                      drains, also those whose callbacks aren't done. Blocks */
uint32_t iod_server_hang_up(iod_server_t *server); /* closes at once what isn't HTTP: how many the application wasn't
                                                      told of yet. Blocks */
uint32_t iod_server_connections(iod_server_t *server);            /* open ones; links are none. Blocks */
uint32_t iod_server_open_connections(const iod_server_t *server); /* the same, under the state lock */
void iod_server_close(
    iod_server_t *server); /* after iod_crew_halt and the last iod_crew_thread_deinit; or never opened: its listeners */

/* Under the state lock: the first step of a drain, no more accepts. */
void iod_server_close_door(iod_server_t *server);

/* Under the state lock: what is idle is not waited for. */
static inline bool iod_server_hurries(const iod_server_t *server) { return server->draining && !server->retirement.on; }

/* Before it is open: this is the reactor of the root of those workers, counts as that and tells of them all. Once. */
void iod_server_lead(iod_server_t *server, iod_server_t *workers);

/* In any process: the worker of that slot is gone, whatever it left there. */
void iod_server_vacate(iod_server_t *server, uint32_t index);

/* A process that the application forks has no part in serving: in the child every open server becomes `inherited`. Its
 * copies of listeners and poller are closed, each call finds its connection gone. Once, before the first open. */
void iod_server_watch_forks(void);

/* The state lock, with what belongs to it: the clock is set, the queued commands are applied, before and after. */
void iod_server_lock(iod_server_t *server);
bool iod_server_trylock(iod_server_t *server);
void iod_server_unlock(iod_server_t *server);

/* Does it now if the state lock is free, else leaves it to whoever holds that. Takes ownership. Any thread. */
void iod_server_command(iod_server_t *server, iod_command_t *command);

/* Under the state lock: a connection has closed. Others may have waited for it. */
void iod_server_left(iod_server_t *server);

/* Whoever holds the state lock, or else we, apply the commands that wait. Any thread. */
void iod_server_kick(iod_server_t *server);

/* Any thread that isn't the crew's: what it published is written now, not when somebody looks. */
void iod_server_flush(iod_server_t *server);

#endif
