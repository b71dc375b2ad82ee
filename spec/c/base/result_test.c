#include "../../../ext/iodine/base/result.h"
#include "../test.h"

TEST(errors_have_names) {
  CHECK(strcmp(iod_error_name(IOD_E_HEAD_TOO_LARGE), "HEAD_TOO_LARGE: head over the limit") == 0);
  CHECK(strcmp(iod_error_name(IOD_E_NOMEM), "NOMEM: out of memory") == 0);
  CHECK(strcmp(iod_error_name(7), "UNKNOWN: not an error code") == 0);
}
