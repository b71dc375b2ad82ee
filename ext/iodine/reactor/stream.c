#include "stream.h"

#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
  READ_ROUNDS = 4,        /* reads of one stream before others get their turn */
  WRITE_BUDGET = 2 << 20, /* bytes, likewise */
  INPUT_STEP = 16 * 1024, /* room for a read behind what is buffered */
  LINGER_MS = 2000,
  DIRECT_MOST = 4, /* pieces that are written without being queued */
};

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* ---- closing ---- */

static void shut(iod_stream_t *s) {
  if (s->transport) s->transport->release(s);
  iod_output_clear(&s->output, &s->loop->releaser);
  iod_buffer_deinit(&s->input);
  iod_timers_remove(&s->loop->timers, &s->timer);
  s->loop->stream_count--;
  s->ops->on_close(s);
  iod_loop_bury(s->loop, s);
}

int iod_stream_detach(iod_stream_t *s) {
  int fd = s->fd;
  iod_poller_remove(&s->loop->poller, fd);
  s->fd = -1;
  shut(s);
  return fd;
}

static void close_socket(iod_stream_t *s) {
  int fd = s->fd;
  s->fd = -1;
  if (s->ops->on_closing) s->ops->on_closing(s);
  iod_poller_remove(&s->loop->poller,
                    fd); /* by name: a process that the application forked may hold the descriptor too */
  close(fd);
  shut(s);
}

void iod_stream_close(iod_stream_t *s) {
  if (s->fd < 0) return;
  if (s->transport && !s->output.pending) s->transport->goodbye(s);
  shutdown(s->fd, SHUT_RDWR); /* and so may the connection be held */
  close_socket(s);
}

void iod_stream_reset(iod_stream_t *s) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  if (s->fd < 0) return;
  (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close_socket(s);
}

static int end_output(iod_stream_t *s) {
  if (s->transport) s->transport->goodbye(s);
  return shutdown(s->fd, SHUT_WR);
}

void iod_stream_end(iod_stream_t *s) {
  if (s->fd >= 0 && !s->closing && end_output(s)) iod_stream_close(s);
}

static void linger(iod_stream_t *s) {
  if (end_output(s)) {
    iod_stream_close(s);
    return;
  }
  s->lingering = s->readable = true;
  s->paused = false;
  iod_buffer_deinit(&s->input);
  iod_loop_ready(s->loop, s);
  iod_stream_deadline(s, s->loop->now + LINGER_MS); /* last: it may close */
}

static void written_out(iod_stream_t *s) {
  if (!s->closing || s->lingering) return;
  /* With input unread, close() would send a reset, and that may overtake the answer (RFC 9112 section 9.6). */
  if (s->readable || iod_buffer_length(&s->input) > 0)
    linger(s);
  else
    iod_stream_close(s);
}

void iod_stream_finish(iod_stream_t *s) {
  if (s->fd < 0 || s->closing) return;
  s->closing = s->paused = true;
  if (s->output.pending)
    iod_stream_flush(s);
  else
    written_out(s);
}

/* ---- writing ---- */

static int watch_writes(iod_stream_t *s) {
  s->writable = false;
  if (s->watched) return 0;
  s->watched = true;
  return iod_poller_watch_writes(&s->loop->poller, s->fd, s->handle);
}

static void write_failed(iod_stream_t *s) {
  if (!s->reads_on) {
    iod_stream_close(s);
    return;
  }
  iod_output_clear(&s->output, &s->loop->releaser);
  s->mute = s->readable = true;
  iod_loop_ready(s->loop, s);
}

void iod_stream_flush(iod_stream_t *s) {
  s->corked = false;
  if (s->fd < 0 || !s->writable || !s->output.pending) return;
  size_t before = s->output.pending;
  int result = s->transport ? s->transport->write(s, WRITE_BUDGET)
                            : iod_output_write(&s->output, s->fd, WRITE_BUDGET, &s->loop->releaser);
  if (!s->transport) iod_loop_sent(s, before - s->output.pending);
  if (result == 0) result = watch_writes(s);
  if (result < 0) {
    write_failed(s);
    return;
  }
  if (result == 2) iod_loop_ready(s->loop, s);
  if (s->output.pending < before) s->ops->on_written(s);
  if (s->fd >= 0 && !s->output.pending) written_out(s);
}

/* The common case: nothing waits, few pieces of bytes, and the socket takes them whole. How much it took, or an error.
 */
