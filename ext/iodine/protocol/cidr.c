#include "cidr.h"

static int parse_bits(const char *p, const char *end, unsigned most) {
  unsigned n = 0;
  if (p == end || end - p > 3 || (*p == '0' && end - p > 1)) return IOD_E_BAD_REQUEST;
  for (; p < end; p++) {
    if (*p < '0' || *p > '9') return IOD_E_BAD_REQUEST;
    n = n * 10 + (unsigned)(*p - '0');
  }
  return n <= most ? (int)n : IOD_E_BAD_REQUEST;
}

int iod_cidr_parse(iod_slice_t text, iod_cidr_t *cidr) {
  const char *slash = memchr(text.at, '/', text.length), *end = text.at + text.length;
  iod_slice_t address = {text.at, slash ? (size_t)(slash - text.at) : text.length};
  if (iod_ip_parse(address, &cidr->network)) return IOD_E_BAD_REQUEST;
  unsigned most = memchr(address.at, ':', address.length) ? 128 : 32;
  int bits = slash ? parse_bits(slash + 1, end, most) : (int)most;
  if (bits < 0) return bits;
  cidr->bits = (uint8_t)((unsigned)bits + 128 - most);
  return 0;
}

bool iod_cidr_has(const iod_cidr_t *cidr, const iod_ip_t *ip) {
  unsigned whole = cidr->bits / 8u, rest = cidr->bits % 8u;
  if (cidr->bits < 96 && iod_ip_is_v4(ip)) return false;
  if (memcmp(cidr->network.bytes, ip->bytes, whole) != 0) return false;
  return rest == 0 || (cidr->network.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}
