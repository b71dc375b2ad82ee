#include "raw.h"

#include "../base/log.h"
#include "line.h"

_Static_assert(sizeof(iod_line_t) <= sizeof(iod_http_t), "a line takes the place of an HTTP connection");

/* ---- the stream's side ---- */

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  iod_line_t *line = iod_line_of(s);
  int result = iod_connection_tell_message(line->connection, bytes, length, false);
  if (result == IOD_E_NOMEM) {
    iod_log(IOD_LOG_ERROR, "closed a connection of %s: no memory for what it sent", line->connection->remote.ip);
    iod_stream_reset(s);
    return length;
  }
  if (result == IOD_E_FULL) s->paused = true;
  iod_line_touch(line);
  return length;
}

/* Who sends FIN may still read: what came before is told first, and what that is answered goes out. */
static void on_eof(iod_stream_t *s) { iod_line_end(iod_line_of(s), 0); }

static void on_timeout(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  if (!iod_line_timed_out(line)) return;
  if (!(atomic_load(&line->connection->wants) & IOD_TELL_PING)) {
    iod_line_finish(line);
    return;
  }
  iod_connection_tell(line->connection, IOD_TELL_PING);
  iod_line_touch(line);
}

static const iod_stream_ops_t stream_ops = {
    .on_data = on_data,
    .on_eof = on_eof,
    .on_hangup = iod_line_on_hangup,
    .on_written = iod_line_on_written,
    .on_timeout = on_timeout,
    .on_close = iod_line_on_close,
};

/* ---- the application's side ---- */

static int write_bytes(iod_stream_t *s, const iod_segment_t *segment, bool text) {
  (void)text;
  return iod_line_send(iod_line_of(s), segment, 1);
}

static void finish(iod_stream_t *s) { iod_line_finish(iod_line_of(s)); }

static void refresh(iod_stream_t *s) { iod_line_refresh(iod_line_of(s)); }

static const iod_connection_ops_t ops = {.write = write_bytes, .close = finish, .refresh = refresh};

void iod_raw_open(iod_http_t *http) {
  uint32_t seconds = http->listener->settings.keep_alive / 1000;
  iod_line_open(http, IOD_CONNECTION_RAW, &stream_ops, &ops, (uint8_t)(seconds < UINT8_MAX ? seconds : UINT8_MAX));
}
