#include "access_log.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../protocol/http1_response.h"

#include <string.h>

enum {
  KEEP = 1 << 20, /* bytes of lines that wait at most: a sink that stands still costs lines, not memory */
  TARGET_MAX = 4096,
};

void iod_access_log_init(iod_access_log_t *log) {
  *log = (iod_access_log_t){.second = -1};
  pthread_mutex_init(&log->writing, NULL);
}

void iod_access_log_deinit(iod_access_log_t *log) {
  while (atomic_load(&log->waiting) && iod_access_log_take(log) && iod_access_log_write(log)) {}
  iod_buffer_deinit(&log->lines);
  iod_buffer_deinit(&log->batch);
  pthread_mutex_destroy(&log->writing);
}

/* ---- lines ---- */

static char *put(char *p, const char *bytes, size_t n) {
  memcpy(p, bytes, n);
  return p + n;
}
#define PUT(p, literal) put(p, literal, sizeof(literal) - 1)

/* What could forge a line, or reach a terminal, is written as \xHH; so is the quote that ends the field. */
static char *put_escaped(char *p, iod_slice_t s) {
  static const char hex[] = "0123456789abcdef";
  for (size_t i = 0; i < s.length; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      *p++ = (char)c;
      continue;
    }
    *p++ = '\\', *p++ = 'x', *p++ = hex[c >> 4], *p++ = hex[c & 15];
  }
  return p;
}

static const char *date_now(iod_access_log_t *log) {
  time_t now = time(NULL);
  if (now != log->second) {
    iod_date_format(log->date, now);
    log->second = now;
  }
  return log->date;
}

void iod_access_log_add(iod_access_log_t *log, const iod_request_t *r, int status, uint64_t bytes, uint64_t took_us) {
  iod_slice_t method = iod_request_slice(r, r->head.method), path = iod_request_slice(r, r->head.path);
  if (path.length > TARGET_MAX) path.length = TARGET_MAX;
  if (method.length > 64) method.length = 64;
  size_t room = r->remote.ip_length + 4 * (method.length + path.length) + 160;
  if (iod_buffer_length(&log->lines) + room > KEEP || iod_buffer_reserve(&log->lines, room)) {
    log->dropped++;
    return;
  }
  char *p = iod_buffer_tail(&log->lines);
  p = put(p, r->remote.ip, r->remote.ip_length);
  p = PUT(p, " - - [");
  p = put(p, date_now(log), IOD_DATE_LENGTH);
  p = PUT(p, "] \"");
  p = put_escaped(p, method);
  *p++ = ' ';
  p = put_escaped(p, path);
  p = r->head.minor ? PUT(p, " HTTP/1.1\" ") : PUT(p, " HTTP/1.0\" ");
  p += iod_decimal(p, (uint64_t)status);
  *p++ = ' ';
  p += iod_decimal(p, bytes);
  p = PUT(p, "b ");
  uint64_t tenths = (took_us + 50) / 100;
  p += iod_decimal(p, tenths / 10);
  *p++ = '.';
  *p++ = (char)('0' + tenths % 10);
  p = PUT(p, "ms\n");
  log->lines.end = (size_t)(p - log->lines.bytes);
  atomic_store_explicit(&log->waiting, iod_buffer_length(&log->lines), memory_order_relaxed);
}

/* ---- writing ---- */

bool iod_access_log_take(iod_access_log_t *log) {
  if (pthread_mutex_trylock(&log->writing)) return false;
  if (iod_buffer_length(&log->batch) > 0) return true; /* the sink stands still: go on with what is left */
  iod_buffer_t swap = log->batch;
  log->batch = log->lines;
  log->lines = swap;
  iod_buffer_clear(&log->lines);
  atomic_store_explicit(&log->waiting, 0, memory_order_relaxed);
  if (log->dropped > 0)
    iod_log(IOD_LOG_WARNING, "%llu lines of the access log were dropped: stderr was not read for too long",
            (unsigned long long)log->dropped);
  log->dropped = 0;
  return true;
}

bool iod_access_log_write(iod_access_log_t *log) {
  iod_buffer_consume(&log->batch, iod_log_write(iod_buffer_head(&log->batch), iod_buffer_length(&log->batch)));
  size_t left = iod_buffer_length(&log->batch);
  if (left > 0) atomic_store(&log->waiting, left);
  pthread_mutex_unlock(&log->writing);
  return left == 0;
}
