/* A mapping shared by the root and its workers, with a slot for each worker: what the others need to know of it. */
#ifndef IOD_SERVER_SHARED_H
#define IOD_SERVER_SHARED_H

#include "stats.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct iod_slot {
  _Atomic int32_t pid;          /* 0: nobody serves here */
  _Atomic uint32_t connections; /* open ones */
  _Atomic uint32_t threads;     /* of the application */
  _Atomic uint32_t running;     /* those in the middle of a job */
  _Atomic bool stand_in_drives; /* those threads don't get to it */
  char padding[47];             /* a cache line each */
} iod_slot_t;

/* Of the whole cluster; written by the root. */
typedef struct iod_lives {
  iod_count_t started, started_us; /* when the mapping was made: seconds since 1970, and by the clock of iod_clock_us */
  iod_count_t restarts;            /* workers that took the place of another one */
  iod_count_t crashes;             /* workers that ended by themselves, or by a signal */
} iod_lives_t;

typedef struct iod_shared {
  _Atomic uint32_t *used; /* slots that were ever served in: how many there will be isn't known when it is made */
  iod_slot_t *slots;
  iod_stats_t *stats; /* of each slot, and behind them the root's if it serves nothing itself */
  iod_lives_t *lives;
  uint32_t count;
} iod_shared_t;

/* NULL slots when the system has no memory to share. */
iod_shared_t iod_shared_new(uint32_t count);
void iod_shared_free(iod_shared_t *shared);

/* This process serves in that slot, and counts there. */
void iod_shared_enter(iod_shared_t *shared, uint32_t slot);

/* Nobody does any more, though it may still have connections. */
void iod_shared_leave(iod_shared_t *shared, uint32_t slot);

/* Of all who serve. */
uint32_t iod_shared_connections(const iod_shared_t *shared);

/* The root's own place. */
static inline iod_stats_t *iod_shared_root(const iod_shared_t *shared) { return &shared->stats[shared->count]; }

/* All threads are in the middle of a job, and not of one that ends within a tick. */
bool iod_slot_saturated(const iod_slot_t *slot);

/* Of the serving workers other than `mine`, those with an idle thread if there are any (*idle), else all: the fewest
 * connections that one of them has. UINT32_MAX when there is none. */
uint32_t iod_shared_least(const iod_shared_t *shared, uint32_t mine, bool *idle);

#endif
