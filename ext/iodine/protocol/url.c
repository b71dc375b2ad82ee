#include "url.h"

#include "chars.h"

long iod_url_decode_form(char *out, iod_slice_t text) {
  char *start = out;
  const char *end = text.at + text.length;
  for (const char *p = text.at; p < end; p++) {
    if (*p != '%') {
      *out++ = *p == '+' ? ' ' : *p;
      continue;
    }
    if (end - p < 3 || !iod_char_is(p[1], IOD_CHAR_HEX) || !iod_char_is(p[2], IOD_CHAR_HEX)) return IOD_E_BAD_REQUEST;
    *out++ = (char)(iod_char_hex(p[1]) << 4 | iod_char_hex(p[2]));
    p += 2;
  }
  return (long)(out - start);
}
