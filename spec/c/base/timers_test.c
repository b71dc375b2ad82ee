#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/timers.h"
#include "../test.h"

#include <stdlib.h>

TEST(timers_fire_in_order) {
  iod_timers_t timers = {0};
  iod_timer_t a = {0}, b = {0}, c = {0};
  CHECK(iod_timers_next(&timers) == UINT64_MAX);
  CHECK_INT(iod_timers_set(&timers, &a, 30), 0);
  CHECK_INT(iod_timers_set(&timers, &b, 10), 0);
  CHECK_INT(iod_timers_set(&timers, &c, 20), 0);
  CHECK_INT(iod_timers_next(&timers), 10);
  CHECK(iod_timers_pop(&timers, 9) == NULL);
  CHECK(iod_timers_pop(&timers, 25) == &b);
  CHECK_INT(b.due, 0);
  CHECK_INT(b.index, 0);
  CHECK(iod_timers_pop(&timers, 25) == &c);
  CHECK(iod_timers_pop(&timers, 25) == NULL);
  CHECK(iod_timers_pop(&timers, 30) == &a);
  CHECK(iod_timers_pop(&timers, UINT64_MAX) == NULL);
  iod_timers_deinit(&timers);
}

TEST(timers_move_later_for_the_price_of_a_store) {
  iod_timers_t timers = {0};
  iod_timer_t a = {0}, b = {0};
  CHECK_INT(iod_timers_set(&timers, &a, 10), 0);
  CHECK_INT(iod_timers_set(&timers, &b, 20), 0);
  CHECK_INT(iod_timers_set(&timers, &a, 100), 0);
  CHECK_INT(iod_timers_next(&timers), 10); /* at or before the earliest */
  CHECK(iod_timers_pop(&timers, 15) == NULL);
  CHECK_INT(iod_timers_next(&timers), 20);
  CHECK(iod_timers_pop(&timers, 99) == &b);
  CHECK(iod_timers_pop(&timers, 99) == NULL);
  CHECK(iod_timers_pop(&timers, 100) == &a);
  iod_timers_deinit(&timers);
}

TEST(timers_move_earlier) {
  iod_timers_t timers = {0};
  iod_timer_t a = {0}, b = {0};
  CHECK_INT(iod_timers_set(&timers, &a, 50), 0);
  CHECK_INT(iod_timers_set(&timers, &b, 20), 0);
  CHECK_INT(iod_timers_set(&timers, &a, 200), 0); /* later than its place in the heap, */
  CHECK_INT(iod_timers_set(&timers, &a, 60), 0);  /* then earlier, but not before it */
  CHECK_INT(iod_timers_set(&timers, &a, 10), 0);
  CHECK_INT(iod_timers_next(&timers), 10);
  CHECK(iod_timers_pop(&timers, 10) == &a);
  CHECK(iod_timers_pop(&timers, 300) == &b);
  CHECK(iod_timers_pop(&timers, 300) == NULL);
  iod_timers_deinit(&timers);
}

TEST(timers_unset_do_not_fire) {
  iod_timers_t timers = {0};
  iod_timer_t a = {0};
  iod_timers_unset(&a);
  CHECK_INT(iod_timers_set(&timers, &a, 10), 0);
  iod_timers_unset(&a);
  CHECK(iod_timers_pop(&timers, 20) == NULL);
  CHECK_INT(a.index, 0);
  CHECK_INT(iod_timers_set(&timers, &a, 30), 0);
  iod_timers_unset(&a);
  CHECK_INT(iod_timers_set(&timers, &a, 40), 0); /* still in the heap */
  CHECK(iod_timers_pop(&timers, 39) == NULL);
  CHECK(iod_timers_pop(&timers, 40) == &a);
  iod_timers_deinit(&timers);
}

TEST(timers_remove) {
  iod_timers_t timers = {0};
  iod_timer_t a = {0}, b = {0};
  iod_timers_remove(&timers, &a);
  CHECK_INT(iod_timers_set(&timers, &a, 10), 0);
  CHECK_INT(iod_timers_set(&timers, &b, 20), 0);
  iod_timers_remove(&timers, &a);
  CHECK_INT(a.index, 0);
  CHECK(iod_timers_pop(&timers, 100) == &b);
  CHECK(iod_timers_next(&timers) == UINT64_MAX);
  iod_timers_deinit(&timers);
}

static void set_twenty(void) {
  iod_timers_t timers = {0};
  iod_timer_t set[20] = {{0}};
  int in_heap = 0;
  for (uint64_t i = 0; i < 20; i++) {
    int result = iod_timers_set(&timers, &set[i], i + 1);
    CHECK(result == 0 || (result == IOD_E_NOMEM && set[i].due == 0 && set[i].index == 0));
    in_heap += result == 0;
  }
  for (; in_heap > 0; in_heap--) CHECK(iod_timers_pop(&timers, 20) != NULL);
  CHECK(iod_timers_pop(&timers, 20) == NULL);
  iod_timers_deinit(&timers);
}

TEST(timers_without_memory) { test_each_allocation_fails(set_twenty); }

/* The heap against the plainest model: an array of due times. */
enum { MANY = 200 };

static uint64_t earliest(const uint64_t model[MANY]) {
  uint64_t first = UINT64_MAX;
  for (int i = 0; i < MANY; i++)
    if (model[i] != 0 && model[i] < first) first = model[i];
  return first;
}

TEST(timers_as_their_model) {
  static iod_timer_t timer[MANY];
  static uint64_t model[MANY];
  iod_timers_t timers = {0};
  uint64_t now = 1;
  srand(1);
  for (int step = 0; step < 50000; step++) {
    int i = rand() % MANY;
    switch (rand() % 8) {
    case 0:
      iod_timers_unset(&timer[i]);
      model[i] = 0;
      break;
    case 1:
      iod_timers_remove(&timers, &timer[i]);
      model[i] = 0;
      break;
    case 2:
      now += (uint64_t)(rand() % 50);
      for (iod_timer_t *due; (due = iod_timers_pop(&timers, now));) {
        int which = (int)(due - timer);
        CHECK(model[which] != 0 && model[which] <= now);
        model[which] = 0;
      }
      CHECK(earliest(model) > now);
      break;
    default:
      model[i] = now + 1 + (uint64_t)(rand() % 1000);
      CHECK_INT(iod_timers_set(&timers, &timer[i], model[i]), 0);
      break;
    }
    CHECK(iod_timers_next(&timers) <= earliest(model));
  }
  iod_timers_deinit(&timers);
}
