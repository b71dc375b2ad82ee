/* The crew: the application's threads, who of them drives the reactor, and the stand-in that does while they can't.
 *
 * An application thread takes jobs; when there is none it drives (iod_crew_idle). The stand-in, one plain OS thread,
 * looks once a millisecond while there is traffic: nobody ran a turn → it asks for one if jobs are short, else drives;
 * jobs wait and none was taken → it wakes one more thread. */
#ifndef IOD_SERVER_CREW_H
#define IOD_SERVER_CREW_H

#include "handler.h"
#include "shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct iod_crew_thread {
  pthread_cond_t wake;
  struct iod_crew_thread *next;
  bool waiting;             /* under the crew's lock */
  uint64_t ready_us;        /* it has left iod_crew_idle; 0: and taken a job since, or looked for one in vain */
  uint64_t busy_us;         /* it is in the middle of jobs, and was counted up to here; 0: it isn't */
  _Atomic bool interrupted; /* the application wants its thread back */
} iod_crew_thread_t;

typedef struct iod_crew {
  pthread_mutex_t lock;       /* a leaf */
  iod_crew_thread_t *waiters; /* the last to come is the first to be woken: its caches are warm */
  _Atomic uint32_t waiting;
  iod_slot_t *slot;           /* counts threads, and those in the middle of a job: the other workers see it … */
  iod_slot_t own_slot;        /* … unless this process has no part in serving */
  _Atomic bool turn_wanted;   /* no turn for a tick, but jobs are short: who ends one shall run a turn */
  _Atomic bool driver_blocks; /* an application thread is in the poll */
  _Atomic bool halted;
  _Atomic bool quiet; /* the last poll found one event or none: blocking costs less than looking twice */

  pthread_t stand_in;
  bool has_stand_in;
  uint64_t done_before;   /* the stand-in's: what was taken and sent at its last look */
  uint64_t taken_at_trim; /* the stand-in's: jobs when the heap was trimmed */
  pthread_cond_t stand_in_wake;
  _Atomic bool asleep; /* the stand-in, for longer than a tick */
} iod_crew_t;

IOD_MUST_USE int iod_crew_start(iod_server_t *server); /* 0, IOD_E_SYSTEM: no thread could be made */
void iod_crew_stop(iod_server_t *server);              /* joins the stand-in; no thread may be in the crew any more */

void iod_crew_thread_init(iod_server_t *server, iod_crew_thread_t *thread);
void iod_crew_thread_deinit(iod_server_t *server, iod_crew_thread_t *thread);

/* [app] The next job or NULL. Between the two calls the thread counts as running. */
iod_job_t *iod_crew_take(iod_server_t *server, iod_crew_thread_t *thread);
void iod_crew_done(iod_server_t *server);

/* [app] Between two jobs: true when the sockets should be looked at before the next one (`count`: jobs since the last
 * look). */
bool iod_crew_wants_turn(iod_server_t *server, unsigned count);

/* [app, may hold the GVL] One turn without blocking, if nobody else drives and no other thread is in the middle of a
 * job. True when jobs wait. */
bool iod_crew_quick_turn(iod_server_t *server);

/* Drives, or waits, until a job waits, the thread is interrupted or the server halts. Blocks: without the GVL. */
void iod_crew_idle(iod_server_t *server, iod_crew_thread_t *thread);

/* Any thread: ends that thread's iod_crew_idle. */
void iod_crew_interrupt(iod_server_t *server, iod_crew_thread_t *thread);

/* Any thread: somebody shall look at the jobs. */
void iod_crew_wake_one(iod_server_t *server);

/* Any thread, after the state lock was let go: the stand-in is woken for the jobs that came up if it sleeps; while it
 * drives, and may be blocked in the poll, idle threads are. */
void iod_crew_offer(iod_server_t *server);

/* All threads' iod_crew_idle return, now and later. */
void iod_crew_halt(iod_server_t *server);

#endif
