#include "rack_writer.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../protocol/http1_response.h"
#include "../server/file_response.h"
#include "../server/public.h"
#include "../server/server.h"
#include "rack_pin.h"

#include <ruby/thread.h>
#include <unistd.h>

enum {
  SMALL_BODY = 16 * 1024,  /* copied behind its head: one write */
  BATCH = 64 * 1024,       /* of an Array's short Strings */
  HIGH_WATER = 256 * 1024, /* bytes pending: the application waits … */
  LOW_WATER = 64 * 1024,   /* … until so few are left */
  SPARE_BUFFERS = 8,
  FRAMING_ROOM = 256, /* date, length or coding, connection */
};

/* ---- buffers ---- */

/* The GVL guards them; a thread that waits for its client keeps its own. */
static iod_buffer_t spare[SPARE_BUFFERS];
static unsigned spares;

static iod_buffer_t buffer_take(void) { return spares > 0 ? spare[--spares] : (iod_buffer_t){0}; }

static void buffer_give(iod_buffer_t *buffer) {
  iod_buffer_clear(buffer);
  if (spares < SPARE_BUFFERS && buffer->capacity <= BATCH * 2)
    spare[spares++] = *buffer;
  else
    iod_buffer_deinit(buffer);
  *buffer = (iod_buffer_t){0};
}

static void reserve(iod_buffer_t *out, size_t n) {
  if (iod_buffer_reserve(out, n)) rb_raise(rb_eNoMemError, "no memory for a response");
}

/* Into room that was reserved. */
static void put(iod_buffer_t *out, const char *bytes, size_t length) {
  memcpy(iod_buffer_tail(out), bytes, length);
  iod_buffer_extend(out, length);
}

static void put_slice(iod_buffer_t *out, iod_slice_t slice) { put(out, slice.at, slice.length); }

void iod_rack_header_append(iod_buffer_t *out, const char *name, size_t name_length, const char *value,
                            size_t value_length) {
  reserve(out, name_length + value_length + 4);
  put(out, name, name_length);
  put(out, ": ", 2);
  put(out, value, value_length);
  put(out, "\r\n", 2);
}

/* ---- life ---- */

void iod_rack_writer_init(iod_rack_writer_t *w, iod_server_t *server, iod_request_t *request) {
  *w = (iod_rack_writer_t){.server = server, .request = request, .out = buffer_take()};
}

void iod_rack_writer_deinit(iod_rack_writer_t *w) {
  if (!w->request) return;
  iod_rack_writer_abort(w);
  buffer_give(&w->out);
  iod_request_unref(w->request);
  w->request = NULL;
}

void iod_rack_writer_move(iod_rack_writer_t *to, iod_rack_writer_t *from) {
  *to = *from;
  *from = (iod_rack_writer_t){.ended = true, .head_sent = true};
}

void iod_rack_log(int level, const iod_request_t *request, const char *sentence) {
  iod_slice_t method = iod_request_slice(request, request->head.method);
  iod_slice_t path = iod_request_slice(request, request->head.path);
  iod_log(level, "%.*s %.*s: %s", (int)method.length, method.at, (int)path.length, path.at, sentence);
}

/* ---- the head ---- */

void iod_rack_writer_begin(iod_rack_writer_t *w, int status) {
  char room[IOD_STATUS_LINE_ROOM];
  iod_slice_t line = iod_http1_status_line(status, room);
  iod_buffer_clear(&w->out);
  reserve(&w->out, 512);
  put_slice(&w->out, line);
  w->status = status;
  w->framing = IOD_RACK_UNKNOWN;
  w->left = 0;
  w->has_date = false;
  w->keep_alive = atomic_load_explicit(&w->request->keep_alive, memory_order_relaxed);
}

iod_slice_t iod_rack_writer_date(void) {
  static char line[] = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  static time_t formatted;
  time_t now = time(NULL);
  if (now != formatted) iod_date_format(line + 6, formatted = now);
  return (iod_slice_t){line, sizeof line - 1};
}

static void put_length(iod_buffer_t *out, uint64_t length) {
  put_slice(out, IOD_SLICE("content-length: "));
  iod_buffer_extend(out, iod_decimal(iod_buffer_tail(out), length));
  put_slice(out, IOD_SLICE("\r\n"));
}

static iod_slice_t connection_line(const iod_rack_writer_t *w) {
  if (w->framing == IOD_RACK_UPGRADE) return IOD_SLICE("connection: upgrade\r\n");
  return iod_connection_line(w->request, w->keep_alive);
}

