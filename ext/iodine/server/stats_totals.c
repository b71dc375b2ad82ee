#include "../base/clock.h"
#include "stats_text.h"

static void add_worker(iod_totals_t *t, const iod_slot_t *slot, const iod_stats_t *stats) {
  iod_counters_sum(&t->counters, &stats->counters);
  if (!atomic_load(&stats->pid)) return;
  t->http += iod_count_get(&stats->http);
  t->requests += iod_count_get(&stats->requests);
  t->waiting += iod_count_get(&stats->waiting);
  for (int i = 0; i < IOD_STATS_LINES; i++) t->lines[i] += iod_count_get(&stats->lines[i]);
  t->threads += atomic_load_explicit(&slot->threads, memory_order_relaxed);
  t->running += atomic_load_explicit(&slot->running, memory_order_relaxed);
  if (!atomic_load(&slot->pid)) return;
  t->serving++;
  t->ready += !iod_stats_stalled(stats, t->now_us);
}

void iod_totals_sum(iod_totals_t *t, const iod_shared_t *shared) {
  const iod_stats_t *root = iod_shared_root(shared);
  *t = (iod_totals_t){.now_us = iod_clock_us(), .places = atomic_load(shared->used)};
  for (uint32_t i = 0; i < t->places; i++) add_worker(t, &shared->slots[i], &shared->stats[i]);
  iod_counters_sum(&t->counters, &root->counters);
  for (int i = 0; i < IOD_STATS_LINES; i++) t->lines[i] += iod_count_get(&root->lines[i]);
}
