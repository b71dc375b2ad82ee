#include "access_line.h"

#include "../base/clock.h"
#include "../base/utf8.h"
#include "../protocol/http1_response.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { TARGET_MAX = 4096, METHOD_MAX = 64, FIXED = 512 + IOD_REQUEST_ID_MAX };

static const char hex[] = "0123456789abcdef";

static iod_slice_t method_of(const iod_request_t *r) {
  iod_slice_t method = iod_request_slice(r, r->head.method);
  return (iod_slice_t){method.at, method.length < METHOD_MAX ? method.length : METHOD_MAX};
}

static iod_slice_t path_of(const iod_request_t *r) {
  return iod_utf8_cut(iod_request_slice(r, r->head.path), TARGET_MAX);
}

size_t iod_access_line_room(const iod_access_entry_t *e, bool json) {
  const iod_request_t *r = e->request;
  size_t text = method_of(r).length + path_of(r).length;
  return (json ? 6u : 4u) * text + r->remote.ip_length + FIXED;
}

/* ---- pieces ---- */

static char *put(char *p, const char *bytes, size_t n) {
  memcpy(p, bytes, n);
  return p + n;
}
#define PUT(p, literal) put(p, literal, sizeof(literal) - 1)

static char *put_slice(char *p, iod_slice_t s) { return s.length ? put(p, s.at, s.length) : p; }

static char *put_hex(char *p, const char *prefix, unsigned char c) {
  p = put(p, prefix, strlen(prefix));
  *p++ = hex[c >> 4], *p++ = hex[c & 15];
  return p;
}

static void set_clock(iod_access_clock_t *clock, time_t now) {
  struct tm civil;
  if (now == clock->second && clock->date[0]) return;
  clock->second = now;
  iod_date_format(clock->date, now);
  (void)strftime(clock->iso, sizeof clock->iso, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &civil));
}

/* ---- ids ---- */

static uint64_t serials_of;     /* this process's part of the ids */
static _Atomic uint64_t serial; /* the last one */

static void begin_serials(void) {
  while (!serials_of)
    if (getentropy(&serials_of, sizeof serials_of)) serials_of = iod_clock_us() << 20 | (uint64_t)getpid();
}

uint64_t iod_request_serial_next(void) {
  begin_serials();
  return atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed) + 1;
}

void iod_request_serial_forked(void) { serials_of = 0; }

static bool is_plain(iod_slice_t word) {
  for (size_t i = 0; i < word.length; i++) {
    unsigned char c = (unsigned char)word.at[i];
    bool letter = (unsigned)((c | 0x20) - 'a') < 26u || (unsigned)(c - '0') < 10u;
    if (!letter && !memchr("-_.:+/=@~", c, 9)) return false;
  }
  return word.length > 0 && word.length <= IOD_REQUEST_ID_MAX;
}

iod_slice_t iod_request_id_given(const iod_request_t *r) {
  for (unsigned i = 0; i < r->head.header_count; i++) {
    if (!iod_slice_is(iod_request_slice(r, r->headers[i].name), IOD_SLICE("x-request-id"))) continue;
    iod_slice_t value = iod_request_slice(r, r->headers[i].value);
    return is_plain(value) ? value : (iod_slice_t){0};
  }
  return (iod_slice_t){0};
}

static void put_number(char *at, uint64_t n) {
  for (int i = 15; i >= 0; i--, n >>= 4) at[i] = hex[n & 15];
}

iod_slice_t iod_request_id(const iod_request_t *r, char room[IOD_REQUEST_ID_ROOM]) {
  if (!r->serial) return iod_request_id_given(r);
  put_number(room, serials_of);
  put_number(room + 16, r->serial);
  return (iod_slice_t){room, IOD_REQUEST_ID_ROOM};
}

/* ---- the common log format ---- */

/* What could forge a line, or reach a terminal, is written as \xHH; so is the quote that ends the field. */
static char *put_escaped(char *p, iod_slice_t s) {
  for (size_t i = 0; i < s.length; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
      *p++ = (char)c;
    else
      p = put_hex(p, "\\x", c);
  }
  return p;
}

char *iod_access_line_clf(char *p, const iod_access_entry_t *e, iod_access_clock_t *clock) {
  const iod_request_t *r = e->request;
  set_clock(clock, time(NULL));
  p = put(p, r->remote.ip, r->remote.ip_length);
  p = PUT(p, " - - [");
  p = put(p, clock->date, IOD_DATE_LENGTH);
  p = PUT(p, "] \"");
  p = put_escaped(p, method_of(r));
  *p++ = ' ';
  p = put_escaped(p, path_of(r));
  p = r->head.minor ? PUT(p, " HTTP/1.1\" ") : PUT(p, " HTTP/1.0\" ");
  p += iod_decimal(p, (uint64_t)e->status);
  *p++ = ' ';
  p += iod_decimal(p, e->bytes);
  p = PUT(p, "b ");
  uint64_t tenths = (e->took_us + 50) / 100;
  p += iod_decimal(p, tenths / 10);
  *p++ = '.';
  *p++ = (char)('0' + tenths % 10);
  return PUT(p, "ms\n");
}

/* ---- JSON ---- */

/* Text that isn't UTF-8 has its upper bytes written out, as the other format has them. */
static char *put_json(char *p, iod_slice_t s) {
  bool utf8 = iod_utf8_valid(s);
  for (size_t i = 0; i < s.length; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if (c == '"' || c == '\\')
      *p++ = '\\', *p++ = (char)c;
    else if (c < 0x20 || c == 0x7f)
      p = put_hex(p, "\\u00", c);
    else if (c >= 0x80 && !utf8)
      p = put_hex(p, "\\\\x", c);
    else
      *p++ = (char)c;
  }
  return p;
}

static char *put_seconds(char *p, const char *name, bool known, uint64_t us) {
  if (!known) return p + sprintf(p, ",\"%s\":null", name);
  return p + sprintf(p, ",\"%s\":%" PRIu64 ".%06u", name, us / 1000000, (unsigned)(us % 1000000));
}

static char *put_times(char *p, const iod_access_entry_t *e) {
  const iod_request_t *r = e->request;
  uint64_t taken = atomic_load_explicit(&r->taken_us, memory_order_relaxed), end = r->begun_us + e->took_us;
  p = put_seconds(p, "duration", true, e->took_us);
  p = put_seconds(p, "queue", taken != 0, taken > r->queued_us ? taken - r->queued_us : 0);
  return put_seconds(p, "app", taken != 0, end > taken ? end - taken : 0);
}

char *iod_access_line_json(char *p, const iod_access_entry_t *e, iod_access_clock_t *clock) {
  const iod_request_t *r = e->request;
  char room[IOD_REQUEST_ID_ROOM];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  set_clock(clock, now.tv_sec);
  p += sprintf(p, "{\"time\":\"%s.%03uZ\",\"remote\":\"", clock->iso, (unsigned)(now.tv_nsec / 1000000));
  p = put(p, r->remote.ip, r->remote.ip_length);
  p = PUT(p, "\",\"method\":\"");
  p = put_json(p, method_of(r));
  p = PUT(p, "\",\"path\":\"");
  p = put_json(p, path_of(r));
  p += sprintf(p, "\",\"protocol\":\"HTTP/1.%d\",\"status\":%d,\"bytes\":%" PRIu64, r->head.minor, e->status, e->bytes);
  p = put_times(p, e);
  p = PUT(p, ",\"id\":\"");
  p = put_slice(p, iod_request_id(r, room));
  return p + sprintf(p, "\",\"pid\":%d}\n", (int)getpid());
}
