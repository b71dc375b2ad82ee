/* Any bytes as frames: each is inside of them, the same when it is written again, and not there with a byte less. */
#include "../../ext/iodine/protocol/cluster_frame.h"
#include "fuzz.h"

static void check_again(const iod_cluster_frame_t *frame, const char *at, size_t length) {
  char *out = malloc(length);
  REQUIRE(iod_cluster_frame_length(frame) == (int64_t)length);
  iod_cluster_frame_write(out, frame);
  REQUIRE(memcmp(out, at, length) == 0);
  free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  const char *at = test_flush(input, length);
  for (size_t left = length;;) {
    iod_cluster_frame_t frame;
    size_t needed;
    int64_t n = iod_cluster_frame_parse(at, left, &frame, &needed);
    REQUIRE(n <= (int64_t)left && (n >= 0 || n == IOD_E_BAD_REQUEST) && (n != 0 || needed > left));
    for (size_t cut = 0; cut < left && (n <= 0 || cut < (size_t)n) && cut < 100; cut++) {
      iod_cluster_frame_t other;
      int64_t part = iod_cluster_frame_parse(at, cut, &other, &needed);
      REQUIRE(part == 0 || (part < 0 && n < 0));
    }
    if (n <= 0) return 0;
    check_again(&frame, at, (size_t)n);
    at += n;
    left -= (size_t)n;
  }
}
