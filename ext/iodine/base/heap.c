#include "heap.h"

#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>

enum { KEPT = 64 << 20, MAPPED = 4 << 20 }; /* bytes at the heap's end; of blocks that get a mapping of their own */

void iod_heap_keep(void) {
  if (getenv("MALLOC_TRIM_THRESHOLD_") || getenv("MALLOC_MMAP_THRESHOLD_") || getenv("GLIBC_TUNABLES")) return;
  mallopt(M_TRIM_THRESHOLD, KEPT);
  mallopt(M_MMAP_THRESHOLD, MAPPED);
}

void iod_heap_trim(void) { malloc_trim(0); }

#else

void iod_heap_keep(void) {}
void iod_heap_trim(void) {}

#endif
