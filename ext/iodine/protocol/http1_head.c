#include "http1_head.h"

#include "chars.h"

#include <stddef.h>
#include <string.h>

/* iod_http1_parser_t.state: how many empty lines were skipped before the request line, or */
enum { MAX_EMPTY_LINES = 2, IN_HEADERS };

/* iod_http1_parser_t.seen */
enum {
  SEEN_HOST = 1,
  SEEN_LENGTH = 2,
  SEEN_CHUNKED = 4,
  SEEN_CLOSE = 8,
  SEEN_KEEP_ALIVE = 16,
  SEEN_CONNECTION_UPGRADE = 32,
  SEEN_UPGRADE = 64,
  SEEN_CONTINUE = 128,
};

enum { MAX_LENGTH_DIGITS = 18, VERSION_LENGTH = 8 /* HTTP/1.1 */ };

void iod_http1_parser_reset(iod_http1_parser_t *p) { memset(p, 0, offsetof(iod_http1_parser_t, headers)); }

static inline iod_span_t span(const char *bytes, const char *from, const char *to) {
  return (iod_span_t){(uint32_t)(from - bytes), (uint32_t)(to - from)};
}

/* Input whose lines are parsed when they are complete: so the LF stops every loop over names and values, and an error
 * doesn't depend on where the input was cut. */
typedef struct input {
  const char *bytes, *at, *scanned, *end; /* at: where a line begins; up to scanned there is no LF in it */
  bool ends_with_line;                    /* then every line that begins in it is complete */
} input_t;

/* ---- hosts (RFC 3986 section 3.2.2) ---- */

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Past a dotted IPv4 address; NULL if there is none. */
static const char *skip_ip4(const char *at, const char *end) {
  for (int octet = 0; octet < 4; octet++) {
    if (octet > 0 && (at == end || *at++ != '.')) return NULL;
    const char *from = at;
    unsigned value = 0;
    while (at < end && is_digit(*at) && value < 256) value = value * 10 + (unsigned)(*at++ - '0');
    if (at == from || value > 255 || (at - from > 1 && *from == '0')) return NULL;
  }
  return at;
}

/* Past "[IPv6]"; NULL if it isn't one. No zone, no IPvFuture. */
static const char *skip_ip6(const char *at, const char *end) {
  unsigned groups = 0;
  bool gap = false;
  at++;
  if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
    gap = true;
    at += 2;
  }
  while (at < end && *at != ']') {
    const char *from = at;
    while (at < end && iod_char_is(*at, IOD_CHAR_HEX)) at++;
    if (at < end && *at == '.') { /* an IPv4 address, only at the end, in the place of two groups */
      at = skip_ip4(from, end);
      groups += 2;
      break;
    }
    if (at == from || at - from > 4) return NULL;
    groups++;
    if (at == end || *at != ':') break;
    at++;
    if (at < end && *at == ':') {
      if (gap) return NULL;
      gap = true;
      at++;
    } else if (at < end && *at == ']') {
      return NULL;
    }
  }
  if (!at || at == end || *at != ']') return NULL;
  return (gap ? groups < 8 : groups == 8) ? at + 1 : NULL;
}

static const char *skip_reg_name(const char *at, const char *end) {
  for (;;) {
    while (at < end && iod_char_is(*at, IOD_CHAR_HOST)) at++;
    if (at == end || *at != '%') return at;
    if (end - at < 3 || !iod_char_is(at[1], IOD_CHAR_HEX) || !iod_char_is(at[2], IOD_CHAR_HEX)) return NULL;
    at += 3;
  }
}

static bool port_valid(const char *at, const char *end) {
  if (end - at > 5) return false;
  unsigned port = 0;
  for (; at < end; at++) {
    if (!is_digit(*at)) return false;
    port = port * 10 + (unsigned)(*at - '0');
  }
  return port <= 65535;
}

bool iod_http1_host_valid(const char *bytes, size_t length) {
  if (length == 0) return true;
  const char *end = bytes + length;
  const char *port = *bytes == '[' ? skip_ip6(bytes, end) : skip_reg_name(bytes, end);
  if (!port || port == bytes) return false;
  return port == end || (*port == ':' && port_valid(port + 1, end));
}

/* ---- the request line (RFC 9112 section 3) ---- */

