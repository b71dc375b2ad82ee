#include "../../../ext/iodine/base/hash.h"
#include "../flush.h"
#include "../test.h"

TEST(hash_of_known_bytes) {
  static const iod_seed_t zero;
  static const char counted[15] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  static const struct {
    iod_slice_t bytes;
    uint64_t hash;
  } cases[] = {
      {{"a", 1}, UINT64_C(0x407448d2b89b1813)},
      {{"abcdefg", 7}, UINT64_C(0x6db12aae9070f506)},
      {{"abcdefgh", 8}, UINT64_C(0x3f7b849c0b8e35ea)},
      {{"hello world, hello world", 24}, UINT64_C(0x80586eb8f9b24213)},
      {{counted, sizeof counted}, UINT64_C(0xf30eb725bb91c9ea)},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = cases[i].bytes.length;
    CHECK(iod_hash(&zero, (iod_slice_t){test_flush(cases[i].bytes.at, n), n}) == cases[i].hash);
  }
}

TEST(hash_depends_on_all_of_the_seed) {
  iod_seed_t a = {{1, 2}}, b = {{1, 3}}, c = {{2, 2}};
  CHECK(iod_hash(&a, IOD_SLICE("x")) != iod_hash(&b, IOD_SLICE("x")));
  CHECK(iod_hash(&a, IOD_SLICE("x")) != iod_hash(&c, IOD_SLICE("x")));
  CHECK(iod_hash(&a, (iod_slice_t){NULL, 0}) == iod_hash(&a, IOD_SLICE("")));
}
