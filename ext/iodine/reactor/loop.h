/* The event loop: a passive object. Whoever holds the right to poll waits in it; whoever holds the state lock touches
 * what it owns.
 *
 *   iod_loop_claim → iod_loop_poll (blocks, no state lock) → iod_loop_lock → iod_loop_turn → iod_loop_unlock →
 * iod_loop_yield
 */
#ifndef IOD_REACTOR_LOOP_H
#define IOD_REACTOR_LOOP_H

#include "../base/result.h"
#include "../base/timers.h"
#include "poller.h"
#include "stream.h"
#include "traffic.h"
#include "wake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { IOD_SCRATCH = 64 * 1024, IOD_GATHERED = 64 * 1024, IOD_EVENTS = 32, IOD_SOURCES = 64 };

enum { IOD_TIMER_STREAM, IOD_TIMER_OTHER }; /* iod_timer_t.kind */

/* Something level-triggered beside the streams: a listener. */
typedef struct iod_source {
  int fd; /* -1: free */
  bool armed;
  void (*on_ready)(void *context);
  void *context;
} iod_source_t;

typedef struct iod_loop {
  /* the right to poll, and what belongs to its holder */
  _Atomic bool polling;
  iod_event_t events[IOD_EVENTS];
  int event_count; /* told by the poller, not yet handled */

  /* shared */
  iod_poller_t poller;
  iod_wake_t wake;
  _Atomic uint64_t next_due; /* when the next turn must come, ms */
  _Atomic uint64_t sleeping; /* until when the poller blocks; 0: it doesn't */
  _Atomic uint64_t turns;    /* counts them */

  /* under the state lock */
  pthread_mutex_t state;
  uint64_t now;    /* ms, taken once a turn */
  uint64_t now_us; /* µs */
  iod_timers_t timers;
  void (*on_timer)(void *context, iod_timer_t *timer); /* for IOD_TIMER_OTHER */
  iod_releaser_t releaser;
  iod_traffic_t *traffic; /* what streams send and receive … */
  iod_traffic_t unseen;   /* … where nobody has set it */
  void *context;          /* of on_timer */
  iod_source_t sources[IOD_SOURCES];
  char *scratch; /* IOD_SCRATCH bytes for reads */
  /* of transports, none of it while there are only plain streams */
  iod_buffer_t sealed; /* what goes out next; empty between two calls */
  char *gathered;      /* IOD_GATHERED bytes that were in pieces */
  uint64_t shaken_in;  /* the turn in which … */
  unsigned shaken;     /* … so many steps of handshakes were made */
  struct {
    char **blocks;
    uint32_t *used;        /* streams in use of each block */
    uint32_t count, taken; /* blocks; streams in use of all, also those that closed in this turn */
    size_t element;
  } slabs;
  iod_stream_t *free_list, *ready, *dead, *corked;
  iod_stream_t **ready_tail, **corked_tail;
  _Atomic uint64_t corked_since; /* ms: since then something is gathered, and none of it written; 0: nothing is. Read by
                                    any thread */
  uint32_t generation;
  uint32_t stream_count; /* open ones */
} iod_loop_t;

/* element: size of the struct that embeds iod_stream_t. 0, IOD_E_SYSTEM, IOD_E_NOMEM. */
IOD_MUST_USE int iod_loop_init(iod_loop_t *loop, size_t element);
void iod_loop_deinit(iod_loop_t *loop); /* closes every stream */

/* ---- the right to poll ---- */
bool iod_loop_claim(iod_loop_t *loop);
void iod_loop_yield(iod_loop_t *loop);
/* Blocks up to max_ms (-1: until something is due). Number of events to handle, or IOD_E_SYSTEM. */
IOD_MUST_USE int iod_loop_poll(iod_loop_t *loop, int max_ms);
/* Ends another thread's poll. Any thread. */
void iod_loop_interrupt(iod_loop_t *loop);

/* ---- the state lock ---- */
static inline void iod_loop_lock(iod_loop_t *loop) { pthread_mutex_lock(&loop->state); }
static inline bool iod_loop_trylock(iod_loop_t *loop) { return pthread_mutex_trylock(&loop->state) == 0; }
void iod_loop_unlock(iod_loop_t *loop);

/* With both: handles events, what was left over, timers. */
void iod_loop_turn(iod_loop_t *loop);
void iod_loop_clock(iod_loop_t *loop); /* takes the time */

/* Bytes went over the stream's socket. */
static inline void iod_loop_received(const iod_stream_t *s, size_t n) {
  if (!s->uncounted) iod_traffic_add(&s->loop->traffic->received, n);
}
static inline void iod_loop_sent(const iod_stream_t *s, size_t n) {
  if (!s->uncounted) iod_traffic_add(&s->loop->traffic->sent, n);
}

/* ---- streams, under the state lock ---- */
/* A cleared element with its stream set up on fd and read from; takes ownership of fd. NULL when out of memory (fd is
 * closed). */
iod_stream_t *iod_loop_open(iod_loop_t *loop, int fd, const iod_stream_ops_t *ops);
/* The same for a socket that is being connected: nothing else is told before on_connect, but its deadline. */
iod_stream_t *iod_loop_connect(iod_loop_t *loop, int fd, const iod_stream_ops_t *ops);
iod_stream_t *iod_loop_find(iod_loop_t *loop, iod_handle_t handle); /* NULL when it is gone */
void iod_loop_ready(iod_loop_t *loop, iod_stream_t *stream);        /* goes on in the next turn, without an event */
void iod_loop_bury(iod_loop_t *loop, iod_stream_t *stream);         /* freed at the end of the turn */

/* What is written to it from now on is gathered, until iod_loop_uncork or a flush of its own. */
void iod_loop_cork(iod_loop_t *loop, iod_stream_t *stream);

/* Writes what was gathered, of up to `most` streams, those that wait longest. False: there is more. */
bool iod_loop_uncork(iod_loop_t *loop, unsigned most);
void iod_loop_each(iod_loop_t *loop, void (*visit)(iod_stream_t *stream, void *context), void *context);

/* ---- sources, under the state lock ---- */
/* Its number, or IOD_E_FULL. Not armed yet. */
IOD_MUST_USE int iod_loop_source_add(iod_loop_t *loop, int fd, void (*on_ready)(void *context), void *context);
void iod_loop_source_arm(iod_loop_t *loop, int source, bool armed);

#endif