static uint8_t method_id(const char *m, size_t length) {
#define IS(id, name)                                                                                                   \
  if (memcmp(m, name, sizeof(name) - 1) == 0) return IOD_METHOD_##id
  switch (length) {
  case 3:
    IS(GET, "GET");
    IS(PUT, "PUT");
    break;
  case 4:
    IS(POST, "POST");
    IS(HEAD, "HEAD");
    break;
  case 5:
    IS(PATCH, "PATCH");
    IS(TRACE, "TRACE");
    break;
  case 6: IS(DELETE, "DELETE"); break;
  case 7:
    IS(OPTIONS, "OPTIONS");
    IS(CONNECT, "CONNECT");
    break;
  default: break;
  }
#undef IS
  return IOD_METHOD_OTHER;
}

/* From the path, or from the "?" of an absolute target that has none, to the end of the target. */
static int parse_path(iod_http1_head_t *head, const char *bytes, const char *at, const char *end) {
  const char *from = at;
  at = iod_chars_skip(at, IOD_CHAR_PATH); /* stops at the space behind the target */
  if (at != from) head->path = span(bytes, from, at);
  if (*at == '?') {
    from = ++at;
    while (iod_char_is(*at, IOD_CHAR_PATH) || *at == '?') at++;
    head->query = span(bytes, from, at);
    head->has_query = true;
  }
  return at == end ? 0 : IOD_E_BAD_REQUEST;
}

/* http://host[:port][/path][?query] (RFC 9112 section 3.2.2). Its authority stands for the Host header's value. */
static int parse_absolute(iod_http1_head_t *head, const char *bytes, const char *at, const char *end) {
  iod_slice_t scheme = {at, 0};
  while (at < end && *at != ':') at++;
  scheme.length = (size_t)(at - scheme.at);
  if (!iod_slice_is(scheme, IOD_SLICE("http")) && !iod_slice_is(scheme, IOD_SLICE("https"))) return IOD_E_BAD_REQUEST;
  if (end - at < 3 || memcmp(at, "://", 3) != 0) return IOD_E_BAD_REQUEST;
  const char *host = at += 3;
  while (at < end && *at != '/' && *at != '?') at++;
  if (at == host || !iod_http1_host_valid(host, (size_t)(at - host))) return IOD_E_BAD_REQUEST;
  head->host = span(bytes, host, at);
  head->path = span(bytes, host - 1, host); /* the "/" of an empty path is the one before the host */
  return parse_path(head, bytes, at, end);
}

static int parse_target(iod_http1_head_t *head, const char *bytes, const char *at, const char *end) {
  if (IOD_LIKELY(*at == '/')) return parse_path(head, bytes, at, end);
  if (*at != '*') return parse_absolute(head, bytes, at, end);
  if (head->method_id != IOD_METHOD_OPTIONS || end - at != 1) return IOD_E_BAD_REQUEST;
  head->path = span(bytes, at, end);
  return 0;
}

static int parse_version(iod_http1_head_t *head, const char *at) {
  head->minor = 1;
  if (IOD_LIKELY(memcmp(at, "HTTP/1.1", VERSION_LENGTH) == 0)) return 0;
  if (memcmp(at, "HTTP/", 5) != 0 || !is_digit(at[5]) || at[6] != '.' || !is_digit(at[7])) return IOD_E_BAD_REQUEST;
  if (at[5] != '1') return IOD_E_VERSION;
  head->minor = at[7] != '0';
  return 0;
}

static int parse_request_line(iod_http1_head_t *head, const char *bytes, const char *at, const char *end) {
  const char *method = at, *method_end = iod_chars_skip(at, IOD_CHAR_TOKEN), *target = method_end + 1;
  if (method == method_end || *method_end != ' ') return IOD_E_BAD_REQUEST;
  if (end - target < 1 + 1 + VERSION_LENGTH) return IOD_E_BAD_REQUEST;
  const char *target_end = end - VERSION_LENGTH - 1;
  if (*target_end != ' ') return IOD_E_BAD_REQUEST;
  int error = parse_version(head, target_end + 1);
  if (error) return error;
  head->method = span(bytes, method, method_end);
  head->method_id = method_id(method, head->method.length);
  if (head->method_id == IOD_METHOD_CONNECT) return IOD_E_NOT_IMPLEMENTED;
  return parse_target(head, bytes, target, target_end);
}

