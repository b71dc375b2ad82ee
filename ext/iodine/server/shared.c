#include "shared.h"

#include "../base/clock.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

typedef struct mapping {
  _Atomic uint32_t used;
  char padding[60];
  iod_lives_t lives;
  char more_padding[64 - sizeof(iod_lives_t)];
  iod_slot_t slots[]; /* then the stats */
} mapping_t;

static size_t stats_at(uint32_t count) { return sizeof(mapping_t) + count * sizeof(iod_slot_t); }
static size_t mapping_size(uint32_t count) { return stats_at(count) + (count + (size_t)1) * sizeof(iod_stats_t); }

iod_shared_t iod_shared_new(uint32_t count) {
  mapping_t *m = mmap(NULL, mapping_size(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (m == MAP_FAILED) return (iod_shared_t){0};
  iod_count_set(&m->lives.started, (uint64_t)time(NULL));
  iod_count_set(&m->lives.started_us, iod_clock_us());
  return (iod_shared_t){.used = &m->used,
                        .slots = m->slots,
                        .stats = (iod_stats_t *)(void *)((char *)m + stats_at(count)),
                        .lives = &m->lives,
                        .count = count};
}

void iod_shared_free(iod_shared_t *shared) {
  if (shared->slots) munmap(shared->used, mapping_size(shared->count));
  *shared = (iod_shared_t){0};
}

void iod_shared_enter(iod_shared_t *shared, uint32_t slot) {
  iod_stats_enter(&shared->stats[slot]);
  atomic_store(&shared->slots[slot].connections, 0);
  atomic_store(&shared->slots[slot].threads, 0);
  atomic_store(&shared->slots[slot].running, 0);
  atomic_store(&shared->slots[slot].stand_in_drives, false);
  atomic_store(&shared->slots[slot].pid, (int32_t)getpid());
  uint32_t used = atomic_load(shared->used);
  while (used <= slot && !atomic_compare_exchange_weak(shared->used, &used, slot + 1)) {}
}

void iod_shared_leave(iod_shared_t *shared, uint32_t slot) { atomic_store(&shared->slots[slot].pid, 0); }

uint32_t iod_shared_connections(const iod_shared_t *shared) {
  uint32_t sum = 0, used = atomic_load(shared->used);
  for (uint32_t i = 0; i < used; i++)
    if (atomic_load(&shared->slots[i].pid)) sum += atomic_load(&shared->slots[i].connections);
  return sum;
}

bool iod_slot_saturated(const iod_slot_t *slot) {
  return atomic_load_explicit(&slot->stand_in_drives, memory_order_relaxed) &&
         atomic_load_explicit(&slot->running, memory_order_relaxed) >=
             atomic_load_explicit(&slot->threads, memory_order_relaxed);
}

uint32_t iod_shared_least(const iod_shared_t *shared, uint32_t mine, bool *idle) {
  uint32_t least = UINT32_MAX;
  uint32_t used = atomic_load_explicit(shared->used, memory_order_relaxed);
  *idle = false;
  for (uint32_t i = 0; i < used; i++) {
    const iod_slot_t *slot = &shared->slots[i];
    if (i == mine || atomic_load_explicit(&slot->pid, memory_order_relaxed) == 0) continue;
    bool saturated = iod_slot_saturated(slot), first_idle = !saturated && !*idle;
    if (saturated && *idle) continue;
    uint32_t n = atomic_load_explicit(&slot->connections, memory_order_relaxed);
    if (n < least || first_idle) least = n;
    *idle = !saturated;
  }
  return least;
}
