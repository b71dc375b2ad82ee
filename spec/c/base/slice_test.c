#include "../../../ext/iodine/base/slice.h"
#include "../test.h"

TEST(slices_compare) {
  iod_slice_t none = {NULL, 0};
  CHECK(iod_slice_equal(none, IOD_SLICE("")));
  CHECK(iod_slice_equal(IOD_SLICE("ab"), IOD_SLICE("ab")));
  CHECK(!iod_slice_equal(IOD_SLICE("ab"), IOD_SLICE("aB")));
  CHECK(!iod_slice_equal(IOD_SLICE("ab"), IOD_SLICE("abc")));
}

TEST(slices_compare_without_case) {
  CHECK(iod_slice_is(IOD_SLICE("Keep-ALIVE"), IOD_SLICE("keep-alive")));
  CHECK(!iod_slice_is(IOD_SLICE("keep-aliv"), IOD_SLICE("keep-alive")));
  for (int c = 0; c < 256; c++) {
    char byte = (char)c;
    bool is_k = c == 'k' || c == 'K';
    CHECK(iod_slice_is((iod_slice_t){&byte, 1}, IOD_SLICE("k")) == is_k);
    CHECK(iod_slice_is((iod_slice_t){&byte, 1}, IOD_SLICE("[")) == (c == '['));
    CHECK(iod_slice_is((iod_slice_t){&byte, 1}, IOD_SLICE("{")) == (c == '{'));
  }
}