/* ---- header lines (RFC 9112 section 5) ---- */

static inline bool folds_to_word(const char *at, const char *lower) {
  uint64_t word, expected;
  memcpy(&word, at, sizeof(word));
  memcpy(&expected, lower, sizeof(expected));
  return (word | UINT64_C(0x2020202020202020)) == expected;
}

static inline bool folds_to_half(const char *at, const char *lower) {
  uint32_t half, expected;
  memcpy(&half, at, sizeof(half));
  memcpy(&expected, lower, sizeof(expected));
  return (half | UINT32_C(0x20202020)) == expected;
}

/* True if the n bytes at `at` are `lower` (4 letters, digits or "-" and more) in any case. They must be of a name or a
 * value: of their characters bit 0x20 turns only letters into letters, and none into a digit or "-". */
static inline bool folds_to(const char *at, const char *lower, size_t n) {
  if (n < 8) return folds_to_half(at, lower) && folds_to_half(at + n - 4, lower + n - 4);
  for (size_t i = 0; i + 8 < n; i += 8)
    if (!folds_to_word(at + i, lower + i)) return false;
  return folds_to_word(at + n - 8, lower + n - 8);
}

#define FOLDS_TO(at, length, lower) ((length) == sizeof(lower) - 1 && folds_to(at, lower, sizeof(lower) - 1))

static uint8_t known_name(const char *name, size_t length) {
#define IS(id, lower)                                                                                                  \
  if (FOLDS_TO(name, length, lower)) return IOD_HEADER_##id
  switch (length) {
  case 4: IS(HOST, "host"); break;
  case 6:
    IS(COOKIE, "cookie");
    IS(EXPECT, "expect");
    break;
  case 7: IS(UPGRADE, "upgrade"); break;
  case 10: IS(CONNECTION, "connection"); break;
  case 12: IS(CONTENT_TYPE, "content-type"); break;
  case 14: IS(CONTENT_LENGTH, "content-length"); break;
  case 17: IS(TRANSFER_ENCODING, "transfer-encoding"); break;
  default: break;
  }
#undef IS
  return IOD_HEADER_OTHER;
}

/* The next element of a comma-separated list, without the white space around it; false at the end of the list.
 * An empty list has one empty element. */
static bool next_element(const char **at, const char *end, iod_slice_t *element) {
  if (*at > end) return false;
  const char *from = *at, *to = from;
  while (to < end && *to != ',') to++;
  *at = to + 1;
  while (from < to && iod_char_is(*from, IOD_CHAR_BLANK)) from++;
  while (from < to && iod_char_is(to[-1], IOD_CHAR_BLANK)) to--;
  *element = (iod_slice_t){from, (size_t)(to - from)};
  return true;
}

static int read_host(iod_http1_parser_t *p, const char *bytes, const char *at, const char *end) {
  if (p->seen & SEEN_HOST || !iod_http1_host_valid(at, (size_t)(end - at))) return IOD_E_BAD_REQUEST;
  p->seen |= SEEN_HOST;
  if (p->head.host.length == 0) p->head.host = span(bytes, at, end); /* else the target's authority counts */
  return 0;
}

static int read_length(iod_http1_parser_t *p, const iod_http1_limits_t *limits, const char *at, const char *end) {
  if (p->seen & SEEN_CHUNKED) return IOD_E_BAD_REQUEST; /* RFC 9112 section 6.1: both is an attack */
  iod_slice_t digits;
  while (next_element(&at, end, &digits)) {
    uint64_t value = 0;
    for (size_t i = 0; i < digits.length; i++) {
      if (!is_digit(digits.at[i])) return IOD_E_BAD_REQUEST;
      if (i < MAX_LENGTH_DIGITS) value = value * 10 + (uint64_t)(digits.at[i] - '0');
    }
    if (digits.length == 0) return IOD_E_BAD_REQUEST;
    if (digits.length > MAX_LENGTH_DIGITS) return IOD_E_BODY_TOO_LARGE;
    if (p->seen & SEEN_LENGTH && value != p->head.content_length) return IOD_E_BAD_REQUEST;
    p->seen |= SEEN_LENGTH;
    p->head.content_length = value;
  }
  p->head.body = IOD_BODY_LENGTH;
  return p->head.content_length > limits->body ? IOD_E_BODY_TOO_LARGE : 0;
}

