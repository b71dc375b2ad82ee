#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"

TEST(alloc_zero_clears) {
  char *bytes = iod_alloc_zero(64);
  for (int i = 0; i < 64; i++) CHECK_INT(bytes[i], 0);
  iod_free(bytes);
  iod_free(NULL);
}

TEST(alloc_fails_once_at_the_countdown) {
  iod_alloc_countdown = 1;
  void *first = iod_alloc(1), *second = iod_alloc(1), *third = iod_alloc(1);
  CHECK(first != NULL);
  CHECK(second == NULL);
  CHECK(third != NULL);
  CHECK_INT(iod_alloc_countdown, -1);
  iod_free(first);
  iod_free(third);

  iod_alloc_countdown = 0;
  CHECK(iod_alloc_zero(1) == NULL);
  void *memory = iod_alloc(1);
  iod_alloc_countdown = 0;
  CHECK(iod_realloc(memory, 2) == NULL);
  iod_free(memory);
}

TEST(pool_gives_back_what_it_got) {
  iod_pool_t pool;
  iod_pool_init(&pool, 100, 2);
  void *a = iod_pool_take(&pool), *b = iod_pool_take(&pool), *c = iod_pool_take(&pool);
  memset(a, 1, 100);
  iod_pool_give(&pool, a);
  iod_pool_give(&pool, b);
  iod_pool_give(&pool, c); /* over what it keeps */
  iod_pool_give(&pool, NULL);
#if FIO_FORCE_MALLOC
  CHECK_INT(pool.kept, 0);
  CHECK(pool.free_blocks == NULL);
#else
  CHECK_INT(pool.kept, 2);
  CHECK(iod_pool_take(&pool) == b);
  CHECK(iod_pool_take(&pool) == a);
  CHECK_INT(pool.kept, 0);
  iod_free(a);
  iod_pool_give(&pool, b);
#endif
  void *in_use = iod_pool_take(&pool);
  iod_pool_deinit(&pool);
  CHECK_INT(pool.kept, 0);
  iod_free(in_use); /* still valid */
}

TEST(pool_of_tiny_blocks) {
  iod_pool_t pool;
  iod_pool_init(&pool, 1, 8);
  void *blocks[8];
  for (int i = 0; i < 8; i++) blocks[i] = iod_pool_take(&pool);
  for (int i = 0; i < 8; i++) iod_pool_give(&pool, blocks[i]);
  iod_pool_deinit(&pool);
}

TEST(pool_without_memory) {
  iod_pool_t pool;
  iod_pool_init(&pool, 64, 4);
  iod_alloc_countdown = 0;
  CHECK(iod_pool_take(&pool) == NULL);
  void *block = iod_pool_take(&pool);
  CHECK(block != NULL);
  iod_pool_give(&pool, block);
  iod_pool_deinit(&pool);
}
