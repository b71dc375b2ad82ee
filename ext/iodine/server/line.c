#include "line.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "server.h"

enum {
  LAST_MS = 30000, /* without a write time limit: the last bytes have to make progress within this */
  JOINED = 256,    /* bytes of what was published that are copied behind what waits: cheaper than a piece of its own */
};

static iod_server_t *server_of(const iod_line_t *line) { return line->connection->strand.server; }

void iod_line_open(iod_stream_t *s, const iod_line_opening_t *o) {
  iod_connection_t *c = o->connection;
  iod_line_t *line = iod_line_of(s);
  iod_stream_no_deadline(s);
  s->ops = o->stream_ops;
  s->lossless = s->paused = true;
  line->settings = o->settings;
  line->ops = o->ops;
  line->connection = c;
  line->place = o->place;
  line->next_overfull = NULL;
  line->counted = 0;
  line->queued = 0;
  line->written = line->overfull = line->leaving = line->lost = false;
  c->stream = s->handle;
  line->remote = *o->remote;
  iod_count_one(&server_of(line)->stats->lines[c->kind]);
  bool asked = c->kind == IOD_CONNECTION_RAW || c->client;
  if (asked && (c->remote = iod_alloc(sizeof *c->remote))) *c->remote = *o->remote;
  c->secure = iod_tls_info_ref(iod_stream_tls_info(s));
  atomic_store(&c->timeout, o->timeout);
  iod_connection_opened(c, line);
  if (iod_server_hurries(server_of(line))) iod_line_drain(line);
}

/* ---- time ---- */

static uint32_t idle_ms(const iod_line_t *line) { return atomic_load(&line->connection->timeout) * 1000u; }

void iod_line_touch(iod_line_t *line) {
  iod_stream_t *s = &line->stream;
  if (!iod_stream_open(s) || s->lingering) return;
  uint32_t ms = s->closing ? line->settings->write_timeout : idle_ms(line);
  if (s->closing && !ms) ms = LAST_MS;
  if (ms)
    iod_stream_deadline(s, s->loop->now + ms);
  else
    iod_stream_no_deadline(s);
}

bool iod_line_timed_out(iod_line_t *line) {
  if (!line->stream.closing) return true;
  iod_count_one(&server_of(line)->stats->counters.slow);
  iod_log(IOD_LOG_DEBUG, "closed a connection of %s that did not read the last it was sent", line->remote.ip);
  iod_stream_close(&line->stream);
  return false;
}

/* ---- input ---- */

bool iod_line_tell(iod_line_t *line, iod_slice_t bytes, bool text, iod_buffer_t *owned) {
  int result = iod_connection_tell_message(line->connection, bytes, text, owned);
  if (result == IOD_E_FULL) line->stream.paused = true;
  if (result != IOD_E_NOMEM) return true;
  iod_log(IOD_LOG_ERROR, "closed a connection of %s: no memory for what it sent", line->remote.ip);
  iod_stream_reset(&line->stream);
  return false;
}

/* Who sends FIN may still read: what came before is told first, and what that is answered goes out. */
void iod_line_on_eof(iod_stream_t *s) { iod_line_end(iod_line_of(s), 0); }

/* What came before is read first. */
void iod_line_on_hangup(iod_stream_t *s) { (void)s; }

/* ---- output ---- */

/* Which of the messages are out isn't known, only how many of the bytes. The application's number is set only when it
 * changes: to fetch that memory for each of many connections would cost more than the rest. */
static void count_queued(iod_line_t *line) {
  size_t pending = line->stream.output.pending;
  uint64_t messages = line->queued;
  if (pending < line->counted) messages = (messages * pending + line->counted - 1) / line->counted;
  bool none = line->queued == 0;
  line->counted = pending;
  line->queued = pending ? (uint32_t)messages : 0;
  if (!none || line->queued) atomic_store(&line->connection->sent, line->queued);
}

static void look_at_output(iod_line_t *line) {
  count_queued(line);
  if (line->stream.output.pending || !line->written) return;
  line->written = false;
  iod_connection_tell(line->connection, IOD_TELL_DRAINED);
}

static void overflow(iod_line_t *line) {
  iod_log(IOD_LOG_WARNING, "closed a connection of %s that let %zu bytes pile up unread: max-pending is reached",
          line->remote.ip, line->stream.output.pending);
  line->connection->close_code = IOD_CLOSE_POLICY;
  iod_count_one(&server_of(line)->stats->counters.slow);
  iod_stream_reset(&line->stream);
}

