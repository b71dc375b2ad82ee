#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/buffer.h"
#include "../test.h"

#include <stdint.h>

static void check_holds(const iod_buffer_t *b, const char *expected) {
  CHECK_BYTES(iod_buffer_length(b) ? iod_buffer_head(b) : NULL, iod_buffer_length(b), expected);
}

TEST(buffer_starts_empty_and_grows) {
  iod_buffer_t b = {0};
  CHECK_INT(iod_buffer_length(&b), 0);
  CHECK_INT(iod_buffer_append(&b, NULL, 0), 0);
  CHECK(b.bytes == NULL);
  char expected[10001] = "";
  for (int i = 0; i < 10000; i++) {
    expected[i] = (char)('a' + i % 26);
    CHECK_INT(iod_buffer_append(&b, &expected[i], 1), 0);
  }
  check_holds(&b, expected);
  iod_buffer_deinit(&b);
  CHECK(b.bytes == NULL);
  CHECK_INT(iod_buffer_append(&b, "again", 5), 0);
  check_holds(&b, "again");
  iod_buffer_deinit(&b);
}

TEST(buffer_consumed_to_the_end_starts_at_zero) {
  iod_buffer_t b = {0};
  CHECK_INT(iod_buffer_append(&b, "hello", 5), 0);
  iod_buffer_consume(&b, 2);
  check_holds(&b, "llo");
  CHECK_INT(b.start, 2);
  iod_buffer_consume(&b, 3);
  CHECK_INT(b.start, 0);
  CHECK_INT(b.end, 0);
  iod_buffer_deinit(&b);
}

TEST(buffer_moves_to_the_front_rather_than_grow) {
  iod_buffer_t b = {0};
  CHECK_INT(iod_buffer_reserve(&b, 100), 0);
  size_t capacity = b.capacity;
  iod_buffer_extend(&b, capacity);
  memset(b.bytes, 'x', capacity);
  memcpy(b.bytes + capacity - 3, "end", 3);
  iod_buffer_consume(&b, capacity - 3);
  CHECK_INT(iod_buffer_reserve(&b, capacity - 3), 0);
  CHECK_INT(b.capacity, capacity);
  CHECK_INT(b.start, 0);
  check_holds(&b, "end");
  iod_buffer_deinit(&b);
}

TEST(buffer_that_slides_stays_small_and_copies_little) {
  iod_buffer_t b = {0};
  CHECK_INT(iod_buffer_append(&b, "0123456789012345678901234567890123456789", 40), 0);
  for (int i = 40; i < 100000; i++) {
    char c = (char)('0' + i % 10);
    CHECK_INT(iod_buffer_append(&b, &c, 1), 0);
    CHECK_INT(*iod_buffer_head(&b), '0' + (i - 40) % 10);
    iod_buffer_consume(&b, 1);
  }
  CHECK_INT(iod_buffer_length(&b), 40);
  CHECK(b.capacity <= 256);
  iod_buffer_deinit(&b);
}

TEST(buffer_without_memory_is_unchanged) {
  iod_buffer_t b = {0};
  CHECK_INT(iod_buffer_append(&b, "hello", 5), 0);
  iod_buffer_consume(&b, 1);
  iod_buffer_t before = b;
  iod_alloc_countdown = 0;
  CHECK_INT(iod_buffer_reserve(&b, 1000), IOD_E_NOMEM);
  CHECK_INT(memcmp(&b, &before, sizeof(b)), 0);
  iod_alloc_countdown = 0;
  char zeroes[1000] = "";
  CHECK_INT(iod_buffer_append(&b, zeroes, sizeof(zeroes)), IOD_E_NOMEM);
  iod_alloc_countdown = -1;
  CHECK_INT(iod_buffer_reserve(&b, SIZE_MAX), IOD_E_NOMEM);
  CHECK_INT(iod_buffer_reserve(&b, (size_t)PTRDIFF_MAX), IOD_E_NOMEM);
  CHECK_INT(iod_buffer_reserve(&b, (size_t)UINT32_MAX - iod_buffer_length(&b) + 1), IOD_E_NOMEM);
  CHECK_INT(memcmp(&b, &before, sizeof(b)), 0);
  check_holds(&b, "ello");
  iod_buffer_deinit(&b);
}