static ssize_t send_directly(iod_stream_t *s, const iod_segment_t *segments, size_t count) {
  struct iovec vectors[DIRECT_MOST];
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
  ssize_t n;
  for (size_t i = 0; i < count; i++) vectors[i] = (struct iovec){(void *)segments[i].bytes, segments[i].length};
  do
    n = count == 1 ? send(s->fd, segments->bytes, segments->length, MSG_NOSIGNAL)
                   : sendmsg(s->fd, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : IOD_E_CLOSED;
  iod_loop_sent(s, (size_t)n);
  return n;
}

static void drop_all(iod_stream_t *s, const iod_segment_t *segments, size_t count) {
  for (size_t i = 0; i < count; i++) iod_segment_drop(&segments[i], &s->loop->releaser);
}

static bool can_send_directly(const iod_stream_t *s, const iod_segment_t *segments, size_t count) {
  if (s->corked || !s->writable || s->output.pending > 0) return false;
  if (count == 0 || count > (s->transport ? 1 : DIRECT_MOST)) return false;
  for (size_t i = 0; i < count; i++)
    if (segments[i].kind != IOD_SEGMENT_BYTES) return false;
  return true;
}

int iod_stream_send(iod_stream_t *s, const iod_segment_t *segments, size_t count) {
  iod_segment_t first;
  if (s->fd < 0 || s->lingering || s->mute) {
    drop_all(s, segments, count);
    return IOD_E_CLOSED;
  }
  bool waited = s->output.pending > 0;
  size_t sent = 0;
  if (can_send_directly(s, segments, count)) {
    ssize_t n =
        s->transport ? s->transport->send(s, segments->bytes, segments->length) : send_directly(s, segments, count);
    if (n < 0) {
      write_failed(s);
      return IOD_E_CLOSED;
    }
    for (sent = (size_t)n; count > 0 && sent >= segments->length; segments++, count--) sent -= segments->length;
    if (count == 0 && !s->output.pending) return 0;
  }
  for (size_t i = 0; i < count; i++) {
    first = segments[i];
    if (sent > 0) first.bytes += sent; /* a file has none */
    first.length -= sent;
    sent = 0;
    if (iod_output_add(&s->output, &first, &s->loop->releaser) == 0) continue;
    drop_all(s, segments + i + 1, count - i - 1);
    iod_stream_close(s);
    return IOD_E_NOMEM;
  }
  if (!s->corked && !waited) {
    iod_stream_flush(s);
    if (s->fd < 0) return IOD_E_CLOSED;
    if (s->output.pending) s->ops->on_written(s); /* the write deadline starts */
  }
  return 0;
}

/* ---- reading ---- */

/* Gives bytes to the protocol until it pauses or wants more. Returns how many were used. */
static size_t feed(iod_stream_t *s, const char *bytes, size_t length) {
  const iod_transport_t *transport = s->transport;
  size_t used = 0;
  s->feeding = true;
  while (used < length && !s->paused && s->fd >= 0 && s->transport == transport) {
    size_t n = s->lingering ? length - used : s->ops->on_data(s, bytes + used, length - used);
    if (n == 0) break;
    used += n;
  }
  s->feeding = false;
  return used;
}

static void feed_input(iod_stream_t *s) {
  size_t used = feed(s, iod_buffer_head(&s->input), iod_buffer_length(&s->input));
  if (s->fd < 0) return;
  iod_buffer_consume(&s->input, used < iod_buffer_length(&s->input) ? used : iod_buffer_length(&s->input));
  if (iod_buffer_length(&s->input) == 0) iod_buffer_deinit(&s->input);
}

/* New bytes come into the loop's scratch when nothing is buffered, so that an idle connection needs no memory; what the
 * protocol leaves of them is kept. */
static void feed_scratch(iod_stream_t *s, size_t length) {
  size_t used = feed(s, s->loop->scratch, length);
  if (s->fd < 0 || used >= length) return;
  if (iod_buffer_append(&s->input, s->loop->scratch + used, length - used)) iod_stream_close(s);
}

static ssize_t receive_plain(iod_stream_t *s, char *at, size_t room, bool *filled) {
  ssize_t n;
  do n = recv(s->fd, at, room, 0);
  while (n < 0 && errno == EINTR);
  *filled = n > 0 && (size_t)n == room;
  if (n >= 0) {
    iod_loop_received(s, (size_t)n);
    return n;
  }
  if (errno != EAGAIN && errno != EWOULDBLOCK) return IOD_E_CLOSED;
  s->readable = false;
  return IOD_E_AGAIN;
}

static ssize_t at_end(iod_stream_t *s) {
  s->readable = false;
  s->peer_closed = true;
  if (s->lingering || s->handshaking) return IOD_E_CLOSED;
  s->ops->on_eof(s);
  return 0;
}

static ssize_t receive(iod_stream_t *s, bool *filled) {
  if (s->adopting) s->transport->adopt(s);
  s->adopting = false;
  bool direct = iod_buffer_length(&s->input) == 0;
  if (!direct && iod_buffer_reserve(&s->input, INPUT_STEP)) return IOD_E_NOMEM;
  char *at = direct ? s->loop->scratch : iod_buffer_tail(&s->input);
  size_t room = direct ? IOD_SCRATCH : iod_buffer_room(&s->input);
  ssize_t n =
      s->transport && !s->lingering ? s->transport->receive(s, at, room, filled) : receive_plain(s, at, room, filled);
  if (n < 0) return n;
  if (n == 0) return at_end(s);
  if (direct) {
    feed_scratch(s, (size_t)n);
  } else {
    iod_buffer_extend(&s->input, (size_t)n);
    feed_input(s);
  }
  if (s->adopting) *filled = true;
  return n;
}

static void read_some(iod_stream_t *s) {
  for (int round = 0; s->fd >= 0 && s->readable && (!s->paused || s->handshaking); round++) {
    bool filled = false;
    if (round == READ_ROUNDS) {
      iod_loop_ready(s->loop, s);
      return;
    }
    ssize_t n = receive(s, &filled);
    if (n == IOD_E_AGAIN) return;
    if (n < 0) iod_stream_close(s);
    /* A short read emptied the socket: what comes later is a new edge. Not so when a FIN is behind it. */
    if (n > 0 && !filled && !s->peer_closed && s->fd >= 0) s->readable = false;
  }
}

void iod_stream_resume(iod_stream_t *s) {
  s->paused = false;
  if (s->feeding) return; /* called from on_data: its caller goes on */
  if (s->fd >= 0 && iod_buffer_length(&s->input) > 0 && !s->adopting) feed_input(s);
  if (s->fd >= 0 && s->readable && !s->paused) iod_loop_ready(s->loop, s);
}

/* ---- the loop's side ---- */

/* A socket may be written when it is connected, or won't be. False: not yet, or it has failed. A FIN may be told before
 * that, once. */
static bool connected(iod_stream_t *s, uint8_t *flags) {
  int error = 0;
  socklen_t size = sizeof error;
  s->peer_closed |= (*flags & IOD_PEER_CLOSED) != 0;
  if (!(*flags & (IOD_WRITABLE | IOD_BROKEN))) return false;
  if (s->peer_closed) *flags |= IOD_PEER_CLOSED;
  s->peer_closed = false;
  if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
  s->connecting = false;
  s->readable = s->writable = error == 0;
  s->ops->on_connect(s, error);
  if (error) iod_stream_close(s);
  return s->fd >= 0;
}

void iod_stream_event(iod_stream_t *s, uint8_t flags) {
  if (s->connecting && !connected(s, &flags)) return;
  if (flags & IOD_WRITABLE) s->writable = true;
  if (flags & (IOD_READABLE | IOD_PEER_CLOSED | IOD_BROKEN)) s->readable = true, s->drained = false;
  if ((flags & IOD_BROKEN) && s->paused && !s->handshaking && !s->lossless) {
    iod_stream_close(s);
    return;
  }
  if ((flags & IOD_PEER_CLOSED) && !s->peer_closed) {
    s->peer_closed = true;
    if (s->paused) s->ops->on_hangup(s);
  }
  iod_stream_continue(s);
}

void iod_stream_continue(iod_stream_t *s) {
  if (s->fd >= 0 && s->output.pending && s->writable && !s->corked) iod_stream_flush(s);
  read_some(s);
}

void iod_stream_timeout(iod_stream_t *s) {
  if (s->lingering)
    iod_stream_close(s);
  else
    s->ops->on_timeout(s);
}

void iod_stream_deadline(iod_stream_t *s, uint64_t due) {
  /* A connection without a deadline could stay for ever: without memory for one, it closes. */
  if (iod_timers_set(&s->loop->timers, &s->timer, due)) iod_stream_close(s);
}