/* What is known only now that the body begins. */
static void finish_head(iod_rack_writer_t *w) {
  iod_buffer_t *out = &w->out;
  if (w->framing == IOD_RACK_UNKNOWN) w->framing = w->request->head.minor ? IOD_RACK_CHUNKED : IOD_RACK_CLOSE;
  if (w->framing == IOD_RACK_CLOSE) w->keep_alive = false;
  reserve(out, FRAMING_ROOM);
  if (!w->has_date) put_slice(out, iod_rack_writer_date());
  if (w->framing == IOD_RACK_LENGTH) put_length(out, w->left);
  if (w->framing == IOD_RACK_CHUNKED) put_slice(out, IOD_SLICE("transfer-encoding: chunked\r\n"));
  iod_slice_t connection = connection_line(w);
  if (connection.length) put_slice(out, connection);
  put_slice(out, IOD_SLICE("\r\n"));
}

/* ---- sending ---- */

static iod_segment_t gathered(const iod_rack_writer_t *w) {
  return (iod_segment_t){
      .kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = iod_buffer_head(&w->out), .length = iod_buffer_length(&w->out)};
}

static int transmit(iod_rack_writer_t *w, const iod_segment_t *segments, size_t count, size_t body_bytes, int flags) {
  iod_send_t send = {.flags = flags, .status = w->head_sent ? 0 : w->status, .body_bytes = body_bytes};
  w->head_sent = true;
  if (flags & IOD_SEND_LAST) w->ended = true;
  int result = iod_request_send(w->server, w->request, &send, segments, count);
  iod_buffer_clear(&w->out);
  if (result == 0) return 0;
  w->gone = w->ended = true;
  return IOD_E_CLOSED;
}

static int last(const iod_rack_writer_t *w) { return IOD_SEND_LAST | (w->keep_alive ? 0 : IOD_SEND_CLOSE); }

static int transmit_gathered(iod_rack_writer_t *w, size_t body_bytes, int flags) {
  iod_segment_t segment = gathered(w);
  return transmit(w, &segment, segment.length > 0, body_bytes, flags);
}

void iod_rack_writer_send_head(iod_rack_writer_t *w) {
  finish_head(w);
  transmit_gathered(w, 0, last(w));
}

void iod_rack_writer_send(iod_rack_writer_t *w, int status, const iod_segment_t *segments, size_t count,
                          size_t body_bytes) {
  w->status = status;
  transmit(w, segments, count, body_bytes, last(w));
}

void iod_rack_writer_send_file(iod_rack_writer_t *w, int fd, uint64_t length) {
  iod_segment_t segments[] = {{0}, {.kind = IOD_SEGMENT_FILE, .fd = fd, .length = (size_t)length}};
  bool head_only = w->request->head.method_id == IOD_METHOD_HEAD;
  if (iod_buffer_reserve(&w->out, FRAMING_ROOM)) {
    close(fd);
    rb_raise(rb_eNoMemError, "no memory for a response");
  }
  w->framing = IOD_RACK_LENGTH;
  w->left = length;
  finish_head(w);
  segments[0] = gathered(w);
  if (head_only) close(fd);
  transmit(w, segments, head_only ? 1 : 2, head_only ? 0 : (size_t)length, last(w));
}

static void put_string(iod_buffer_t *out, VALUE string) {
  size_t length = (size_t)RSTRING_LEN(string);
  reserve(out, length);
  put(out, RSTRING_PTR(string), length);
}

/* Short Strings are copied together, long ones are lent. Nobody waits: the body is in memory anyway. */
static void send_long_array(iod_rack_writer_t *w, VALUE array) {
  size_t gathered_bytes = 0;
  for (long i = 0; i < RARRAY_LEN(array) && !w->gone; i++) {
    VALUE string = RARRAY_AREF(array, i);
    size_t length = (size_t)RSTRING_LEN(string);
    if (length >= IOD_RACK_PIN_MIN) {
      iod_segment_t segments[] = {gathered(w), iod_rack_segment(string, length)};
      size_t skip = segments[0].length == 0;
      transmit(w, segments + skip, 2 - skip, gathered_bytes + length, 0);
      gathered_bytes = 0;
    } else {
      put_string(&w->out, string);
      gathered_bytes += length;
      if (iod_buffer_length(&w->out) < BATCH) continue;
      transmit_gathered(w, gathered_bytes, 0);
      gathered_bytes = 0;
    }
  }
  if (!w->gone) transmit_gathered(w, gathered_bytes, last(w));
}

