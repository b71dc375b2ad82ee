/* A queue of deadlines: a binary heap with lazy extension, for many timers that are moved later much more often than
 * they fire. The timer is part of its owner's struct (all zeroes = not set). Not thread safe. */
#ifndef IOD_BASE_TIMERS_H
#define IOD_BASE_TIMERS_H

#include "result.h"

#include <stddef.h>
#include <stdint.h>

typedef struct iod_timer {
  uint64_t due;   /* when it shall fire, in ms; 0 = not set */
  uint32_t index; /* its place in the heap, from 1; 0 = not in the heap */
  uint32_t kind;  /* the owner's: which struct the timer is part of */
} iod_timer_t;

typedef struct iod_timers {
  struct iod_timer_entry *heap;
  uint32_t count, capacity;
} iod_timers_t;

void iod_timers_deinit(iod_timers_t *timers);

/* Sets or moves. Moving later costs one store; moving earlier, or setting one that is not in the heap, O(log n).
 * 0, IOD_E_NOMEM (the timer is then not set). due must not be 0. */
IOD_MUST_USE int iod_timers_set(iod_timers_t *timers, iod_timer_t *timer, uint64_t due);

/* Will not fire; stays in the heap until its old time (one store), so that setting it again is cheap. */
static inline void iod_timers_unset(iod_timer_t *timer) { timer->due = 0; }

/* Takes it out of the heap: before its owner's memory goes. */
void iod_timers_remove(iod_timers_t *timers, iod_timer_t *timer);

/* The next timer that is due at `now`, out of the heap and not set any more; NULL when there is none. */
iod_timer_t *iod_timers_pop(iod_timers_t *timers, uint64_t now);

/* When to look again: at or before the earliest due time; UINT64_MAX when empty. */
uint64_t iod_timers_next(const iod_timers_t *timers);

#endif
