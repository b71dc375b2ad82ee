#include "heap.h"

#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>

enum {
  KEPT = 64 << 20,  /* bytes at the heap's end */
  MAPPED = 4 << 20, /* bytes of a block that gets a mapping of its own */
  ARENAS = 2,       /* for who runs Ruby and for who doesn't */
};

static void set(const char *variable, int parameter, int value) {
  if (!getenv(variable)) mallopt(parameter, value);
}

void iod_heap_set(void) {
  if (getenv("GLIBC_TUNABLES")) return;
  set("MALLOC_TRIM_THRESHOLD_", M_TRIM_THRESHOLD, KEPT);
  set("MALLOC_MMAP_THRESHOLD_", M_MMAP_THRESHOLD, MAPPED);
  set("MALLOC_ARENA_MAX", M_ARENA_MAX, ARENAS);
}

void iod_heap_trim(void) { malloc_trim(0); }

#else

void iod_heap_set(void) {}
void iod_heap_trim(void) {}

#endif