void iod_rack_writer_send_array(iod_rack_writer_t *w, VALUE array, size_t total) {
  if (w->framing != IOD_RACK_ENCODED) {
    w->framing = IOD_RACK_LENGTH;
    w->left = total;
  }
  finish_head(w);
  if (total > SMALL_BODY) {
    send_long_array(w, array);
    return;
  }
  for (long i = 0; i < RARRAY_LEN(array); i++) put_string(&w->out, RARRAY_AREF(array, i));
  transmit_gathered(w, total, last(w));
}

/* ---- waiting for the client ---- */

typedef struct wait {
  iod_server_t *server;
  iod_request_t *request;
  _Atomic bool cancelled;
} wait_t;

static void *wait_outside(void *data) {
  wait_t *wait = data;
  int result = iod_request_wait_drained(wait->server, wait->request, LOW_WATER, &wait->cancelled);
  (void)result; /* the next write finds out */
  return NULL;
}

static void wait_cancel(void *data) {
  wait_t *wait = data;
  atomic_store(&wait->cancelled, true);
  iod_server_wake_waiters(wait->server);
}

static VALUE wait_until_drained(VALUE data) {
  wait_t *wait = (wait_t *)data;
  while (atomic_load(&wait->request->pending) > LOW_WATER && atomic_load(&wait->request->gone) != IOD_GONE) {
    atomic_store(&wait->cancelled, false);
    rb_nogvl(wait_outside, wait, wait_cancel, wait, RB_NOGVL_INTR_FAIL);
    rb_thread_check_ints();
  }
  return Qnil;
}

static VALUE wait_done(VALUE data) {
  iod_request_unref(((wait_t *)data)->request);
  return Qnil;
}

/* Meanwhile another thread may end the response, and the writer with it: only the request, by a reference of our own,
 * is used until the end. */
static void wait_for_client(const iod_rack_writer_t *w) {
  if (atomic_load(&w->request->pending) <= HIGH_WATER) return;
  wait_t wait = {.server = w->server, .request = w->request};
  atomic_fetch_add(&wait.request->references, 1);
  rb_ensure(wait_until_drained, (VALUE)&wait, wait_done, (VALUE)&wait);
}

/* ---- the body, piece by piece ---- */

/* The server may be gone as well as the client: then nothing of it is touched. */
static bool is_over(iod_rack_writer_t *w) {
  if (!w->ended && atomic_load(&w->request->gone) == IOD_GONE) w->gone = w->ended = true;
  return w->ended;
}

/* "HTTP/1.1 200 OK…", "1f4\r\n" and so on before the bytes; behind them the end of the chunk. */
static int write_piece(iod_rack_writer_t *w, VALUE string, size_t length) {
  size_t head = iod_buffer_length(&w->out);
  if (w->framing == IOD_RACK_CHUNKED) {
    reserve(&w->out, IOD_CHUNK_HEAD_ROOM);
    iod_buffer_extend(&w->out, iod_http1_chunk_head(iod_buffer_tail(&w->out), length));
    head = iod_buffer_length(&w->out);
  }
  iod_segment_t segments[] = {gathered(w),
                              iod_rack_segment(string, length),
                              {.kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = "\r\n", .length = 2}};
  size_t first = head == 0;
  return transmit(w, segments + first, (w->framing == IOD_RACK_CHUNKED ? 3 : 2) - first, length, 0);
}

static void remember_tail(iod_rack_writer_t *w, const char *bytes, size_t length) {
  const size_t room = sizeof w->tail;
  size_t kept = length < room ? room - length : 0;
  memmove(w->tail, w->tail + room - kept, kept);
  memcpy(w->tail + kept, bytes + length - (room - kept), room - kept);
}

int iod_rack_writer_write(iod_rack_writer_t *w, VALUE string) {
  size_t length = (size_t)RSTRING_LEN(string);
  if (is_over(w)) return IOD_E_CLOSED;
  if (length == 0) return 0; /* an empty chunk would be the end */
  bool over = w->framing == IOD_RACK_LENGTH && length > w->left;
  if (over) {
    iod_rack_log(IOD_LOG_ERROR, w->request, "the body is longer than its content-length; the rest was not sent");
    length = (size_t)w->left;
  }
  if (length == 0) return IOD_E_FULL;
  if (!w->head_sent) finish_head(w);
  if (w->framing == IOD_RACK_LENGTH) w->left -= length;
  if (w->framing == IOD_RACK_ENCODED) remember_tail(w, RSTRING_PTR(string), length);
  int result = write_piece(w, string, length);
  RB_GC_GUARD(string);
  if (result) return result;
  if (over) return IOD_E_FULL;
  wait_for_client(w);
  return 0;
}

void iod_rack_writer_begin_interim(iod_rack_writer_t *w, int status) {
  if (iod_buffer_length(&w->out) > 0 || w->head_sent)
    rb_raise(rb_eIOError, "the response has begun: early hints come before it");
  iod_rack_writer_begin(w, status);
}

