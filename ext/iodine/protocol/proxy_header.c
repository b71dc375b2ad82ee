#include "proxy_header.h"

static const char PREFIX[6] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const char SIGNATURE[12] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

enum { FIXED = 16 /* bytes of version 2 before the addresses */, LOCAL = 0x20, PROXY = 0x21 };

/* ---- version 1 ---- */

/* The word before the next space, or the last one; empty: there is none. */
static iod_slice_t take_word(iod_slice_t *line) {
  const char *space = line->length > 0 ? memchr(line->at, ' ', line->length) : NULL;
  iod_slice_t word = {line->at, space ? (size_t)(space - line->at) : line->length};
  size_t used = word.length + (space != NULL);
  line->at += used;
  line->length -= used;
  return word;
}

static bool port_valid(iod_slice_t word) {
  unsigned n = 0;
  if (word.length == 0 || word.length > 5 || (*word.at == '0' && word.length > 1)) return false;
  for (size_t i = 0; i < word.length; i++) {
    if (word.at[i] < '0' || word.at[i] > '9') return false;
    n = n * 10 + (unsigned)(word.at[i] - '0');
  }
  return n <= UINT16_MAX;
}

static bool take_address(iod_slice_t *line, bool v6, iod_ip_t *ip) {
  iod_slice_t word = take_word(line);
  return iod_ip_parse(word, ip) == 0 && v6 == (memchr(word.at, ':', word.length) != NULL);
}

/* line: without its CRLF, from the protocol's name on. */
static int parse_line(iod_slice_t line, iod_proxy_header_t *header) {
  iod_ip_t destination;
  iod_slice_t family = take_word(&line);
  if (iod_slice_equal(family, IOD_SLICE("UNKNOWN"))) return 0; /* what follows means nothing */
  bool v6 = iod_slice_equal(family, IOD_SLICE("TCP6"));
  if (!v6 && !iod_slice_equal(family, IOD_SLICE("TCP4"))) return IOD_E_BAD_REQUEST;
  if (!take_address(&line, v6, &header->client) || !take_address(&line, v6, &destination)) return IOD_E_BAD_REQUEST;
  if (!port_valid(take_word(&line))) return IOD_E_BAD_REQUEST;
  if (!port_valid(line)) return IOD_E_BAD_REQUEST; /* the last word: nothing may follow */
  header->named = true;
  return 0;
}

static const char *find_crlf(const char *p, const char *end) {
  for (; end - p >= 2; p++) {
    p = memchr(p, '\r', (size_t)(end - p - 1));
    if (!p || p[1] == '\n') return p;
  }
  return NULL;
}

static int parse_v1(const char *bytes, size_t length, iod_proxy_header_t *header) {
  size_t most = length < IOD_PROXY_LINE_MAX ? length : IOD_PROXY_LINE_MAX;
  const char *line = bytes + sizeof PREFIX, *end = find_crlf(line, bytes + most);
  if (!end) return most < IOD_PROXY_LINE_MAX ? 0 : IOD_E_BAD_REQUEST;
  int error = parse_line((iod_slice_t){line, (size_t)(end - line)}, header);
  return error ? error : (int)(end + 2 - bytes);
}

/* ---- version 2 ---- */

/* Bytes that the addresses of a family and transport take, or an error. Bits 4 to 7: unspecified, IPv4, IPv6, Unix;
 * 0 to 3: unspecified, stream, datagram. */
static int address_length(uint8_t kind) {
  static const int lengths[] = {0, 12, 36, 216};
  return kind >> 4 < 4 && (kind & 15) < 3 ? lengths[kind >> 4] : IOD_E_BAD_REQUEST;
}

static void take_client(const char *addresses, bool v6, iod_proxy_header_t *header) {
  static const iod_ip_t mapped = {.bytes = {[10] = 0xff, [11] = 0xff}};
  header->client = mapped;
  if (v6)
    memcpy(header->client.bytes, addresses, 16);
  else
    memcpy(header->client.bytes + 12, addresses, 4);
  header->named = true;
}

static int parse_v2(const char *bytes, size_t length, iod_proxy_header_t *header) {
  if (length < FIXED) return 0;
  uint8_t command = (uint8_t)bytes[12], kind = (uint8_t)bytes[13];
  int size = (uint8_t)bytes[14] << 8 | (uint8_t)bytes[15];
  int addresses = command == PROXY ? address_length(kind) : 0; /* LOCAL: what follows means nothing */
  if ((command != LOCAL && command != PROXY) || addresses < 0 || size < addresses) return IOD_E_BAD_REQUEST;
  if (FIXED + size > IOD_PROXY_HEADER_MAX) return IOD_E_HEAD_TOO_LARGE;
  if (length < (size_t)(FIXED + size)) return 0;
  if (command == PROXY && (kind == 0x11 || kind == 0x21)) take_client(bytes + FIXED, kind == 0x21, header);
  return FIXED + size;
}

/* -1: these bytes begin otherwise; 0: as far as they go; 1: with all of it. */
static int begins(const char *bytes, size_t length, const char *mark, size_t mark_length) {
  size_t n = length < mark_length ? length : mark_length;
  if (memcmp(bytes, mark, n) != 0) return -1;
  return n == mark_length;
}

int iod_proxy_header_parse(const char *bytes, size_t length, iod_proxy_header_t *header) {
  header->named = false;
  if (length == 0) return 0;
  int one = begins(bytes, length, PREFIX, sizeof PREFIX), two = begins(bytes, length, SIGNATURE, sizeof SIGNATURE);
  if (one > 0) return parse_v1(bytes, length, header);
  if (two > 0) return parse_v2(bytes, length, header);
  return one == 0 || two == 0 ? 0 : IOD_E_BAD_REQUEST;
}
