#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/payload.h"
#include "../test.h"

TEST(payload_lives_as_long_as_somebody_has_it) {
  iod_payload_t *payload = iod_payload_new(5);
  memcpy(payload->bytes, "hello", 5);
  iod_payload_t *other = iod_payload_ref(payload);
  iod_payload_unref(payload);
  CHECK_BYTES(iod_payload_slice(other).at, iod_payload_slice(other).length, "hello");
  iod_payload_unref(other);
}

TEST(payload_of_nothing_and_of_too_much) {
  iod_payload_t *payload = iod_payload_new(0);
  CHECK(payload && payload->length == 0);
  iod_payload_unref(payload);
  CHECK(!iod_payload_new(SIZE_MAX));
  CHECK(!iod_payload_new((size_t)PTRDIFF_MAX));
  iod_alloc_countdown = 0;
  CHECK(!iod_payload_new(5));
  iod_alloc_countdown = -1;
}
