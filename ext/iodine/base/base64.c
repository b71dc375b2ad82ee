#include "base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t iod_base64_encode(char *out, iod_slice_t bytes) {
  char *to = out;
  for (size_t i = 0; i < bytes.length; i += 3) {
    uint32_t group = 0;
    size_t count = bytes.length - i < 3 ? bytes.length - i : 3;
    for (size_t k = 0; k < 3; k++) group = group << 8 | (k < count ? (uint8_t)bytes.at[i + k] : 0);
    for (size_t k = 0; k < 4; k++) *to++ = k <= count ? DIGITS[group >> (18 - 6 * k) & 63] : '=';
  }
  return (size_t)(to - out);
}

/* 0..63, or -1 */
static int digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The bytes of four characters whose last `padding` are '='. */
static int decode_group(uint8_t *out, const char *at, size_t padding) {
  uint32_t group = 0;
  for (size_t k = 0; k < 4; k++) {
    int value = k < 4 - padding ? digit(at[k]) : 0;
    if (value < 0) return IOD_E_BAD_REQUEST;
    group = group << 6 | (uint32_t)value;
  }
  for (size_t k = 0; k < 3; k++) {
    uint8_t byte = (uint8_t)(group >> (16 - 8 * k));
    if (k < 3 - padding)
      out[k] = byte;
    else if (byte != 0)
      return IOD_E_BAD_REQUEST;
  }
  return 0;
}

long iod_base64_decode(uint8_t *out, iod_slice_t text) {
  size_t n = text.length, padding = 0;
  if (n % 4 != 0) return IOD_E_BAD_REQUEST;
  if (n > 0 && text.at[n - 1] == '=') padding = text.at[n - 2] == '=' ? 2 : 1;
  for (size_t i = 0; i < n; i += 4)
    if (decode_group(out + i / 4 * 3, text.at + i, i + 4 == n ? padding : 0) != 0) return IOD_E_BAD_REQUEST;
  return (long)(n / 4 * 3 - padding);
}
