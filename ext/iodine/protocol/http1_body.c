#include "http1_body.h"

#include "chars.h"

enum {
  MAX_SIZE_DIGITS = 16,
  MAX_SIZE_LINE = 256,   /* with its extension */
  MAX_EXTENSIONS = 8192, /* of all chunks: tiny ones with long extensions would cost much more than the body's limit */
  MAX_TRAILERS = 8192,
};

/* RFC 9112 section 7.1. The names say what comes next. */
enum {
  DONE,
  FIXED_DATA,    /* a Content-Length's */
  SIZE_START,    /* the first digit of a chunk's size */
  SIZE,          /* a further digit, an extension or CR */
  EXTENSION_GAP, /* white space before an extension's ";" */
  EXTENSION,     /* anything up to CR */
  QUOTED,        /* inside a quoted string of it, which must end before the line does */
  ESCAPED,       /* behind a backslash there */
  SIZE_LF,
  DATA, /* a chunk's */
  DATA_CR,
  DATA_LF,
  TRAILER_START, /* a trailer's name, or the CR of the last line */
  TRAILER_NAME,  /* a further byte of it, or ":" */
  TRAILER_VALUE, /* anything up to CR */
  TRAILER_LF,
  END_LF,
};

void iod_http1_body_length(iod_http1_body_t *body, uint64_t content_length) {
  *body = (iod_http1_body_t){.left = content_length, .state = content_length ? FIXED_DATA : DONE};
}

void iod_http1_body_chunked(iod_http1_body_t *body, uint64_t limit) {
  *body = (iod_http1_body_t){.limit = limit, .state = SIZE_START};
}

bool iod_http1_body_done(const iod_http1_body_t *body) { return body->state == DONE; }

static int add_digit(iod_http1_body_t *body, char c) {
  if (body->left >> 56 != 0) return IOD_E_BAD_REQUEST; /* one digit more and it is over 2^60 */
  unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
  body->left = body->left << 4 | digit;
  return SIZE;
}

static int end_size_line(iod_http1_body_t *body) {
  body->line = 0;
  if (body->left == 0) return TRAILER_START;
  return body->left > body->limit - body->total ? IOD_E_BODY_TOO_LARGE : DATA;
}

static int next_chunk(iod_http1_body_t *body) {
  body->line = 0;
  return SIZE_START;
}

/* The state behind one byte of framing, or an error. */
static int step(iod_http1_body_t *body, char c) {
  switch (body->state) {
  case SIZE_START: return iod_char_is(c, IOD_CHAR_HEX) ? add_digit(body, c) : IOD_E_BAD_REQUEST;
  case SIZE:
    if (iod_char_is(c, IOD_CHAR_HEX)) return add_digit(body, c);
    if (c == '\r') return SIZE_LF;
    /* fall through */
  case EXTENSION_GAP:
    if (c == ';') return EXTENSION;
    return c == ' ' || c == '\t' ? EXTENSION_GAP : IOD_E_BAD_REQUEST;
  case EXTENSION:
    if (c == '\r') return SIZE_LF;
    if (c == '"') return QUOTED;
    return iod_char_is(c, IOD_CHAR_VALUE) ? EXTENSION : IOD_E_BAD_REQUEST;
  case QUOTED:
    if (c == '"') return EXTENSION;
    if (c == '\\') return ESCAPED;
    /* fall through */
  case ESCAPED: return iod_char_is(c, IOD_CHAR_VALUE) ? QUOTED : IOD_E_BAD_REQUEST;
  case SIZE_LF: return c == '\n' ? end_size_line(body) : IOD_E_BAD_REQUEST;
  case DATA_CR: return c == '\r' ? DATA_LF : IOD_E_BAD_REQUEST;
  case DATA_LF: return c == '\n' ? next_chunk(body) : IOD_E_BAD_REQUEST;
  case TRAILER_START:
    if (c == '\r') return END_LF;
    return iod_char_is(c, IOD_CHAR_TOKEN) ? TRAILER_NAME : IOD_E_BAD_REQUEST;
  case TRAILER_NAME:
    if (c == ':') return TRAILER_VALUE;
    return iod_char_is(c, IOD_CHAR_TOKEN) ? TRAILER_NAME : IOD_E_BAD_REQUEST;
  case TRAILER_VALUE:
    if (c == '\r') return TRAILER_LF;
    return iod_char_is(c, IOD_CHAR_VALUE) ? TRAILER_VALUE : IOD_E_BAD_REQUEST;
  case TRAILER_LF: return c == '\n' ? TRAILER_START : IOD_E_BAD_REQUEST;
  case END_LF: return c == '\n' ? DONE : IOD_E_BAD_REQUEST;
  default: return IOD_E_BAD_REQUEST;
  }
}

/* Framing that never ends would keep its reader busy for ever. The CRLF of a size line is not counted. */
static bool too_long(iod_http1_body_t *body) {
  switch (body->state) {
  case SIZE: return body->line > MAX_SIZE_DIGITS;
  case EXTENSION_GAP:
  case EXTENSION:
  case QUOTED:
  case ESCAPED: return body->line > MAX_SIZE_LINE || ++body->extensions > MAX_EXTENSIONS;
  default: return body->line > MAX_TRAILERS;
  }
}

/* The span of data at the front of bytes; the state moves on when the last byte of it is there. */
static int64_t take_data(iod_http1_body_t *body, const char *bytes, size_t length, iod_slice_t *data) {
  size_t n = body->left < length ? (size_t)body->left : length;
  *data = (iod_slice_t){bytes, n};
  body->left -= n;
  body->total += n;
  if (body->left == 0) body->state = body->state == DATA ? DATA_CR : DONE;
  return (int64_t)n;
}

int64_t iod_http1_body_decode(iod_http1_body_t *body, const char *bytes, size_t length, iod_slice_t *data) {
  *data = (iod_slice_t){bytes, 0};
  size_t used = 0;
  for (; used < length && body->state != DONE; used++) {
    if (body->state == DATA || body->state == FIXED_DATA)
      return (int64_t)used + take_data(body, bytes + used, length - used, data);
    body->line++;
    int next = step(body, bytes[used]);
    if (next < 0) return next;
    body->state = (uint8_t)next;
    if (too_long(body)) return IOD_E_BAD_REQUEST;
  }
  return (int64_t)used;
}
