#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/server/rss.h"
#include "../../../ext/iodine/server/stats_text.h"
#include "../test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static iod_printer_t printer;

static const char *text_of(void (*print)(iod_printer_t *, const iod_shared_t *), const iod_shared_t *shared) {
  iod_buffer_clear(&printer.buffer);
  print(&printer, shared);
  iod_print(&printer, "%c", 0);
  CHECK(!printer.failed);
  return iod_buffer_head(&printer.buffer);
}

static const char *json(const iod_shared_t *shared) { return text_of(iod_stats_print_json, shared); }
static const char *prometheus(const iod_shared_t *shared) { return text_of(iod_stats_print_prometheus, shared); }

/* A worker's work. */
static void work(iod_stats_t *s, int requests) {
  for (int i = 0; i < requests; i++) {
    iod_count_one(&s->counters.answers[2]);
    iod_histogram_add(&s->counters.latency, 1500);
  }
}

TEST(stats_histograms) {
  iod_histogram_t h = {0};
  test_case("a bucket's bound belongs to it; the last has none");
  iod_histogram_add(&h, 0);
  iod_histogram_add(&h, 1000);
  iod_histogram_add(&h, 1001);
  iod_histogram_add(&h, 10000000);
  iod_histogram_add(&h, 10000001);
  CHECK_INT(h.counts[0], 2);
  CHECK_INT(h.counts[1], 1);
  CHECK_INT(h.counts[IOD_STATS_BOUNDS - 1], 1);
  CHECK_INT(h.counts[IOD_STATS_BOUNDS], 1);
  CHECK_INT(h.sum_us, 20002002);
  test_case("each bound and what is next to it");
  for (int i = 0; i < IOD_STATS_BOUNDS; i++) {
    h = (iod_histogram_t){0};
    for (int more = -1; more <= 1; more++) iod_histogram_add(&h, (uint64_t)((int64_t)iod_stats_bounds_us[i] + more));
    CHECK_INT(h.counts[i], 2);
    CHECK_INT(h.counts[i + 1], 1);
  }
  iod_histogram_add(&h, UINT64_MAX);
  CHECK(h.counts[IOD_STATS_BOUNDS] > 0);
}

TEST(stats_of_workers) {
  iod_shared_t shared = iod_shared_new(3);
  iod_shared_enter(&shared, 0);
  iod_shared_enter(&shared, 1);
  work(&shared.stats[0], 3);
  work(&shared.stats[1], 4);

  test_case("are summed up");
  CHECK(strstr(json(&shared), "\"2xx\":7,") != NULL);
  CHECK(strstr(prometheus(&shared), "\niodine_requests_total{code=\"2xx\"} 7\n") != NULL);
  CHECK(strstr(prometheus(&shared), "_duration_seconds_bucket{le=\"0.001\"} 0\n") != NULL);
  CHECK(strstr(prometheus(&shared), "_duration_seconds_bucket{le=\"0.0025\"} 7\n") != NULL);
  CHECK(strstr(prometheus(&shared), "_duration_seconds_bucket{le=\"+Inf\"} 7\n") != NULL);
  CHECK(strstr(prometheus(&shared), "_duration_seconds_sum 0.010500\n") != NULL);

  test_case("are there while the workers are");
  CHECK(strstr(prometheus(&shared), "iodine_threads{worker=\"2\"} 0\n") != NULL);
  CHECK(strstr(prometheus(&shared), "iodine_threads{worker=\"3\"}") == NULL);
  CHECK(strstr(json(&shared), "{\"worker\":2,\"serving\":true,\"ready\":true,") != NULL);

  test_case("a worker that ends serves no more, but is still there");
  iod_shared_leave(&shared, 1);
  CHECK(strstr(json(&shared), "{\"worker\":2,\"serving\":false,\"ready\":false,") != NULL);
  CHECK(strstr(prometheus(&shared), "\niodine_workers_ready 1\n") != NULL);

  test_case("what was counted stays when it has gone, and who comes after it counts on");
  iod_count_set(&shared.stats[1].http, 5);
  iod_stats_leave(&shared.stats[1]);
  CHECK(strstr(json(&shared), "\"worker\":2") == NULL);
  CHECK(strstr(json(&shared), "\"2xx\":7,") != NULL);
  iod_shared_enter(&shared, 1);
  work(&shared.stats[1], 1);
  CHECK(strstr(json(&shared), "\"2xx\":8,") != NULL);
  CHECK(strstr(prometheus(&shared), "iodine_connections{worker=\"2\",kind=\"http_idle\"} 0\n") != NULL);
  iod_shared_free(&shared);
}

