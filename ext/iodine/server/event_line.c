#include "event_line.h"

#include "../base/log.h"
#include "../protocol/sse.h"
#include "line.h"
#include "server.h"

/* ---- the stream's side ---- */

/* Nothing is expected from a client that reads events. */
static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  (void)s, (void)bytes;
  return length;
}

/* A comment keeps what is between from giving the stream up. Who has not read what was there at the last one, has gone.
 */
static void on_timeout(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  if (!iod_line_timed_out(line)) return;
  if (s->output.pending > 0) {
    iod_log(IOD_LOG_DEBUG, "closed an event stream of %s that did not read", line->remote.ip);
    iod_stream_close(s);
    return;
  }
  iod_segment_t ping = iod_segment_bytes(IOD_SSE_PING, sizeof IOD_SSE_PING - 1);
  if (iod_stream_send(s, &ping, 1) == 0) iod_line_touch(line);
}

/* What goes out is a sign of life. */
static void on_written(iod_stream_t *s) {
  iod_line_on_written(s);
  iod_line_touch(iod_line_of(s));
}

/* There is no half of it: who ends one direction reads no more. */
static void on_eof(iod_stream_t *s) {
  iod_connection_ends_with(iod_line_of(s)->connection, IOD_CLOSE_NORMAL, (iod_slice_t){0});
  iod_stream_close(s);
}

static const iod_stream_ops_t stream_ops = {
    .on_data = on_data,
    .on_eof = on_eof,
    .on_hangup = iod_line_on_hangup,
    .on_written = on_written,
    .on_timeout = on_timeout,
    .on_close = iod_line_on_close,
};

/* ---- the application's side ---- */

/* The bytes are whole events. */
static int write_event(iod_stream_t *s, const iod_segment_t *segment, bool text) {
  (void)text;
  int result = iod_line_send(iod_line_of(s), segment, 1);
  if (result == 0) iod_line_touch(iod_line_of(s));
  return result;
}

static iod_payload_t *encode(iod_stream_t *s, iod_publication_t *publication, bool binary) {
  (void)s, (void)binary;
  return iod_publication_event(publication);
}

static void finish(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  iod_connection_ends_with(line->connection, line->connection->farewell ? line->connection->farewell : IOD_CLOSE_NORMAL,
                           (iod_slice_t){0});
  iod_line_finish(line);
}

static void retry(iod_stream_t *s, uint32_t ms) {
  char room[32];
  iod_sse_event_t event = {.retry = ms};
  iod_segment_t segment = iod_segment_bytes(room, (size_t)(iod_sse_write(room, &event) - room));
  (void)!write_event(s, &segment, false);
}

static void refresh(iod_stream_t *s) { iod_line_refresh(iod_line_of(s)); }

static const iod_connection_ops_t ops = {
    .write = write_event, .encode = encode, .close = finish, .retry = retry, .refresh = refresh};

void iod_event_line_open(iod_http_t *http, iod_connection_t *connection) {
  iod_http_become_line(http, connection, &stream_ops, &ops, http->listener->settings.ping);
}
