#include "rss.h"
#include "stats_text.h"

#include <inttypes.h>

static void print_head(iod_printer_t *p, const char *name, const char *type, const char *help) {
  iod_print(p, "# HELP iodine_%s %s\n# TYPE iodine_%s %s\n", name, help, name, type);
}

static void print_counter(iod_printer_t *p, const char *name, uint64_t value, const char *help) {
  print_head(p, name, "counter", help);
  iod_print(p, "iodine_%s %" PRIu64 "\n", name, value);
}

static void print_seconds(iod_printer_t *p, const char *name, uint64_t us) {
  iod_print(p, "iodine_%s %" PRIu64 ".%06u\n", name, us / 1000000, (unsigned)(us % 1000000));
}

static void print_histogram(iod_printer_t *p, const char *name, const iod_histogram_t *h, const char *help) {
  uint64_t count = 0;
  print_head(p, name, "histogram", help);
  for (int i = 0; i < IOD_STATS_BOUNDS; i++) {
    count += iod_count_get(&h->counts[i]);
    iod_print(p, "iodine_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, iod_stats_bounds_us[i] / 1e6, count);
  }
  count += iod_count_get(&h->counts[IOD_STATS_BOUNDS]);
  iod_print(p, "iodine_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
  uint64_t sum = iod_count_get(&h->sum_us);
  iod_print(p, "iodine_%s_sum %" PRIu64 ".%06u\n", name, sum / 1000000, (unsigned)(sum % 1000000));
  iod_print(p, "iodine_%s_count %" PRIu64 "\n", name, count);
}

/* ---- of all together: what only grows ---- */

static void print_answers(iod_printer_t *p, const iod_counters_t *c) {
  print_head(p, "requests_total", "counter", "Requests that were answered, by the class of the status.");
  for (int i = 1; i < IOD_STATS_CLASSES; i++)
    iod_print(p, "iodine_requests_total{code=\"%dxx\"} %" PRIu64 "\n", i, iod_count_get(&c->answers[i]));
  iod_print(p, "iodine_requests_total{code=\"other\"} %" PRIu64 "\n", iod_count_get(&c->answers[0]));
  print_histogram(p, "request_duration_seconds", &c->latency,
                  "From the first byte of a request to the end of its answer.");
  print_histogram(p, "request_queue_seconds", &c->queue,
                  "From a complete request until an application thread took it.");
  print_counter(p, "refused_total", iod_count_get(&c->refused), "Connections and requests that were too many.");
  print_counter(p, "file_answers_total", iod_count_get(&c->files), "Requests that were answered with static files.");
}

static void print_counters(iod_printer_t *p, const iod_counters_t *c) {
  print_counter(p, "connections_accepted_total", iod_count_get(&c->accepted), "Connections that clients opened.");
  print_counter(p, "slow_closes_total", iod_count_get(&c->slow), "Connections closed since their peer did not read.");
  print_counter(p, "received_bytes_total", iod_count_get((const iod_count_t *)&c->traffic.received),
                "Bytes read from clients.");
  print_counter(p, "sent_bytes_total", iod_count_get((const iod_count_t *)&c->traffic.sent),
                "Bytes written to clients.");
  print_counter(p, "published_total", iod_count_get(&c->published), "Messages that were published here.");
  print_counter(p, "delivered_total", iod_count_get(&c->delivered), "Messages that subscriptions were told.");
  print_counter(p, "log_lines_lost_total", iod_count_get(&c->lost_lines), "Lines that the access log did not take.");
  print_head(p, "thread_busy_seconds_total", "counter", "Time that application threads spent in jobs.");
  print_seconds(p, "thread_busy_seconds_total", iod_count_get(&c->busy_us));
  print_head(p, "gvl_wait_seconds_total", "counter", "Time that woken application threads waited for the GVL.");
  print_seconds(p, "gvl_wait_seconds_total", iod_count_get(&c->resume_us));
}

/* ---- of each worker: what is there now ---- */

typedef struct gauge {
  const char *name, *help;
  uint64_t (*value)(const iod_slot_t *slot, const iod_stats_t *stats);
} gauge_t;

static uint64_t waiting(const iod_slot_t *slot, const iod_stats_t *s) {
  (void)slot;
  return iod_count_get(&s->waiting);
}

static uint64_t under_way(const iod_slot_t *slot, const iod_stats_t *s) {
  (void)slot;
  return iod_less(iod_count_get(&s->requests), iod_count_get(&s->waiting));
}

static uint64_t threads(const iod_slot_t *slot, const iod_stats_t *s) {
  (void)s;
  return atomic_load(&slot->threads);
}

static uint64_t busy(const iod_slot_t *slot, const iod_stats_t *s) {
  (void)s;
  return atomic_load(&slot->running);
}

static uint64_t started(const iod_slot_t *slot, const iod_stats_t *s) {
  (void)slot;
  return iod_count_get(&s->started);
}

static uint64_t serving(const iod_slot_t *slot, const iod_stats_t *s) {
  (void)s;
  return atomic_load(&slot->pid) != 0;
}

static const gauge_t gauges[] = {
    {"requests_waiting", "Requests that wait for an application thread.", waiting},
    {"requests_under_way", "Requests that came or are with the application, without those that wait.", under_way},
    {"threads", "Application threads.", threads},
    {"threads_busy", "Application threads in the middle of a job.", busy},
    {"worker_serving", "1 while it accepts connections, 0 while it ends.", serving},
    {"worker_start_time_seconds", "When the worker started, in seconds since 1970.", started},
};

static bool is_there(const iod_shared_t *shared, uint32_t i) { return atomic_load(&shared->stats[i].pid) != 0; }

static void print_gauges(iod_printer_t *p, const iod_shared_t *shared, uint32_t places) {
  for (size_t g = 0; g < sizeof gauges / sizeof *gauges; g++) {
    print_head(p, gauges[g].name, "gauge", gauges[g].help);
    for (uint32_t i = 0; i < places; i++)
      if (is_there(shared, i))
        iod_print(p, "iodine_%s{worker=\"%u\"} %" PRIu64 "\n", gauges[g].name, i + 1,
                  gauges[g].value(&shared->slots[i], &shared->stats[i]));
  }
}

static void print_connection(iod_printer_t *p, uint32_t i, const char *kind, uint64_t n) {
  iod_print(p, "iodine_connections{worker=\"%u\",kind=\"%s\"} %" PRIu64 "\n", i + 1, kind, n);
}

static void print_connections(iod_printer_t *p, const iod_shared_t *shared, uint32_t places) {
  static const char *const kinds[IOD_STATS_LINES] = {"raw", "websocket", "sse"};
  print_head(p, "connections", "gauge", "Open connections.");
  for (uint32_t i = 0; i < places; i++) {
    const iod_stats_t *s = &shared->stats[i];
    if (!is_there(shared, i)) continue;
    uint64_t requests = iod_count_get(&s->requests);
    print_connection(p, i, "http_active", requests);
    print_connection(p, i, "http_idle", iod_less(iod_count_get(&s->http), requests));
    for (int k = 0; k < IOD_STATS_LINES; k++) print_connection(p, i, kinds[k], iod_count_get(&s->lines[k]));
  }
}

/* ---- processes ---- */

static void print_memory(iod_printer_t *p, const iod_shared_t *shared, uint32_t places) {
  int32_t root = atomic_load(&iod_shared_root(shared)->pid);
  print_head(p, "resident_memory_bytes", "gauge", "Memory in RAM of each process, shared pages too.");
  for (uint32_t i = 0; i < places; i++) {
    uint64_t rss = iod_rss_of(atomic_load(&shared->stats[i].pid));
    if (rss) iod_print(p, "iodine_resident_memory_bytes{worker=\"%u\"} %" PRIu64 "\n", i + 1, rss);
  }
  if (root) iod_print(p, "iodine_resident_memory_bytes{worker=\"root\"} %" PRIu64 "\n", iod_rss_of(root));
}

static void print_lives(iod_printer_t *p, const iod_shared_t *shared, const iod_totals_t *t) {
  print_counter(p, "worker_restarts_total", iod_count_get(&shared->lives->restarts),
                "Workers that took the place of another one.");
  print_counter(p, "worker_crashes_total", iod_count_get(&shared->lives->crashes), "Workers that died.");
  print_head(p, "workers_ready", "gauge", "Workers that serve and take requests.");
  iod_print(p, "iodine_workers_ready %u\n", t->ready);
  print_head(p, "start_time_seconds", "gauge", "When the server started, in seconds since 1970.");
  iod_print(p, "iodine_start_time_seconds %" PRIu64 "\n", iod_count_get(&shared->lives->started));
}

void iod_stats_print_prometheus(iod_printer_t *p, const iod_shared_t *shared) {
  iod_totals_t t;
  iod_totals_sum(&t, shared);
  print_answers(p, &t.counters);
  print_counters(p, &t.counters);
  print_gauges(p, shared, t.places);
  print_connections(p, shared, t.places);
  print_memory(p, shared, t.places);
  print_lives(p, shared, &t);
}
