#include "websocket_reply.h"

#include "chars.h"
#include "list.h"

enum { UPGRADE = 1, CONNECTION = 2, ACCEPT = 4, PROTOCOL = 8 };

static const iod_slice_t version = {"HTTP/1.", 7};

void iod_websocket_reply_init(iod_websocket_reply_t *r, iod_slice_t key, iod_slice_t offered) {
  *r = (iod_websocket_reply_t){.offered = offered};
  iod_websocket_accept(r->accept, key);
}

static int fail(iod_websocket_reply_t *r, int error, const char *why) {
  r->why = why;
  return error;
}

static int malformed(iod_websocket_reply_t *r) { return fail(r, IOD_E_BAD_REQUEST, "answered with a malformed head"); }

static int unfit(iod_websocket_reply_t *r, const char *why) { return fail(r, IOD_E_WEBSOCKET_PROTOCOL, why); }

/* ---- the status line (RFC 9112 section 4) ---- */

/* Can these be the first bytes of one? */
static bool begins_well(const char *at, size_t length) {
  return memcmp(at, version.at, length < version.length ? length : version.length) == 0;
}

static bool is_digit(char c) { return (unsigned)(c - '0') < 10u; }

/* 0: there is none. */
static int status_of(iod_slice_t line) {
  const char *at = line.at + version.length + 2;
  if (line.length < version.length + 5 || !is_digit(at[-2]) || at[-1] != ' ') return 0;
  if (at[0] < '1' || !is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2])) return 0;
  size_t used = version.length + 5;
  if (line.length > used && line.at[used] != ' ') return 0;
  if (!iod_chars_are_value(line.at + used, line.length - used)) return 0;
  return (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
}

static int read_status(iod_websocket_reply_t *r, iod_slice_t line) {
  r->status = status_of(line);
  if (r->status == 0) return malformed(r);
  if (r->status >= 200) return fail(r, IOD_E_REFUSED, "refused the handshake");
  if (r->status == 101 && line.at[version.length] == '0') return unfit(r, "changed the protocol by HTTP/1.0");
  r->in_headers = true;
  return 0;
}

/* ---- header lines ---- */

static bool came_twice(iod_websocket_reply_t *r, uint8_t which) {
  bool before = r->seen & which;
  r->seen |= which;
  return before;
}

static int read_accept(iod_websocket_reply_t *r, iod_slice_t value) {
  bool fits = iod_slice_equal(value, (iod_slice_t){r->accept, sizeof r->accept});
  return came_twice(r, ACCEPT) || !fits ? unfit(r, "answered to another key") : 0;
}

static bool was_offered(const iod_websocket_reply_t *r, iod_slice_t protocol) {
  iod_slice_t list = r->offered;
  while (list.length)
    if (iod_slice_equal(iod_list_take(&list, ','), protocol)) return protocol.length > 0;
  return false;
}

static int read_protocol(iod_websocket_reply_t *r, const char *bytes, iod_slice_t value) {
  if (came_twice(r, PROTOCOL) || !was_offered(r, value)) return unfit(r, "chose a sub-protocol that was not offered");
  r->protocol = (iod_span_t){(uint32_t)(value.at - bytes), (uint32_t)value.length};
  return 0;
}

static int read_extensions(iod_websocket_reply_t *r, iod_slice_t list) {
  while (list.length)
    if (iod_list_take(&list, ',').length > 0) return unfit(r, "chose an extension that was not offered");
  return 0;
}

static int read_field(iod_websocket_reply_t *r, const char *bytes, iod_slice_t name, iod_slice_t value) {
  if (iod_slice_is(name, IOD_SLICE("upgrade"))) {
    r->seen |= UPGRADE;
    return iod_slice_is(value, IOD_SLICE("websocket")) ? 0 : unfit(r, "changed to another protocol");
  }
  if (iod_slice_is(name, IOD_SLICE("connection")) && iod_list_names(value, IOD_SLICE("upgrade"))) r->seen |= CONNECTION;
  if (iod_slice_is(name, IOD_SLICE("sec-websocket-accept"))) return read_accept(r, value);
  if (iod_slice_is(name, IOD_SLICE("sec-websocket-protocol"))) return read_protocol(r, bytes, value);
  if (iod_slice_is(name, IOD_SLICE("sec-websocket-extensions"))) return read_extensions(r, value);
  return 0;
}

static int read_header(iod_websocket_reply_t *r, const char *bytes, iod_slice_t line) {
  const char *end = line.at + line.length, *colon = line.at;
  while (colon < end && iod_char_is(*colon, IOD_CHAR_TOKEN)) colon++;
  if (colon == line.at || colon == end || *colon != ':') return malformed(r); /* a folded line too */
  iod_slice_t name = {line.at, (size_t)(colon - line.at)}, value = {colon + 1, (size_t)(end - colon - 1)};
  if (!iod_chars_are_value(value.at, value.length)) return malformed(r);
  return r->status == 101 ? read_field(r, bytes, name, iod_list_trim(value)) : 0;
}

/* ---- the head ---- */

/* 1: the head of a 101 is complete; 0: goes on behind an interim one. */
static int read_end(iod_websocket_reply_t *r) {
  r->in_headers = false;
  if (r->status != 101) return 0;
  if (!(r->seen & UPGRADE)) return unfit(r, "answered without Upgrade");
  if (!(r->seen & CONNECTION)) return unfit(r, "answered without Connection: Upgrade");
  if (!(r->seen & ACCEPT)) return unfit(r, "answered without Sec-WebSocket-Accept");
  return 1;
}

static int not_http(iod_websocket_reply_t *r) { return fail(r, IOD_E_BAD_REQUEST, "does not speak HTTP/1.1"); }

/* A line without its LF. */
static int read_line(iod_websocket_reply_t *r, const char *bytes, iod_slice_t line) {
  if (!r->in_headers && !begins_well(line.at, line.length)) return not_http(r);
  if (line.length == 0 || line.at[line.length - 1] != '\r') return malformed(r);
  line.length--;
  if (!r->in_headers) return read_status(r, line);
  return line.length ? read_header(r, bytes, line) : read_end(r);
}

/* An unfinished line is looked at only for what can't be the begin of a status line: who doesn't speak HTTP may never
 * end one. */
static int want_more(iod_websocket_reply_t *r, const char *bytes, size_t length) {
  r->scanned = (uint32_t)length;
  if (!r->in_headers && !begins_well(bytes + r->line, length - r->line)) return not_http(r);
  if (length < IOD_WEBSOCKET_REPLY_MAX) return 0;
  return fail(r, IOD_E_HEAD_TOO_LARGE, "answered with a head over 16 KB");
}

int iod_websocket_reply_parse(iod_websocket_reply_t *r, const char *bytes, size_t length) {
  const char *lf;
  if (length == 0) return 0;
  if (length > IOD_WEBSOCKET_REPLY_MAX) length = IOD_WEBSOCKET_REPLY_MAX; /* what is behind it is never looked at */
  while (r->scanned < length && (lf = memchr(bytes + r->scanned, '\n', length - r->scanned))) {
    iod_slice_t line = {bytes + r->line, (size_t)(lf - bytes) - r->line};
    r->line = r->scanned = (uint32_t)(lf + 1 - bytes);
    int result = read_line(r, bytes, line);
    if (result != 0) return result < 0 ? result : (int)r->line;
  }
  return want_more(r, bytes, length);
}
