/* A byte that chooses the file's length and any bytes as a Range: pieces of the file, apart from each other, the same
 * when they are asked for as they are, and a body as long as it was said to be. */
#include "../../ext/iodine/protocol/multipart.h"
#include "fuzz.h"

static void check_inside(const iod_ranges_t *ranges, uint64_t file_length) {
  for (size_t i = 0; i < ranges->count; i++) {
    const iod_range_t *one = &ranges->at[i];
    REQUIRE(one->length > 0 && one->first < file_length && one->length <= file_length - one->first);
    for (size_t j = 0; j < i; j++) {
      const iod_range_t *other = &ranges->at[j];
      REQUIRE(one->first + one->length < other->first || other->first + other->length < one->first);
    }
  }
}

static void check_again(const iod_ranges_t *ranges, uint64_t file_length) {
  char value[IOD_RANGES_MAX * 44 + 8];
  char *out = value + sprintf(value, "bytes=");
  for (size_t i = 0; i < ranges->count; i++)
    out += sprintf(out, "%llu-%llu,", (unsigned long long)ranges->at[i].first,
                   (unsigned long long)(ranges->at[i].first + ranges->at[i].length - 1));
  iod_ranges_t again;
  REQUIRE(iod_ranges_parse(&again, (iod_slice_t){value, (size_t)(out - value)}, file_length) == (int)ranges->count);
  for (size_t i = 0; i < ranges->count; i++)
    REQUIRE(again.at[i].first == ranges->at[i].first && again.at[i].length == ranges->at[i].length);
}

static void check_body(const iod_ranges_t *ranges, uint64_t file_length) {
  const iod_multipart_t body = {IOD_SLICE("boundary"), IOD_SLICE("text/plain"), file_length, ranges};
  iod_buffer_t out = {0};
  uint64_t length = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    REQUIRE(iod_multipart_append_head(&out, &body, i) == 0);
    length += ranges->at[i].length;
  }
  REQUIRE(iod_multipart_append_end(&out, &body) == 0);
  REQUIRE(iod_multipart_length(&body) == length + iod_buffer_length(&out));
  iod_buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  if (length == 0) return 0;
  uint64_t file_length = input[0] < 0x80 ? input[0] : UINT64_MAX >> (input[0] & 0x3f);
  iod_ranges_t ranges;
  int n = iod_ranges_parse(&ranges, (iod_slice_t){test_flush(input + 1, length - 1), length - 1}, file_length);
  REQUIRE(n == IOD_E_RANGE || (n >= 0 && n <= IOD_RANGES_MAX));
  if (n <= 0) return 0;
  REQUIRE(ranges.count == (size_t)n);
  check_inside(&ranges, file_length);
  check_again(&ranges, file_length);
  check_body(&ranges, file_length);
  return 0;
}