/* RFC 9112 section 6.1. Only "chunked" alone, once: no coding is known that could go before it. */
static int read_coding(iod_http1_parser_t *p, const char *at, const char *end) {
  if (p->head.minor == 0 || p->seen & SEEN_LENGTH) return IOD_E_BAD_REQUEST;
  iod_slice_t coding;
  while (next_element(&at, end, &coding)) {
    if (coding.length == 0 || p->seen & SEEN_CHUNKED) return IOD_E_BAD_REQUEST;
    for (size_t i = 0; i < coding.length; i++)
      if (!iod_char_is(coding.at[i], IOD_CHAR_TOKEN)) return IOD_E_BAD_REQUEST;
    if (!FOLDS_TO(coding.at, coding.length, "chunked")) return IOD_E_NOT_IMPLEMENTED;
    p->seen |= SEEN_CHUNKED;
  }
  p->head.body = IOD_BODY_CHUNKED;
  return 0;
}

static unsigned connection_option(const char *at, size_t length) {
  if (FOLDS_TO(at, length, "keep-alive")) return SEEN_KEEP_ALIVE;
  if (FOLDS_TO(at, length, "close")) return SEEN_CLOSE;
  if (FOLDS_TO(at, length, "upgrade")) return SEEN_CONNECTION_UPGRADE;
  return 0;
}

static int read_connection(iod_http1_parser_t *p, const char *at, const char *end) {
  unsigned seen = connection_option(at, (size_t)(end - at)); /* mostly there is one alone */
  iod_slice_t option;
  if (seen == 0)
    while (next_element(&at, end, &option)) seen |= connection_option(option.at, option.length);
  p->seen |= (uint8_t)seen;
  return 0;
}

static int read_known(iod_http1_parser_t *p, const iod_http1_limits_t *limits, const char *bytes, unsigned known,
                      iod_span_t value) {
  const char *at = bytes + value.at, *end = at + value.length;
  switch (known) {
  case IOD_HEADER_HOST: return read_host(p, bytes, at, end);
  case IOD_HEADER_CONTENT_LENGTH: return read_length(p, limits, at, end);
  case IOD_HEADER_TRANSFER_ENCODING: return read_coding(p, at, end);
  case IOD_HEADER_CONNECTION: return read_connection(p, at, end);
  case IOD_HEADER_UPGRADE: p->seen |= SEEN_UPGRADE; return 0;
  case IOD_HEADER_EXPECT:
    if (FOLDS_TO(at, value.length, "100-continue")) p->seen |= SEEN_CONTINUE;
    return 0;
  default: return 0;
  }
}

/* A complete line; in->at moves behind it. */
static int parse_header(iod_http1_parser_t *p, const iod_http1_limits_t *limits, input_t *in) {
  const char *name = in->at, *name_end = iod_chars_skip(name, IOD_CHAR_NAME);
  bool underscore = *name_end == '_';
  if (underscore) name_end = iod_chars_skip(name_end, IOD_CHAR_TOKEN);
  if (name == name_end || *name_end != ':') return IOD_E_BAD_REQUEST; /* an obs-fold or a space before the colon too */
  const char *value = iod_chars_skip(name_end + 1, IOD_CHAR_BLANK);
  const char *value_end = iod_chars_skip_value(value, in->end);
  if (value_end[0] != '\r' || value_end[1] != '\n') return IOD_E_BAD_REQUEST;
  in->at = value_end + 2;
  while (value_end > value && iod_char_is(value_end[-1], IOD_CHAR_BLANK)) value_end--;

  if (p->head.header_count >= limits->headers) return IOD_E_HEAD_TOO_LARGE;
  iod_header_t *header = &p->headers[p->head.header_count++];
  header->name = span(in->bytes, name, name_end);
  header->value = span(in->bytes, value, value_end);
  header->known = underscore ? IOD_HEADER_DROPPED : known_name(name, header->name.length);
  return header->known ? read_known(p, limits, in->bytes, header->known, header->value) : 0;
}

/* ---- the head ---- */

