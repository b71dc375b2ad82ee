#include "rss.h"
#include "stats_text.h"

#include <inttypes.h>

static void print_seconds(iod_printer_t *p, const char *name, uint64_t us) {
  iod_print(p, "\"%s\":%" PRIu64 ".%06u", name, us / 1000000, (unsigned)(us % 1000000));
}

static void print_histogram(iod_printer_t *p, const char *name, const iod_histogram_t *h) {
  uint64_t count = 0;
  iod_print(p, "\"%s\":{\"buckets\":{", name);
  for (int i = 0; i < IOD_STATS_BOUNDS; i++) {
    count += iod_count_get(&h->counts[i]);
    iod_print(p, "%s\"%g\":%" PRIu64, i ? "," : "", iod_stats_bounds_us[i] / 1e6, count);
  }
  count += iod_count_get(&h->counts[IOD_STATS_BOUNDS]);
  iod_print(p, "},\"count\":%" PRIu64 ",", count);
  print_seconds(p, "sum", iod_count_get(&h->sum_us));
  iod_print(p, "}");
}

static void print_answers(iod_printer_t *p, const iod_counters_t *c) {
  uint64_t total = iod_count_get(&c->answers[0]);
  iod_print(p, "\"requests\":{");
  for (int i = 1; i < IOD_STATS_CLASSES; i++) {
    total += iod_count_get(&c->answers[i]);
    iod_print(p, "\"%dxx\":%" PRIu64 ",", i, iod_count_get(&c->answers[i]));
  }
  iod_print(p, "\"other\":%" PRIu64 ",\"total\":%" PRIu64 ",\"files\":%" PRIu64 ",\"refused\":%" PRIu64 "},",
            iod_count_get(&c->answers[0]), total, iod_count_get(&c->files), iod_count_get(&c->refused));
}

static void print_connections(iod_printer_t *p, uint64_t http, uint64_t requests, const uint64_t *lines) {
  iod_print(p,
            "\"connections\":{\"http_active\":%" PRIu64 ",\"http_idle\":%" PRIu64 ",\"raw\":%" PRIu64
            ",\"websocket\":%" PRIu64 ",\"sse\":%" PRIu64 "},",
            requests, iod_less(http, requests), lines[0], lines[1], lines[2]);
}

static void print_counters(iod_printer_t *p, const iod_counters_t *c) {
  iod_print(p,
            "\"accepted\":%" PRIu64 ",\"bytes\":{\"in\":%" PRIu64 ",\"out\":%" PRIu64
            "},\"pubsub\":{\"published\":%" PRIu64 ",\"delivered\":%" PRIu64 "},\"slow_closes\":%" PRIu64
            ",\"log_lines_lost\":%" PRIu64 ",",
            iod_count_get(&c->accepted), iod_count_get((const iod_count_t *)&c->traffic.received),
            iod_count_get((const iod_count_t *)&c->traffic.sent), iod_count_get(&c->published),
            iod_count_get(&c->delivered), iod_count_get(&c->slow), iod_count_get(&c->lost_lines));
  print_histogram(p, "latency", &c->latency);
  iod_print(p, ",");
  print_histogram(p, "queue", &c->queue);
  iod_print(p, ",");
}

static void print_threads(iod_printer_t *p, uint64_t threads, uint64_t running, const iod_counters_t *c) {
  iod_print(p, "\"threads\":{\"count\":%" PRIu64 ",\"busy\":%" PRIu64 ",", threads, running);
  print_seconds(p, "busy_seconds", iod_count_get(&c->busy_us));
  iod_print(p, ",");
  print_seconds(p, "gvl_wait_seconds", iod_count_get(&c->resume_us));
  iod_print(p, "},");
}

static void print_process(iod_printer_t *p, const iod_stats_t *s) {
  int32_t pid = atomic_load(&s->pid);
  iod_print(p, "\"pid\":%" PRId32 ",\"started\":%" PRIu64 ",\"rss\":%" PRIu64, pid, iod_count_get(&s->started),
            iod_rss_of(pid));
}

static void print_worker(iod_printer_t *p, const iod_shared_t *shared, uint32_t i, const iod_totals_t *t) {
  const iod_stats_t *s = &shared->stats[i];
  const iod_slot_t *slot = &shared->slots[i];
  uint64_t lines[IOD_STATS_LINES], requests = iod_count_get(&s->requests), waiting = iod_count_get(&s->waiting);
  for (int k = 0; k < IOD_STATS_LINES; k++) lines[k] = iod_count_get(&s->lines[k]);
  bool serving = atomic_load(&slot->pid) != 0;
  iod_print(p, "{\"worker\":%u,\"serving\":%s,\"ready\":%s,", i + 1, serving ? "true" : "false",
            serving && !iod_stats_stalled(s, t->now_us) ? "true" : "false");
  iod_print(p, "\"under_way\":%" PRIu64 ",\"waiting\":%" PRIu64 ",", iod_less(requests, waiting), waiting);
  print_connections(p, iod_count_get(&s->http), requests, lines);
  print_threads(p, atomic_load(&slot->threads), atomic_load(&slot->running), &s->counters);
  print_process(p, s);
  iod_print(p, "}");
}

static void print_workers(iod_printer_t *p, const iod_shared_t *shared, const iod_totals_t *t) {
  const char *separator = "";
  iod_print(p, "\"workers\":[");
  for (uint32_t i = 0; i < t->places; i++) {
    if (!atomic_load(&shared->stats[i].pid)) continue;
    iod_print(p, "%s", separator);
    print_worker(p, shared, i, t);
    separator = ",";
  }
  iod_print(p, "],\"root\":");
  if (atomic_load(&iod_shared_root(shared)->pid)) {
    iod_print(p, "{");
    print_process(p, iod_shared_root(shared));
    iod_print(p, "}}");
  } else {
    iod_print(p, "null}");
  }
}

void iod_stats_print_json(iod_printer_t *p, const iod_shared_t *shared) {
  iod_totals_t t;
  iod_totals_sum(&t, shared);
  iod_print(p, "{\"started\":%" PRIu64 ",", iod_count_get(&shared->lives->started));
  print_seconds(p, "uptime", iod_less(t.now_us, iod_count_get(&shared->lives->started_us)));
  iod_print(p, ",\"ready\":%s,\"restarts\":%" PRIu64 ",\"crashes\":%" PRIu64 ",", t.ready ? "true" : "false",
            iod_count_get(&shared->lives->restarts), iod_count_get(&shared->lives->crashes));
  print_answers(p, &t.counters);
  iod_print(p, "\"under_way\":%" PRIu64 ",\"waiting\":%" PRIu64 ",", iod_less(t.requests, t.waiting), t.waiting);
  print_connections(p, t.http, t.requests, t.lines);
  print_threads(p, t.threads, t.running, &t.counters);
  print_counters(p, &t.counters);
  print_workers(p, shared, &t);
}