/* Nothing of 1xx to an HTTP/1.0 client (RFC 9110 section 15.2). */
void iod_rack_writer_send_interim(iod_rack_writer_t *w) {
  iod_send_t send = {.flags = IOD_SEND_INTERIM};
  reserve(&w->out, 2);
  put_slice(&w->out, IOD_SLICE("\r\n"));
  iod_segment_t segment = gathered(w);
  if (w->request->head.minor > 0 && iod_request_send(w->server, w->request, &send, &segment, 1))
    w->gone = w->ended = true;
  iod_buffer_clear(&w->out);
}

void iod_rack_writer_flush(iod_rack_writer_t *w) {
  if (w->head_sent || is_over(w)) return;
  finish_head(w);
  transmit_gathered(w, 0, 0);
}

/* A body without a byte has a length after all. */
static void finish_empty(iod_rack_writer_t *w) {
  if (w->framing == IOD_RACK_LENGTH && w->left > 0)
    iod_rack_log(IOD_LOG_ERROR, w->request, "the body is empty, its content-length is not; sent as empty");
  if (w->framing == IOD_RACK_UNKNOWN) w->framing = IOD_RACK_LENGTH;
  w->left = 0;
  finish_head(w);
}

void iod_rack_writer_end(iod_rack_writer_t *w) {
  if (is_over(w)) return;
  if (!w->head_sent) finish_empty(w);
  if (w->framing == IOD_RACK_LENGTH && w->left > 0) {
    iod_rack_log(IOD_LOG_ERROR, w->request, "the body is shorter than its content-length; the connection is closed");
    iod_rack_writer_abort(w);
  } else if (w->framing == IOD_RACK_ENCODED && memcmp(w->tail + 1, "\r\n\r\n", 4) != 0) {
    iod_rack_log(IOD_LOG_ERROR, w->request,
                 "the body has no last chunk, but transfer-encoding: chunked; the connection is closed");
    iod_rack_writer_abort(w);
  } else {
    if (w->framing == IOD_RACK_CHUNKED) {
      reserve(&w->out, 5);
      put_slice(&w->out, IOD_SLICE("0\r\n\r\n"));
    }
    transmit_gathered(w, 0, last(w));
  }
}

/* ---- the ends that are not foreseen ---- */

void iod_rack_writer_fail(iod_rack_writer_t *w, int status) {
  w->head_sent = w->ended = true;
  iod_request_send_failure(w->server, w->request, status);
}

void iod_rack_writer_abort(iod_rack_writer_t *w) {
  if (is_over(w)) return;
  if (w->head_sent)
    transmit(w, NULL, 0, 0, IOD_SEND_LAST | IOD_SEND_ABORT);
  else
    iod_rack_writer_fail(w, atomic_load(&w->server->crew.halted) ? 503 : 500); /* no time was left: not its mistake */
}

/* ---- hijack ---- */

typedef struct hijack {
  iod_server_t *server;
  iod_request_t *request;
  char **early;
  size_t *early_length;
  int fd;
  bool done;
} hijack_t;

static void *hijack_outside(void *data) {
  hijack_t *h = data;
  h->fd = iod_request_hijack(h->server, h->request, h->early, h->early_length);
  h->done = true;
  return NULL;
}

static VALUE hijack_until_done(VALUE data) {
  hijack_t *h = (hijack_t *)data;
  while (!h->done) {
    rb_nogvl(hijack_outside, h, NULL, NULL, RB_NOGVL_INTR_FAIL);
    if (!h->done) rb_thread_check_ints();
  }
  return Qnil;
}

/* A connection that nobody took is not left waiting for a response. */
static VALUE hijack_done(VALUE data) {
  hijack_t *h = (hijack_t *)data;
  if (h->fd < 0) {
    iod_send_t send = {.flags = IOD_SEND_LAST | IOD_SEND_ABORT};
    int result = iod_request_send(h->server, h->request, &send, NULL, 0);
    (void)result;
  }
  iod_request_unref(h->request);
  return Qnil;
}

/* As in wait_for_client, the writer may be gone when this returns: it is ended beforehand. */
int iod_rack_writer_hijack(iod_rack_writer_t *w, char **early, size_t *early_length) {
  hijack_t h = {.server = w->server, .request = w->request, .early = early, .early_length = early_length, .fd = -1};
  if (is_over(w)) return -1;
  w->ended = w->head_sent = true;
  atomic_fetch_add(&h.request->references, 1);
  rb_ensure(hijack_until_done, (VALUE)&h, hijack_done, (VALUE)&h);
  return h.fd;
}
