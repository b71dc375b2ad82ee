#include "relay.h"

#include "../reactor/loop.h"
#include "../reactor/socket.h"
#include "http.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  HIGH = 256 * 1024, /* bytes that wait for one side before the other is no longer read */
  LAST_MS = 30000,   /* the last bytes: without one side the other has so long to take some of them */
};

_Static_assert(sizeof(iod_relay_t) <= sizeof(iod_http_t), "a relay takes the place of a connection");

static iod_relay_t *relay_of(iod_stream_t *s) { return (iod_relay_t *)(void *)s; }

/* Both sides have ended and nothing waits: the connection is over. */
static void settle(iod_relay_t *from) {
  iod_relay_t *to = from->other;
  if (!from->ended || !to || to->stream.output.pending) return;
  if (!to->ended) {
    iod_stream_end(&to->stream);
    return;
  }
  if (from->stream.output.pending) return;
  iod_stream_close(&to->stream); /* and with it the other */
}

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  iod_relay_t *to = relay_of(s)->other;
  if (!to) return length;
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = bytes, .length = length};
  if (iod_stream_send(&to->stream, &segment, 1) == 0 && to->stream.output.pending > HIGH) s->paused = true;
  return length;
}

static void on_written(iod_stream_t *s) {
  iod_relay_t *from = relay_of(s)->other;
  if (!from) iod_stream_deadline(s, s->loop->now + LAST_MS);
  if (s->output.pending || !from) return;
  if (from->stream.paused) iod_stream_resume(&from->stream);
  if (iod_stream_open(s) && relay_of(s)->other) settle(relay_of(s)->other);
}

/* A FIN may be half of a goodbye: only the application's end can tell that nobody reads there any more. */
static bool abandoned(const iod_stream_t *s) {
  struct pollfd p = {.fd = s->fd};
  return !s->transport && poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

static void on_eof(iod_stream_t *s) {
  iod_relay_t *from = relay_of(s);
  from->ended = true;
  if (from->other && abandoned(s))
    iod_stream_close(s); /* what it wrote before still goes out */
  else
    settle(from);
}

static void on_close(iod_stream_t *s) {
  iod_relay_t *other = relay_of(s)->other;
  relay_of(s)->other = NULL;
  if (!other) return;
  other->other = NULL;
  iod_stream_deadline(&other->stream, s->loop->now + LAST_MS);
  iod_stream_finish(&other->stream);
}

static void on_timeout(iod_stream_t *s) { iod_stream_close(s); }

static void ignore(iod_stream_t *s) { (void)s; }

static const iod_stream_ops_t ops = {
    .on_data = on_data,
    .on_eof = on_eof,
    .on_hangup = ignore,
    .on_written = on_written,
    .on_timeout = on_timeout,
    .on_close = on_close,
};

bool iod_relay_is(const iod_stream_t *stream) { return stream->ops == &ops; }

static void join(iod_stream_t *stream, iod_stream_t *other) {
  iod_stream_no_deadline(stream);
  stream->ops = &ops;
  stream->lossless = true;
  relay_of(stream)->other = relay_of(other);
  relay_of(stream)->ended = false;
}

int iod_relay_open(iod_stream_t *stream) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return IOD_E_SYSTEM;
  iod_stream_t *inner = NULL;
  if (iod_socket_prepare(ends[0]) || iod_socket_prepare(ends[1]))
    close(ends[0]);
  else
    inner = iod_loop_open(stream->loop, ends[0], &ops);
  if (!inner) {
    close(ends[1]);
    return IOD_E_NOMEM;
  }
  inner->uncounted = true;
  stream->ops->on_close(stream);
  join(stream, inner);
  join(inner, stream);
  iod_stream_resume(stream);
  return ends[1];
}
