#include "ip.h"

#include "chars.h"

#include <stdio.h>
#include <string.h>

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};

enum { NO_GAP = 17 };

/* ---- reading ---- */

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* The end of a number up to 255, or NULL. */
static const char *take_octet(const char *p, const char *end, uint8_t *octet) {
  const char *begin = p;
  unsigned n = 0;
  while (p < end && p - begin < 3 && digit(*p)) n = n * 10 + (unsigned)(*p++ - '0');
  if (p == begin || n > 255 || (p - begin > 1 && *begin == '0')) return NULL;
  *octet = (uint8_t)n;
  return p;
}

static bool parse_v4(const char *p, const char *end, uint8_t out[4]) {
  for (int i = 0; i < 4; i++) {
    if (i > 0 && (p == end || *p++ != '.')) return false;
    p = take_octet(p, end, &out[i]);
    if (!p) return false;
  }
  return p == end;
}

static unsigned hex_value(char c) { return digit(c) ? (unsigned)(c - '0') : ((unsigned)c | 0x20) - 'a' + 10; }

static const char *take_group(const char *p, const char *end, uint8_t out[2]) {
  const char *begin = p;
  unsigned n = 0;
  while (p < end && p - begin < 4 && iod_char_is(*p, IOD_CHAR_HEX)) n = n << 4 | hex_value(*p++);
  out[0] = (uint8_t)(n >> 8);
  out[1] = (uint8_t)n;
  return p == begin ? NULL : p;
}

/* The zeros that "::" left out. */
static bool fill_gap(uint8_t out[16], size_t n, size_t gap) {
  if (gap == NO_GAP) return n == 16;
  if (n > 14) return false;
  memmove(out + 16 - (n - gap), out + gap, n - gap);
  memset(out + gap, 0, 16 - n);
  return true;
}

static bool parse_v6(const char *p, const char *end, uint8_t out[16]) {
  size_t n = 0, gap = NO_GAP;
  for (bool first = true; p < end; first = false) {
    if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
      if (gap != NO_GAP) return false;
      gap = n;
      p += 2;
      if (p == end) break;
    } else if (!first && *p++ != ':') {
      return false;
    }
    const char *next = n <= 14 ? take_group(p, end, out + n) : NULL;
    if (!next) return false;
    if (next < end && *next == '.') {
      if (n > 12 || !parse_v4(p, end, out + n)) return false;
      n += 4;
      break;
    }
    p = next;
    n += 2;
  }
  return fill_gap(out, n, gap);
}

int iod_ip_parse(iod_slice_t text, iod_ip_t *ip) {
  if (text.length == 0 || text.length >= IOD_IP_TEXT) return IOD_E_BAD_REQUEST;
  const char *end = text.at + text.length;
  bool good;
  if (memchr(text.at, ':', text.length)) {
    good = parse_v6(text.at, end, ip->bytes);
  } else {
    memcpy(ip->bytes, MAPPED, sizeof MAPPED);
    good = parse_v4(text.at, end, ip->bytes + sizeof MAPPED);
  }
  return good ? 0 : IOD_E_BAD_REQUEST;
}

bool iod_ip_is_v4(const iod_ip_t *ip) { return memcmp(ip->bytes, MAPPED, sizeof MAPPED) == 0; }

/* ---- writing ---- */

static unsigned group_at(const iod_ip_t *ip, int i) { return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1]; }

/* The first of the longest rows of groups that are 0, if one has two or more; its length. */
static int longest_zeros(const iod_ip_t *ip, int *at) {
  int best = 1;
  for (int i = 0; i < 8; i++) {
    int n = 0;
    while (i + n < 8 && group_at(ip, i + n) == 0) n++;
    if (n > best) {
      best = n;
      *at = i;
    }
    i += n;
  }
  return best > 1 ? best : 0;
}

static size_t format_v6(const iod_ip_t *ip, char text[IOD_IP_TEXT]) {
  int at = -1, zeros = longest_zeros(ip, &at), n = 0;
  for (int i = 0; i < 8; i++) {
    if (i == at) {
      n += snprintf(text + n, IOD_IP_TEXT - (size_t)n, "::");
      i += zeros - 1;
    } else {
      const char *colon = i > 0 && i != at + zeros ? ":" : "";
      n += snprintf(text + n, IOD_IP_TEXT - (size_t)n, "%s%x", colon, group_at(ip, i));
    }
  }
  return (size_t)n;
}

size_t iod_ip_format(const iod_ip_t *ip, char text[IOD_IP_TEXT]) {
  if (!iod_ip_is_v4(ip)) return format_v6(ip, text);
  const uint8_t *b = ip->bytes + sizeof MAPPED;
  return (size_t)snprintf(text, IOD_IP_TEXT, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}
