#pragma once
/* Latencies in nanoseconds, kept in 64 steps to each power of two: 1.6 % exact, in constant memory. */
#include <stdint.h>

void histogram_add(uint64_t nanoseconds);
/* In microseconds; 0 when there is nothing. share is 0..1. */
double histogram_percentile(double share);
double histogram_max(void);