static int finish(iod_http1_parser_t *p, uint32_t length) {
  iod_http1_head_t *head = &p->head;
  unsigned seen = p->seen;
  if (head->minor == 1 && !(seen & SEEN_HOST)) return IOD_E_BAD_REQUEST; /* RFC 9112 section 3.2 */
  head->keep_alive = !(seen & SEEN_CLOSE) && (head->minor == 1 || seen & SEEN_KEEP_ALIVE);
  bool body_to_come = head->body == IOD_BODY_CHUNKED || head->content_length > 0;
  /* RFC 9110 sections 7.8 and 10.1.1: a 1.0 client knows neither. */
  head->expect_continue = head->minor == 1 && body_to_come && seen & SEEN_CONTINUE;
  head->upgrade = head->minor == 1 && seen & SEEN_UPGRADE && seen & SEEN_CONNECTION_UPGRADE;
  head->length = length;
  return (int)length;
}

/* The request line, or an empty line before it; complete. in->at moves behind it. */
static int parse_start(iod_http1_parser_t *p, input_t *in) {
  const char *line = in->at, *lf = memchr(line, '\n', (size_t)(in->end - line)), *line_end = lf - 1;
  if (lf == line || *line_end != '\r') return IOD_E_BAD_REQUEST; /* bare LF */
  in->at = lf + 1;
  if (line == line_end && p->state < MAX_EMPTY_LINES) { /* RFC 9112 section 2.2 */
    p->state++;
    return 0;
  }
  int error = parse_request_line(&p->head, in->bytes, line, line_end);
  if (error == 0) p->state = IN_HEADERS;
  return error;
}

/* A complete line that is too long is too long, whatever else is wrong with it: its length is what a reader of a part
 * of it learns first. */
static int judge(const char *line, const char *end, uint32_t limit, int too_long, int error) {
  const char *lf = memchr(line, '\n', (size_t)(end - line));
  return (size_t)(lf - line) > (size_t)limit + 1 ? too_long : error;
}

static inline bool has_line(const input_t *in) {
  if (in->at == in->end) return false;
  return in->ends_with_line || memchr(in->scanned, '\n', (size_t)(in->end - in->scanned));
}

static int parse_start_lines(iod_http1_parser_t *p, const iod_http1_limits_t *limits, input_t *in) {
  while (p->state != IN_HEADERS && has_line(in)) {
    const char *line = in->at;
    int error = parse_start(p, in);
    if (error != 0 || (size_t)(in->at - line) > (size_t)limits->request_line + 2)
      return judge(line, in->end, limits->request_line, IOD_E_TARGET_TOO_LONG, error);
    in->scanned = in->at;
  }
  return 0;
}

static int parse_header_lines(iod_http1_parser_t *p, const iod_http1_limits_t *limits, input_t *in) {
  while (has_line(in)) {
    const char *line = in->at;
    if (line[0] == '\r' && line[1] == '\n') return finish(p, (uint32_t)(line + 2 - in->bytes));
    int error = parse_header(p, limits, in);
    if (error != 0 || (size_t)(in->at - line) > (size_t)limits->line + 2)
      return judge(line, in->end, limits->line, IOD_E_HEAD_TOO_LARGE, error);
    in->scanned = in->at;
  }
  return 0;
}

int iod_http1_parse_head(iod_http1_parser_t *p, const iod_http1_limits_t *limits, const char *bytes, size_t length) {
  if (length == 0) return 0;
  if (length > limits->head) length = limits->head; /* what is behind it is never looked at */
  input_t in = {bytes, bytes + p->line, bytes + p->scanned, bytes + length, bytes[length - 1] == '\n'};
  int result = parse_start_lines(p, limits, &in);
  if (result == 0 && p->state == IN_HEADERS) result = parse_header_lines(p, limits, &in);
  if (result != 0) return result;
  p->line = (uint32_t)(in.at - bytes);
  p->scanned = (uint32_t)length;
  bool header = p->state == IN_HEADERS;
  size_t longest = (size_t)(header ? limits->line : limits->request_line) + 1; /* with the CR */
  if (length < limits->head && (size_t)(in.end - in.at) <= longest) return 0;
  return header ? IOD_E_HEAD_TOO_LARGE : IOD_E_TARGET_TOO_LONG;
}
