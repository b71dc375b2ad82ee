/* A mapping shared by the root and its workers, with a slot for each worker: what the others need to know of it. */
#ifndef IOD_SERVER_SHARED_H
#define IOD_SERVER_SHARED_H

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

typedef struct iod_shared {
  _Atomic uint32_t *used; /* slots that were ever served in: how many there will be isn't known when it is made */
  iod_slot_t *slots;
  uint32_t count;
} iod_shared_t;

/* NULL slots when the system has no memory to share. */
iod_shared_t iod_shared_new(uint32_t count);
void iod_shared_free(iod_shared_t *shared);

/* This process serves in that slot. */
void iod_shared_enter(iod_shared_t *shared, uint32_t slot);

/* Nobody does any more. */
void iod_shared_leave(iod_shared_t *shared, uint32_t slot);

/* Of all who serve. */
uint32_t iod_shared_connections(const iod_shared_t *shared);

/* All threads are in the middle of a job, and not of one that ends within a tick. */
bool iod_slot_saturated(const iod_slot_t *slot);

/* Of the serving workers other than `mine`, those with an idle thread if there are any (*idle), else all: the fewest
 * connections that one of them has. UINT32_MAX when there is none. */
uint32_t iod_shared_least(const iod_shared_t *shared, uint32_t mine, bool *idle);

#endif
