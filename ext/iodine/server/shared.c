#include "shared.h"

#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

typedef struct mapping {
  _Atomic uint32_t used;
  char padding[60];
  iod_slot_t slots[];
} mapping_t;

static size_t mapping_size(uint32_t count) { return sizeof(mapping_t) + count * sizeof(iod_slot_t); }

iod_shared_t iod_shared_new(uint32_t count) {
  mapping_t *m = mmap(NULL, mapping_size(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (m == MAP_FAILED) return (iod_shared_t){0};
  return (iod_shared_t){.used = &m->used, .slots = m->slots, .count = count};
}

void iod_shared_free(iod_shared_t *shared) {
  if (shared->slots) munmap(shared->used, mapping_size(shared->count));
  *shared = (iod_shared_t){0};
}

void iod_shared_enter(iod_shared_t *shared, uint32_t slot) {
  atomic_store(&shared->slots[slot].connections, 0);
  atomic_store(&shared->slots[slot].pid, (int32_t)getpid());
  uint32_t used = atomic_load(shared->used);
  while (used <= slot && !atomic_compare_exchange_weak(shared->used, &used, slot + 1)) {}
}

uint32_t iod_shared_least(const iod_shared_t *shared, uint32_t mine) {
  uint32_t least = UINT32_MAX;
  uint32_t used = atomic_load_explicit(shared->used, memory_order_relaxed);
  for (uint32_t i = 0; i < used; i++) {
    if (i == mine || atomic_load_explicit(&shared->slots[i].pid, memory_order_relaxed) == 0) continue;
    uint32_t n = atomic_load_explicit(&shared->slots[i].connections, memory_order_relaxed);
    if (n < least) least = n;
  }
  return least;
}
