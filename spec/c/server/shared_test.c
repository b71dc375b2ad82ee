#include "../../../ext/iodine/server/shared.h"
#include "../test.h"

static iod_shared_t shared;

static void serve(uint32_t slot, uint32_t connections) {
  iod_shared_enter(&shared, slot);
  atomic_store(&shared.slots[slot].connections, connections);
  atomic_store(&shared.slots[slot].threads, 1);
}

TEST(the_root_knows_the_connections_of_all) {
  bool idle;
  shared = iod_shared_new(4);
  CHECK(shared.slots != NULL);

  test_case("none, while nobody serves");
  CHECK_INT(iod_shared_connections(&shared), 0);
  CHECK(iod_shared_least(&shared, 0, &idle) == UINT32_MAX);

  test_case("the sum over those who serve");
  serve(0, 5);
  serve(2, 7);
  CHECK_INT(iod_shared_connections(&shared), 12);

  test_case("without those of one that is gone");
  iod_shared_leave(&shared, 0);
  CHECK_INT(iod_shared_connections(&shared), 7);

  test_case("a worker compares itself with the others alone");
  serve(1, 9);
  CHECK_INT(iod_shared_least(&shared, 2, &idle), 9);
  CHECK_INT(iod_shared_least(&shared, 1, &idle), 7);
  CHECK(idle);

  test_case("one without an idle thread comes last");
  atomic_store(&shared.slots[2].stand_in_drives, true);
  atomic_store(&shared.slots[2].running, 1);
  CHECK_INT(iod_shared_least(&shared, 3, &idle), 9);
  CHECK(idle);
  iod_shared_free(&shared);
  CHECK(shared.slots == NULL);
}
