#include "sse.h"

#include "http1_response.h"

#include <stdbool.h>

static const char *find(iod_slice_t text, char c) { return text.length > 0 ? memchr(text.at, c, text.length) : NULL; }

static bool has_line_end(iod_slice_t text) { return find(text, '\n') || find(text, '\r'); }

int iod_sse_check(const iod_sse_event_t *event) {
  bool bad = has_line_end(event->event) || has_line_end(event->id) || find(event->id, 0);
  return bad ? IOD_E_BAD_REQUEST : 0;
}

/* The next line of what is left, without its end; false behind the last one. Text that ends with a line's end has an
 * empty line behind it. */
static bool take_line(iod_slice_t *left, iod_slice_t *line) {
  if (!left->at) return false;
  size_t n = 0;
  while (n < left->length && left->at[n] != '\n' && left->at[n] != '\r') n++;
  *line = (iod_slice_t){left->at, n};
  if (n == left->length) return left->at = NULL, true;
  n += n + 1 < left->length && left->at[n] == '\r' && left->at[n + 1] == '\n' ? 2 : 1;
  *left = (iod_slice_t){left->at + n, left->length - n};
  return true;
}

enum {
  EVENT = sizeof "event: \n" - 1,
  ID = sizeof "id: \n" - 1,
  DATA = sizeof "data: \n" - 1,
  RETRY = sizeof "retry: \n" - 1
};

size_t iod_sse_length(const iod_sse_event_t *event) {
  char digits[IOD_DECIMAL_ROOM];
  size_t length = 1;
  if (event->event.at) length += EVENT + event->event.length;
  if (event->id.at) length += ID + event->id.length;
  if (event->retry >= 0) length += RETRY + iod_decimal(digits, (uint64_t)event->retry);
  iod_slice_t left = event->data, line;
  while (take_line(&left, &line)) length += DATA + line.length;
  return length;
}

static char *put(char *out, iod_slice_t text) {
  if (text.length > 0) memcpy(out, text.at, text.length);
  return out + text.length;
}

static char *put_field(char *out, iod_slice_t name, iod_slice_t value) {
  out = put(put(out, name), value);
  *out++ = '\n';
  return out;
}

char *iod_sse_write(char *out, const iod_sse_event_t *event) {
  char digits[IOD_DECIMAL_ROOM];
  if (event->event.at) out = put_field(out, IOD_SLICE("event: "), event->event);
  if (event->id.at) out = put_field(out, IOD_SLICE("id: "), event->id);
  if (event->retry >= 0)
    out = put_field(out, IOD_SLICE("retry: "), (iod_slice_t){digits, iod_decimal(digits, (uint64_t)event->retry)});
  iod_slice_t left = event->data, line;
  while (take_line(&left, &line)) out = put_field(out, IOD_SLICE("data: "), line);
  *out++ = '\n';
  return out;
}
