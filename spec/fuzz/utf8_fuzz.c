/* Any bytes as text: the same wherever they are cut, and as a decoder that reads one character after the other sees it.
 */
#include "../../ext/iodine/base/utf8.h"
#include "fuzz.h"

/* The characters are decoded, and looked at then. */
static bool decodes(const uint8_t *at, size_t length) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < length;) {
    uint8_t first = at[i];
    size_t n = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    if (n == 0 || n > length - i) return false;
    uint32_t value = n == 1 ? first : first & (0xffu >> (n + 1));
    for (size_t k = 1; k < n; k++) {
      if (at[i + k] >> 6 != 2) return false;
      value = value << 6 | (at[i + k] & 63);
    }
    if (value < least[n] || value > 0x10ffff || value >> 11 == 27) return false;
    i += n;
  }
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  const char *text = test_flush(input, length);
  unsigned whole = iod_utf8(IOD_UTF8_WHOLE, text, length), bytewise = IOD_UTF8_WHOLE;
  REQUIRE((whole == IOD_UTF8_WHOLE) == decodes((const uint8_t *)text, length));
  for (size_t i = 0; i < length; i++) bytewise = iod_utf8(bytewise, text + i, 1);
  REQUIRE(bytewise == whole);
  for (size_t cut = 0; cut < length; cut += 1 + length / 64)
    REQUIRE(iod_utf8(iod_utf8(IOD_UTF8_WHOLE, text, cut), text + cut, length - cut) == whole);
  return 0;
}