static bool is_full(const iod_line_t *line) { return line->stream.output.pending > line->settings->max_pending; }

/* What was only gathered leaves first: slow is whose socket takes no more. False: it is full, or closed by now. */
static bool make_room(iod_line_t *line) {
  iod_stream_t *s = &line->stream;
  size_t before = SIZE_MAX;
  while (iod_stream_open(s) && is_full(line) && s->output.pending < before) {
    before = s->output.pending;
    iod_stream_flush(s);
  }
  return iod_stream_open(s) && !is_full(line);
}

int iod_line_send(iod_line_t *line, const iod_segment_t *segments, size_t count) {
  iod_stream_t *s = &line->stream;
  if (is_full(line) && !make_room(line)) {
    for (size_t i = 0; i < count; i++) iod_segment_drop(&segments[i], &s->loop->releaser);
    if (iod_stream_open(s)) overflow(line);
    return IOD_E_CLOSED;
  }
  size_t before = s->output.pending;
  line->written = true;
  if (iod_stream_send(s, segments, count)) return IOD_E_CLOSED;
  if (s->output.pending > before) {
    line->counted = s->output.pending;
    line->queued++;
    if (!s->corked) atomic_store(&line->connection->sent, line->queued);
  }
  if (!s->output.pending || !s->corked) look_at_output(line);
  return iod_stream_open(s) ? 0 : IOD_E_CLOSED;
}

static void set_overfull(iod_line_t *line) {
  iod_server_t *server = server_of(line);
  if (line->overfull) return;
  line->overfull = true;
  line->next_overfull = server->overfull;
  server->overfull = line;
}

void iod_line_publish(iod_line_t *line, iod_publication_t *publication, bool binary) {
  iod_stream_t *s = &line->stream;
  if (s->closing || !iod_stream_open(s)) return;
  if (is_full(line)) set_overfull(line);
  iod_payload_t *payload = line->ops->encode(s, publication, binary);
  if (payload) {
    bool joins = s->output.pending > 0 && payload->length <= JOINED;
    iod_segment_t segment =
        joins ? iod_segment_bytes(payload->bytes, payload->length) : iod_segment_payload(iod_payload_ref(payload));
    iod_loop_cork(s->loop, s);
    if (iod_output_add(&s->output, &segment, &s->loop->releaser) == 0) {
      line->counted = s->output.pending;
      line->queued++;
      line->written = true;
      return;
    }
  }
  line->lost = true; /* a message is never left out */
  set_overfull(line);
}

void iod_lines_drop_overfull(iod_server_t *server) {
  for (iod_line_t *line; (line = server->overfull);) {
    server->overfull = line->next_overfull;
    line->overfull = false;
    bool fits = !line->lost && make_room(line);
    if (!fits && iod_stream_open(&line->stream)) overflow(line);
  }
}

void iod_line_on_written(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  if (s->output.pending < line->counted) look_at_output(line);
  if (s->closing) iod_line_touch(line);
}

/* ---- the end ---- */

void iod_line_finish(iod_line_t *line) {
  atomic_store(&line->connection->open, false);
  iod_stream_finish(&line->stream);
  iod_line_touch(line);
}

void iod_line_end(iod_line_t *line, uint8_t signal) {
  if (!line->stream.closing && iod_connection_end(line->connection, signal)) line->ops->close(&line->stream);
}

void iod_line_refresh(iod_line_t *line) {
  iod_line_touch(line);
  if (iod_stream_open(&line->stream)) iod_stream_resume(&line->stream);
}

bool iod_line_is(const iod_stream_t *s) { return s->ops->on_hangup == iod_line_on_hangup; }

void iod_line_leave(iod_line_t *line, uint32_t retry) {
  if (line->leaving || line->stream.closing) return;
  if (line->ops->retry) line->ops->retry(&line->stream, retry);
  if (iod_stream_open(&line->stream)) iod_line_drain(line);
}

void iod_line_drain(iod_line_t *line) {
  if (line->leaving) return;
  line->leaving = true;
  line->connection->farewell = IOD_CLOSE_GOING_AWAY;
  iod_line_end(line, IOD_TELL_SHUTDOWN);
}

void iod_line_on_close(iod_stream_t *s) {
  iod_line_t *line = iod_line_of(s);
  iod_server_t *server = server_of(line);
  iod_addresses_leave(&server->addresses, server->index, line->place);
  iod_count_less(&server->stats->lines[line->connection->kind]);
  iod_connection_closed(line->connection);
  iod_server_left(server);
}
