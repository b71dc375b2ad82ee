#include "timers.h"

#include "alloc.h"

enum { SMALLEST = 16 };

/* `due` is when to look at the timer: never after timer->due, which may have moved later since. */
typedef struct iod_timer_entry {
  uint64_t due;
  iod_timer_t *timer;
} entry_t;

void iod_timers_deinit(iod_timers_t *timers) {
  iod_free(timers->heap);
  *timers = (iod_timers_t){0};
}

static void put(iod_timers_t *timers, uint32_t index, entry_t entry) {
  timers->heap[index] = entry;
  entry.timer->index = index + 1;
}

static void sift_up(iod_timers_t *timers, uint32_t index, entry_t entry) {
  while (index > 0) {
    uint32_t parent = (index - 1) / 2;
    if (timers->heap[parent].due <= entry.due) break;
    put(timers, index, timers->heap[parent]);
    index = parent;
  }
  put(timers, index, entry);
}

static void sift_down(iod_timers_t *timers, uint32_t index, entry_t entry) {
  for (;;) {
    uint32_t child = index * 2 + 1;
    if (child >= timers->count) break;
    if (child + 1 < timers->count && timers->heap[child + 1].due < timers->heap[child].due) child++;
    if (timers->heap[child].due >= entry.due) break;
    put(timers, index, timers->heap[child]);
    index = child;
  }
  put(timers, index, entry);
}

static int grow(iod_timers_t *timers) {
  /* A place in the heap is counted from 1 and a child's index is twice its parent's: half of the range is enough. */
  if (timers->capacity > UINT32_MAX / 4) return IOD_E_NOMEM;
  uint32_t capacity = timers->capacity ? timers->capacity * 2 : SMALLEST;
  entry_t *heap = iod_realloc(timers->heap, capacity * sizeof(entry_t));
  if (!heap) return IOD_E_NOMEM;
  timers->heap = heap;
  timers->capacity = capacity;
  return 0;
}

int iod_timers_set(iod_timers_t *timers, iod_timer_t *timer, uint64_t due) {
  if (timer->index == 0) {
    if (timers->count == timers->capacity && grow(timers) != 0) return IOD_E_NOMEM;
    sift_up(timers, timers->count++, (entry_t){due, timer});
  } else if (due < timers->heap[timer->index - 1].due) {
    sift_up(timers, timer->index - 1, (entry_t){due, timer});
  }
  timer->due = due;
  return 0;
}

void iod_timers_remove(iod_timers_t *timers, iod_timer_t *timer) {
  timer->due = 0;
  if (timer->index == 0) return;
  uint32_t hole = timer->index - 1;
  timer->index = 0;
  entry_t last = timers->heap[--timers->count];
  if (hole == timers->count) return;
  if (hole > 0 && last.due < timers->heap[(hole - 1) / 2].due) {
    sift_up(timers, hole, last);
  } else {
    sift_down(timers, hole, last);
  }
}

iod_timer_t *iod_timers_pop(iod_timers_t *timers, uint64_t now) {
  while (timers->count > 0 && timers->heap[0].due <= now) {
    entry_t first = timers->heap[0];
    uint64_t due = first.timer->due;
    if (due > first.due) { /* moved later since: to its new place */
      sift_down(timers, 0, (entry_t){due, first.timer});
      continue;
    }
    iod_timers_remove(timers, first.timer);
    if (due != 0) return first.timer;
  }
  return NULL;
}

uint64_t iod_timers_next(const iod_timers_t *timers) { return timers->count ? timers->heap[0].due : UINT64_MAX; }
