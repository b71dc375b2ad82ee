#include "raw.h"

#include "server.h"

_Static_assert(sizeof(iod_line_t) <= sizeof(iod_http_t), "a line takes the place of an HTTP connection");

/* ---- the stream's side ---- */

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  if (iod_line_tell(iod_line_of(s), (iod_slice_t){bytes, length}, false, NULL)) iod_line_touch(iod_line_of(s));
  return length;
}

static void on_written(iod_stream_t *s) {
  iod_line_on_written(s);
  iod_line_touch(iod_line_of(s));
}

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

const iod_stream_ops_t iod_raw_stream_ops = {
    .on_data = on_data,
    .on_eof = iod_line_on_eof,
    .on_hangup = iod_line_on_hangup,
    .on_written = on_written,
    .on_timeout = on_timeout,
    .on_close = iod_line_on_close,
};

/* ---- the application's side ---- */

static int write_bytes(iod_stream_t *s, const iod_segment_t *segment, bool text) {
  (void)text;
  int result = iod_line_send(iod_line_of(s), segment, 1);
  if (result == 0) iod_line_touch(iod_line_of(s));
  return result;
}

static iod_payload_t *encode(iod_stream_t *s, iod_publication_t *publication, bool binary) {
  (void)s, (void)binary;
  return publication->message;
}

static void finish(iod_stream_t *s) { iod_line_finish(iod_line_of(s)); }

static void refresh(iod_stream_t *s) { iod_line_refresh(iod_line_of(s)); }

const iod_connection_ops_t iod_raw_ops = {.write = write_bytes, .encode = encode, .close = finish, .refresh = refresh};

void iod_raw_open(iod_http_t *http) {
  uint32_t seconds = http->listener->settings.keep_alive / 1000;
  iod_http_become_line(http, iod_connection_new(http->listener->server, IOD_CONNECTION_RAW), &iod_raw_stream_ops,
                       &iod_raw_ops, (uint8_t)(seconds < UINT8_MAX ? seconds : UINT8_MAX));
}
