#include "addresses.h"

#include "../protocol/ip.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

enum { BITS = 13, ROW = 1 << BITS, ROWS = 2, COUNTED = 1 << ROWS * BITS };

static size_t mapping_size(uint32_t workers) { return (size_t)workers * ROWS * ROW * sizeof(_Atomic uint32_t); }

int iod_addresses_init(iod_addresses_t *a, uint32_t workers) {
  if (a->counters) return 0;
  /* Nobody outside may know which addresses share a counter. */
  if (getentropy(a->seeds, sizeof a->seeds)) return IOD_E_NOMEM;
  for (int i = 0; i < ROWS; i++) a->seeds[i] |= 1;
  void *m =
      mmap(NULL, mapping_size(workers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) return IOD_E_NOMEM;
  a->counters = m;
  a->workers = workers;
  return 0;
}

void iod_addresses_deinit(iod_addresses_t *a) {
  if (a->counters) munmap((void *)a->counters, mapping_size(a->workers));
  *a = (iod_addresses_t){0};
}

void iod_addresses_clear(iod_addresses_t *a, uint32_t worker) {
  if (!a->counters || worker >= a->workers) return;
  for (uint32_t i = 0; i < ROWS * ROW; i++) atomic_store(&a->counters[(size_t)worker * ROWS * ROW + i], 0);
}

/* Multiply-shift: the top bits of the key times an odd number. */
static uint32_t hash(uint64_t key, uint64_t seed) { return (uint32_t)(key * seed >> (64 - BITS)); }

iod_address_place_t iod_addresses_place(const iod_addresses_t *a, const iod_peer_t *peer) {
  iod_ip_t ip;
  uint64_t key;
  if (iod_ip_parse((iod_slice_t){peer->ip, peer->ip_length}, &ip)) return 0;
  /* A client may have all of an IPv6 /64. IPv4 addresses are in ::/64, of which no client comes: its other half. */
  memcpy(&key, ip.bytes + (iod_ip_is_v4(&ip) ? 8 : 0), sizeof key);
  return (uint32_t)COUNTED | hash(key, a->seeds[1]) << BITS | hash(key, a->seeds[0]);
}

static _Atomic uint32_t *counter(const iod_addresses_t *a, uint32_t worker, int row, iod_address_place_t place) {
  uint32_t index = place >> (row * BITS) & (ROW - 1);
  return &a->counters[((size_t)worker * ROWS + (size_t)row) * ROW + index];
}

uint32_t iod_addresses_count(const iod_addresses_t *a, uint32_t used, iod_address_place_t place) {
  uint32_t least = UINT32_MAX;
  for (int row = 0; row < ROWS; row++) {
    uint32_t sum = 0;
    for (uint32_t worker = 0; worker < used && worker < a->workers; worker++)
      sum += atomic_load_explicit(counter(a, worker, row, place), memory_order_relaxed);
    if (sum < least) least = sum;
  }
  return least;
}

static void add(iod_addresses_t *a, uint32_t worker, iod_address_place_t place, uint32_t n) {
  for (int row = 0; place && row < ROWS; row++)
    atomic_fetch_add_explicit(counter(a, worker, row, place), n, memory_order_relaxed);
}

void iod_addresses_enter(iod_addresses_t *a, uint32_t worker, iod_address_place_t place) { add(a, worker, place, 1); }

void iod_addresses_leave(iod_addresses_t *a, uint32_t worker, iod_address_place_t place) {
  add(a, worker, place, UINT32_MAX); /* one less */
}
