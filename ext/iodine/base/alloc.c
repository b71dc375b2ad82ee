#include "alloc.h"

#include <stdbool.h>
#include <stdlib.h>

#ifdef IOD_TEST_ALLOC
long iod_alloc_countdown = -1;

static bool refused(void) {
  if (__atomic_load_n(&iod_alloc_countdown, __ATOMIC_RELAXED) < 0) return false;
  return __atomic_fetch_sub(&iod_alloc_countdown, 1, __ATOMIC_RELAXED) == 0;
}
#else
static inline bool refused(void) { return false; }
#endif

void *iod_alloc(size_t size) { return refused() ? NULL : malloc(size); }
void *iod_alloc_zero(size_t size) { return refused() ? NULL : calloc(1, size); }
void *iod_realloc(void *memory, size_t size) { return refused() ? NULL : realloc(memory, size); }
void iod_free(void *memory) { free(memory); }

/* A free block's first bytes are the link to the next one. */
typedef struct free_block {
  struct free_block *next;
} free_block_t;

void iod_pool_init(iod_pool_t *pool, size_t size, unsigned keep) {
  if (size < sizeof(free_block_t)) size = sizeof(free_block_t);
#if FIO_FORCE_MALLOC
  keep = 0;
#endif
  *pool = (iod_pool_t){.size = size, .keep = keep};
}

void iod_pool_deinit(iod_pool_t *pool) {
  for (free_block_t *block = pool->free_blocks, *next; block; block = next) {
    next = block->next;
    iod_free(block);
  }
  pool->free_blocks = NULL;
  pool->kept = 0;
}

void *iod_pool_take(iod_pool_t *pool) {
  free_block_t *block = pool->free_blocks;
  if (!block) return iod_alloc(pool->size);
  pool->free_blocks = block->next;
  pool->kept--;
  return block;
}

void iod_pool_give(iod_pool_t *pool, void *memory) {
  if (!memory) return;
  if (pool->kept >= pool->keep) {
    iod_free(memory);
    return;
  }
  free_block_t *block = memory;
  block->next = pool->free_blocks;
  pool->free_blocks = block;
  pool->kept++;
}
