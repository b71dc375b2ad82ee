#include "line.h"

#include "../base/log.h"
#include "server.h"

enum { LAST_MS = 30000 /* without a write time limit: the last bytes have to make progress within this */ };

static iod_server_t *server_of(const iod_line_t *line) { return line->connection->server; }

iod_line_t *iod_line_open(iod_http_t *http, iod_connection_kind_t kind, const iod_stream_ops_t *ops,
                          const iod_connection_ops_t *connection_ops, uint8_t timeout) {
  iod_stream_t *s = &http->stream;
  iod_listener_t *listener = http->listener;
  iod_connection_t *c = iod_connection_new(listener->server, kind, connection_ops, s->handle);
  if (!c) {
    iod_stream_close(s);
    return NULL;
  }
  c->listener = listener;
  c->remote = http->remote;
  atomic_init(&c->timeout, timeout);
  c->secure = iod_tls_info_ref(iod_stream_tls_info(s));
  iod_address_place_t place = http->place;
  http->place = 0; /* it stays counted */
  s->ops->on_close(s);
  iod_stream_no_deadline(s);
  s->ops = ops;
  s->lossless = s->paused = true;
  iod_line_t *line = iod_line_of(s);
  line->listener = listener;
  line->connection = c;
  line->place = place;
  line->counted = 0;
  line->written = false;
  iod_connection_tell(c, IOD_TELL_OPEN);
  if (listener->server->draining) iod_line_drain(line);
  return line;
}

/* ---- time ---- */

static uint32_t idle_ms(const iod_line_t *line) { return atomic_load(&line->connection->timeout) * 1000u; }

void iod_line_touch(iod_line_t *line) {
  iod_stream_t *s = &line->stream;
  if (!iod_stream_open(s) || s->lingering) return;
  uint32_t ms = s->closing ? line->listener->settings.write_timeout : idle_ms(line);
  if (s->closing && !ms) ms = LAST_MS;
  if (ms)
    iod_stream_deadline(s, s->loop->now + ms);
  else
    iod_stream_no_deadline(s);
}

bool iod_line_timed_out(iod_line_t *line) {
  if (!line->stream.closing) return true;
  iod_log(IOD_LOG_DEBUG, "closed a connection of %s that did not read the last it was sent",
          line->connection->remote.ip);
  iod_stream_close(&line->stream);
  return false;
}

/* ---- output ---- */

/* Which of the messages are out isn't known, only how many of the bytes. */
static void count_sent(iod_line_t *line) {
  _Atomic uint32_t *sent = &line->connection->sent;
  size_t pending = line->stream.output.pending;
  uint64_t messages = atomic_load(sent);
  if (pending < line->counted) messages = (messages * pending + line->counted - 1) / line->counted;
  line->counted = pending;
  atomic_store(sent, pending ? (uint32_t)messages : 0);
}

static void look_at_output(iod_line_t *line) {
  count_sent(line);
  if (line->stream.output.pending || !line->written) return;
  line->written = false;
  iod_connection_tell(line->connection, IOD_TELL_DRAINED);
}

static int overflow(iod_line_t *line, const iod_segment_t *segments, size_t count) {
  iod_log(IOD_LOG_WARNING, "closed a connection of %s that let %zu bytes pile up unread: max-pending is reached",
          line->connection->remote.ip, line->stream.output.pending);
  for (size_t i = 0; i < count; i++) iod_segment_drop(&segments[i], &line->stream.loop->releaser);
  iod_stream_reset(&line->stream);
  return IOD_E_CLOSED;
}

int iod_line_send(iod_line_t *line, const iod_segment_t *segments, size_t count) {
  iod_stream_t *s = &line->stream;
  if (s->output.pending > line->listener->settings.max_pending) return overflow(line, segments, count);
  size_t before = s->output.pending;
  line->written = true;
  if (iod_stream_send(s, segments, count)) return IOD_E_CLOSED;
  if (s->output.pending > before) {
    line->counted = s->output.pending;
    atomic_fetch_add(&line->connection->sent, 1);
  }
  look_at_output(line);
  iod_line_touch(line);
  return iod_stream_open(s) ? 0 : IOD_E_CLOSED;
}

void iod_line_on_written(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  if (s->output.pending < line->counted) look_at_output(line);
  iod_line_touch(line);
}

/* ---- the end ---- */

void iod_line_finish(iod_line_t *line) {
  atomic_store(&line->connection->open, false);
  iod_stream_finish(&line->stream);
  iod_line_touch(line);
}

void iod_line_end(iod_line_t *line, uint8_t signal) {
  if (!line->stream.closing && iod_connection_end(line->connection, signal)) iod_line_finish(line);
}

void iod_line_refresh(iod_line_t *line) {
  iod_line_touch(line);
  if (iod_stream_open(&line->stream)) iod_stream_resume(&line->stream);
}

bool iod_line_is(const iod_stream_t *s) { return s->ops->on_close == iod_line_on_close; }

void iod_line_drain(iod_line_t *line) { iod_line_end(line, IOD_TELL_SHUTDOWN); }

/* What came before is read first. */
void iod_line_on_hangup(iod_stream_t *s) { (void)s; }

void iod_line_on_close(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  iod_server_t *server = server_of(line);
  iod_addresses_leave(&server->addresses, server->index, line->place);
  iod_connection_closed(line->connection);
  iod_server_left(server);
}
