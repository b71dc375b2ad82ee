#pragma once
/* Monotonic time in nanoseconds. */
#include <stdint.h>
#include <time.h>

enum { SECOND = 1000000000 };

static inline uint64_t clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_span(double seconds) { return (uint64_t)(seconds * SECOND); }
