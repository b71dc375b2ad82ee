/* What a process counts of its work: in the mapping that all processes of a cluster share, so that the root can tell of
 * it while no Ruby runs. A process writes its own place alone, with plain loads and stores under the lock that is
 * named, and any may read it at any time. Who comes after it in its place counts on: what is summed up never goes down.
 */
#ifndef IOD_SERVER_STATS_H
#define IOD_SERVER_STATS_H

#include "../reactor/traffic.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t iod_count_t;

enum { IOD_STATS_BOUNDS = 13, IOD_STATS_CLASSES = 6, IOD_STATS_LINES = 3 /* iod_connection_kind_t */ };

/* Upper bounds of the histograms' buckets, 1 ms to 10 s; the last bucket has none. */
extern const uint32_t iod_stats_bounds_us[IOD_STATS_BOUNDS];

typedef struct iod_histogram {
  iod_count_t counts[IOD_STATS_BOUNDS + 1];
  iod_count_t sum_us;
} iod_histogram_t;

/* What only grows. Nothing but counts: they are added up as a row of numbers. */
typedef struct iod_counters {
  /* under the state lock */
  iod_count_t answers[IOD_STATS_CLASSES]; /* by the first digit of their status; 0: any other */
  iod_histogram_t latency;                /* from a request's first byte to its answer's end, of all that had a head */
  iod_histogram_t queue;                  /* from a complete request until a thread took it, of those that were taken */
  iod_traffic_t traffic;                  /* bytes of sockets, but not between processes of the cluster */
  iod_count_t accepted;
  iod_count_t refused; /* told, or shown, that they are too many: connections and requests */
  iod_count_t files;   /* answers without the application: of static files */
  iod_count_t published, delivered;
  iod_count_t slow;       /* connections that were closed because their peer didn't read */
  iod_count_t lost_lines; /* of the access log; by several threads */
  /* by any thread of the application, so these are added to atomically */
  iod_count_t busy_us;   /* in the middle of jobs */
  iod_count_t resume_us; /* from when an idle one was told of a job until it could run: in Ruby, the wait for the GVL */
} iod_counters_t;

typedef struct iod_stats {
  iod_counters_t counters;
  /* what is there now, under the state lock */
  iod_count_t http;     /* connections, … */
  iod_count_t requests; /* … those of them with a request */
  iod_count_t lines[IOD_STATS_LINES];
  iod_count_t waiting_since; /* µs: the first of those that wait came */
  /* under the jobs' lock */
  iod_count_t waiting; /* requests for a thread */
  /* by any thread of the application: any of them will do */
  iod_count_t taken_at; /* µs: the last request was taken */
  iod_count_t started;  /* seconds since 1970 */
  _Atomic int32_t pid;  /* 0: nobody is here */
  char padding[60];     /* whole cache lines */
} iod_stats_t;

_Static_assert(sizeof(iod_stats_t) % 64 == 0, "no two processes write to one cache line");

static inline uint64_t iod_count_get(const iod_count_t *count) {
  return atomic_load_explicit(count, memory_order_relaxed);
}

static inline void iod_count_set(iod_count_t *count, uint64_t n) {
  atomic_store_explicit(count, n, memory_order_relaxed);
}

/* By one thread at a time. */
static inline void iod_count_add(iod_count_t *count, uint64_t n) { iod_count_set(count, iod_count_get(count) + n); }
static inline void iod_count_one(iod_count_t *count) { iod_count_add(count, 1); }
static inline void iod_count_less(iod_count_t *count) { iod_count_add(count, UINT64_MAX); }

/* By several threads. */
static inline void iod_count_add_shared(iod_count_t *count, uint64_t n) {
  atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

void iod_histogram_add(iod_histogram_t *histogram, uint64_t us);

/* This process is there from now on; what was counted before stays. */
void iod_stats_enter(iod_stats_t *stats);

/* It isn't any more, and has nothing open. */
void iod_stats_leave(iod_stats_t *stats);

/* Adds the counters of `stats` to `sum`, which is nobody else's. */
void iod_counters_sum(iod_counters_t *sum, const iod_counters_t *counters);

/* Requests wait, and for a second none was taken. now: iod_clock_us. */
bool iod_stats_stalled(const iod_stats_t *stats, uint64_t now);

#endif
