#include "histogram.h"

#include <stddef.h>

enum { STEPS = 64, LINEAR = 2 * STEPS, POWERS = 58 };

static uint64_t counts[LINEAR + POWERS * STEPS], total, greatest;

static size_t index_of(uint64_t value) {
  if (value < LINEAR) return (size_t)value;
  unsigned shift = 57 - (unsigned)__builtin_clzll(value);
  return LINEAR + (shift - 1) * STEPS + ((value >> shift) & (STEPS - 1));
}

/* The middle of a step. */
static double value_of(size_t index) {
  if (index < LINEAR) return (double)index;
  unsigned shift = (unsigned)(index - LINEAR) / STEPS + 1;
  uint64_t start = (STEPS + (index - LINEAR) % STEPS) << shift;
  return (double)(start + (1ull << shift) / 2);
}

void histogram_add(uint64_t nanoseconds) {
  counts[index_of(nanoseconds)]++;
  total++;
  if (nanoseconds > greatest) greatest = nanoseconds;
}

double histogram_percentile(double share) {
  uint64_t wanted = (uint64_t)(share * (double)total), seen = 0;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    seen += counts[i];
    if (seen > wanted || (seen == total && total)) return value_of(i) / 1e3;
  }
  return 0;
}

double histogram_max(void) { return (double)greatest / 1e3; }
