#pragma once
/* CPU time and memory of a server: the session that its process leads, if it leads one, and all descendants. */
#include <stdbool.h>

typedef struct {
  double user, system; /* seconds */
  long rss, pss, anon; /* KB; 0 unless memory was asked for */
  int processes;
} usage_t;

/* All zero if pid is 0. Memory is counted page by page, which takes a while for a large process. */
usage_t usage_of(int pid, bool memory);
/* CPU time of this process in seconds. */
double usage_own(void);
