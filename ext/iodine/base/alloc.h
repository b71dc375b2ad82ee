/* The allocation seam. All memory below the bridge comes from here, so that tests can make the k-th allocation fail
 * and FIO_FORCE_MALLOC can turn the pools off. Any thread. */
#ifndef IOD_BASE_ALLOC_H
#define IOD_BASE_ALLOC_H

#include "result.h"

#include <stddef.h>

/* NULL when out of memory; iod_alloc's bytes are not cleared. iod_free(NULL) is a no-op. */
IOD_MUST_USE void *iod_alloc(size_t size);
IOD_MUST_USE void *iod_alloc_zero(size_t size);
IOD_MUST_USE void *iod_realloc(void *memory, size_t size);
void iod_free(void *memory);

#ifdef IOD_TEST_ALLOC
/* Tests only: the allocation after `countdown` more successful ones fails, once. Negative: none fails. */
extern long iod_alloc_countdown;
#endif

/* A pool keeps up to `keep` freed blocks of one size for the next caller. It has no lock: its owner has. With
 * FIO_FORCE_MALLOC every block is a malloc of its own. */
typedef struct iod_pool {
  void *free_blocks;
  size_t size;
  unsigned kept, keep;
} iod_pool_t;

void iod_pool_init(iod_pool_t *pool, size_t size, unsigned keep);
void iod_pool_deinit(iod_pool_t *pool); /* blocks still in use stay valid and go to iod_free */
IOD_MUST_USE void *iod_pool_take(iod_pool_t *pool);
void iod_pool_give(iod_pool_t *pool, void *block);

#endif