TEST(stats_of_a_root) {
  iod_shared_t shared = iod_shared_new(1);
  iod_shared_enter(&shared, 0);
  test_case("a single process has none");
  CHECK(strstr(json(&shared), "\"root\":null}") != NULL);
  CHECK(strstr(prometheus(&shared), "worker=\"root\"") == NULL);

  test_case("its own work counts too");
  iod_stats_enter(iod_shared_root(&shared));
  iod_count_add(&iod_shared_root(&shared)->counters.published, 2);
  iod_count_add(&shared.stats[0].counters.published, 1);
  iod_count_one(&shared.lives->restarts);
  CHECK(strstr(prometheus(&shared), "\niodine_published_total 3\n") != NULL);
  CHECK(strstr(prometheus(&shared), "\niodine_resident_memory_bytes{worker=\"root\"} ") != NULL);
  CHECK(strstr(json(&shared), "\"restarts\":1,\"crashes\":0,") != NULL);
  CHECK(strstr(json(&shared), "\"root\":{\"pid\":") != NULL);
  iod_shared_free(&shared);
}

TEST(stats_of_another_process) {
  iod_shared_t shared = iod_shared_new(2);
  test_case("can be read while it writes, and after it was killed");
  pid_t child = fork();
  if (child == 0) {
    iod_shared_enter(&shared, 0);
    work(&shared.stats[0], 1000);
    _exit(0);
  }
  CHECK(waitpid(child, NULL, 0) == child);
  CHECK(strstr(json(&shared), "\"2xx\":1000,") != NULL);
  CHECK(strstr(json(&shared), "\"worker\":1,") != NULL); /* until the root says that it is gone */
  iod_shared_free(&shared);
}

TEST(stats_of_a_stall) {
  iod_stats_t s = {0};
  uint64_t now = 100000000;
  test_case("nobody waits");
  CHECK(!iod_stats_stalled(&s, now));
  test_case("requests have just come, after a long silence");
  iod_count_set(&s.waiting, 3);
  iod_count_set(&s.waiting_since, now - 999999);
  CHECK(!iod_stats_stalled(&s, now));
  test_case("and none is taken");
  CHECK(iod_stats_stalled(&s, now + 2));
  test_case("until one is");
  iod_count_set(&s.taken_at, now + 2);
  CHECK(!iod_stats_stalled(&s, now + 3));
}

TEST(stats_of_memory) {
  test_case("this process has some, a process that isn't there none");
  CHECK(iod_rss_of(getpid()) > 1 << 20);
  CHECK_INT(iod_rss_of(-1), 0);
  CHECK_INT(iod_rss_of(0x7fffffff), 0);
}

static void print_both(void) {
  static iod_shared_t shared;
  if (!shared.slots) shared = iod_shared_new(4);
  for (uint32_t i = 0; i < 4; i++) iod_shared_enter(&shared, i);
  iod_printer_t p = {0};
  iod_stats_print_json(&p, &shared);
  iod_stats_print_prometheus(&p, &shared);
  iod_buffer_deinit(&p.buffer);
}

TEST(stats_without_memory) {
  test_case("no text without memory for it");
  test_each_allocation_fails(print_both);
  iod_buffer_deinit(&printer.buffer);
}
