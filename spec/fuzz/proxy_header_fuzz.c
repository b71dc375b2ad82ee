/* Any bytes as the beginning of a connection: the same result however they are cut, within the limits. */
#include "../c/flush.c"
#include "../c/protocol/cuts.c"

#define REQUIRE(condition)                                                                                             \
  if (!(condition)) abort()

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  const char *bytes = length > 0 ? (const char *)input : "";
  iod_proxy_header_t header;
  int result = cuts_proxy_header(bytes, length, &header);
  REQUIRE(result != CUTS_DIFFER);
  REQUIRE(result <= IOD_PROXY_HEADER_MAX && (result <= 0 || (size_t)result <= length));
  REQUIRE(result != 0 || length < IOD_PROXY_HEADER_MAX);
  REQUIRE(result <= 0 || *bytes == '\r' || result <= IOD_PROXY_LINE_MAX);
  REQUIRE(result > 0 || !header.named);
  return 0;
}
