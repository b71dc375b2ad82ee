#include "stats.h"

#include <time.h>
#include <unistd.h>

enum { STALLED_US = 1000000 };

const uint32_t iod_stats_bounds_us[IOD_STATS_BOUNDS] = {1000,   2500,   5000,    10000,   25000,   50000,   100000,
                                                        250000, 500000, 1000000, 2500000, 5000000, 10000000};

/* The first bucket for a number of so many bits: it or one of the next two is the right one. */
static const uint8_t first_of_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12};

void iod_histogram_add(iod_histogram_t *h, uint64_t us) {
  size_t bits = us ? 64 - (size_t)__builtin_clzll(us) : 0;
  int i = bits < sizeof first_of_bits ? first_of_bits[bits] : IOD_STATS_BOUNDS;
  while (i < IOD_STATS_BOUNDS && us > iod_stats_bounds_us[i]) i++;
  iod_count_one(&h->counts[i]);
  iod_count_add(&h->sum_us, us);
}

static void clear(iod_stats_t *s) {
  iod_count_set(&s->http, 0);
  iod_count_set(&s->requests, 0);
  iod_count_set(&s->waiting, 0);
  for (int i = 0; i < IOD_STATS_LINES; i++) iod_count_set(&s->lines[i], 0);
}

void iod_stats_enter(iod_stats_t *s) {
  clear(s);
  iod_count_set(&s->started, (uint64_t)time(NULL));
  atomic_store(&s->pid, (int32_t)getpid());
}

void iod_stats_leave(iod_stats_t *s) {
  atomic_store(&s->pid, 0);
  clear(s);
}

void iod_counters_sum(iod_counters_t *sum, const iod_counters_t *counters) {
  _Static_assert(sizeof(iod_counters_t) % sizeof(iod_count_t) == 0, "a row of counts");
  iod_count_t *to = (iod_count_t *)sum;
  const iod_count_t *from = (const iod_count_t *)counters;
  for (size_t i = 0; i < sizeof(iod_counters_t) / sizeof(iod_count_t); i++)
    iod_count_add(&to[i], iod_count_get(&from[i]));
}

bool iod_stats_stalled(const iod_stats_t *s, uint64_t now) {
  uint64_t since = iod_count_get(&s->waiting_since), taken = iod_count_get(&s->taken_at);
  if (taken > since) since = taken;
  return iod_count_get(&s->waiting) > 0 && now > since + STALLED_US;
}
