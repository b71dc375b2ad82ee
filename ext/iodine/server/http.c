#include "http.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../protocol/http1_response.h"
#include "line.h"
#include "overload.h"
#include "raw.h"
#include "relay.h"
#include "server.h"
#include "upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD, BODY, APP, DONE, GREETING /* TLS, before the first request */, PROXY /* before its header */ };

enum {
  ROW = 16,           /* pipelined requests of one connection that may go before others */
  GREETING_MS = 2000, /* a drain waits for handshakes and their first request */
  CORK_LIMIT =
      64 * 1024, /* bytes gathered for a pipelining client; also what may wait before its next request is read */
};

static iod_http_t *http_of(iod_stream_t *s) { return (iod_http_t *)(void *)s; }
static iod_server_t *server_of(const iod_http_t *http) { return http->listener->server; }
static const iod_settings_t *settings_of(const iod_http_t *http) { return &http->listener->settings; }

static void deadline(iod_http_t *http, uint32_t ms) {
  if (ms)
    iod_stream_deadline(&http->stream, http->stream.loop->now + ms);
  else
    iod_stream_no_deadline(&http->stream);
}

/* ---- answers that the server gives itself ---- */

static void answer(iod_http_t *http, int status, iod_slice_t extra) {
  iod_buffer_t out = {0};
  char date[IOD_DATE_LENGTH];
  iod_date_format(date, time(NULL));
  if (iod_http1_error_response(&out, status, date, iod_http1_connection_line(false, 1), extra, false) == 0) {
    iod_segment_t segment = {
        .kind = IOD_SEGMENT_BYTES, .bytes = iod_buffer_head(&out), .length = iod_buffer_length(&out)};
    http->stream.corked = false;
    int sent = iod_stream_send(&http->stream, &segment, 1);
    (void)sent; /* whoever doesn't take it has gone */
  }
  iod_buffer_deinit(&out);
}

static void count_status(const iod_http_t *http, int status) {
  iod_count_one(&http->listener->stats->counters.answers[status >= 100 && status < 600 ? status / 100 : 0]);
}

static void refuse(iod_http_t *http, int status, const char *why) {
  count_status(http, status);
  iod_log(IOD_LOG_DEBUG, "refused a request of %s with %d: %s", http->remote.ip, status, why);
  http->state = DONE;
  char room[IOD_RETRY_ROOM];
  answer(http, status, status == 503 ? iod_overload_retry(server_of(http), room) : iod_upgrade_lines(status));
  iod_stream_finish(&http->stream);
}

static int status_of(int error) {
  switch (error) {
  case IOD_E_NOMEM: return 503;
  case IOD_E_SYSTEM: return errno == ENOSPC || errno == EDQUOT ? 507 : 500;
  default: return -error;
  }
}

/* ---- requests ---- */

static void finish_answer(iod_http_t *http, int flags);

static void answer_options(iod_http_t *http) {
  char date[IOD_DATE_LENGTH], line[160];
  iod_date_format(date, time(NULL));
  bool keep = http->request->keep_alive;
  int n = snprintf(
      line, sizeof line,
      "HTTP/1.1 204 No Content\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\ndate: %.29s\r\n%s\r\n", date,
      keep ? (http->request->head.minor ? "" : "connection: keep-alive\r\n") : "connection: close\r\n");
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = line, .length = (size_t)n};
  iod_send_t send = {.flags = IOD_SEND_LAST | (keep ? 0 : IOD_SEND_CLOSE), .status = 204};
  iod_request_t *request = http->request;
  int sent = iod_http_send(server_of(http), request, &send, &segment, 1);
  (void)sent;
  iod_request_unref(request); /* the application's reference: it never sees this one */
}

/* A head or a body has a deadline of its own until it is complete, whatever else is written meanwhile. */
static bool reading(const iod_http_t *http) { return (http->state == HEAD && http->parser) || http->state == BODY; }

/* Its time in the queue begins. */
static void note_queued(iod_http_t *http) {
  iod_stats_t *stats = http->listener->stats;
  http->request->queued_us = http->stream.loop->now_us;
  if (iod_count_get(&stats->waiting) == 0) iod_count_set(&stats->waiting_since, http->request->queued_us);
}

static void dispatch(iod_http_t *http) {
  iod_request_t *r = http->request;
  iod_server_t *server = server_of(http);
  if (http->stream.output.pending == 0)
    iod_stream_no_deadline(&http->stream);
  else if (reading(http))
    deadline(http, settings_of(http)->write_timeout);
  if (!iod_stream_open(&http->stream)) return; /* for the deadline, and with it went the request */
  const iod_public_t *public = settings_of(http)->public;
  int refused = public && public->alone ? 0 : iod_upgrade_read(r); /* without an application nothing is upgraded */
  if (refused) {
    refuse(http, -refused, iod_error_name(refused));
    return;
  }
  http->state = APP;
  http->stream.paused = true;
  if (settings_of(http)->inside) {
    iod_inside_answer(http);
    return;
  }
  if (r->head.method_id == IOD_METHOD_OPTIONS && iod_slice_equal(iod_request_slice(r, r->head.path), IOD_SLICE("*"))) {
    answer_options(http);
    return;
  }
  if (public && iod_public_answer(http)) return;
  if (http->stream.peer_closed) atomic_store(&r->gone, IOD_GONE_HALF);
  if (!iod_overload_admit(http)) return;
  bool first = http->stream.corked && ++http->row < ROW;
  if (!first) http->row = 0;
  note_queued(http);
  iod_jobs_push(&server->jobs, &r->job, first);
}

static void begin_body(iod_http_t *http, bool body_came) {
  const iod_http1_head_t *head = &http->request->head;
  if (head->body == IOD_BODY_LENGTH) {
    iod_http1_body_length(&http->body, head->content_length);
    iod_spool_init(&http->spool, head->content_length);
  } else {
    iod_http1_body_chunked(&http->body, settings_of(http)->limits.body);
    iod_spool_init(&http->spool, 0);
  }
  http->state = BODY;
  bool expected = head->expect_continue && !body_came;
  deadline(http, settings_of(http)->body_timeout); /* may close, and with it goes the request */
  if (!expected) return;
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = "HTTP/1.1 100 Continue\r\n\r\n", .length = 25};
  int sent = iod_stream_send(&http->stream, &segment, 1);
  (void)sent;
  iod_http_uncork(http); /* with the answers before it, if those were gathered */
}

static void begin_request(iod_http_t *http, const iod_http1_parser_t *parser, const char *bytes, size_t length) {
  iod_request_t *r = iod_request_new(parser, bytes);
  if (!r) {
    refuse(http, 503, "out of memory");
    return;
  }
  r->connection = http->stream.handle;
  r->listener = http->listener;
  r->remote = http->remote;
  r->secure = iod_tls_info_ref(iod_stream_tls_info(&http->stream));
  if (http->trusted) iod_proxies_read(http->listener, r);
  r->begun_us = http->begun_us;
  atomic_init(&r->keep_alive, r->head.keep_alive && !server_of(http)->draining);
  if (settings_of(http)->log && server_of(http)->sink.json && !iod_request_id_given(r).length)
    r->serial = iod_request_serial_next();
  http->request = r;
  iod_count_one(&http->listener->stats->requests);
  http->status = 0;
  http->body_bytes = 0;
  bool body = r->head.body == IOD_BODY_CHUNKED || (r->head.body == IOD_BODY_LENGTH && r->head.content_length > 0);
  if (body)
    begin_body(http, length > r->head.length);
  else
    dispatch(http);
}

static void drop_parser(iod_http_t *http) {
  if (http->parser) iod_pool_give(&server_of(http)->parsers, http->parser);
  http->parser = NULL;
}

/* A head that didn't come whole keeps its parser until it is. */
static bool keep_parser(iod_http_t *http) {
  iod_server_t *server = server_of(http);
  const iod_http1_parser_t *scratch = &server->scratch_parser;
  http->parser = iod_pool_take(&server->parsers);
  if (!http->parser) return false;
  memcpy(http->parser, scratch,
         offsetof(iod_http1_parser_t, headers) + scratch->head.header_count * sizeof scratch->headers[0]);
  deadline(http, settings_of(http)->head_timeout);
  return true;
}

static size_t take_head(iod_http_t *http, const char *bytes, size_t length) {
  iod_http1_parser_t *parser = http->parser;
  if (!parser) {
    parser = &server_of(http)->scratch_parser;
    iod_http1_parser_reset(parser);
    http->begun_us = http->stream.loop->now_us;
  }
  int used = iod_http1_parse_head(parser, &settings_of(http)->limits, bytes, length);
  if (used == 0) {
    if (!http->parser && !keep_parser(http)) refuse(http, 503, "out of memory");
    return 0;
  }
  if (used > 0) begin_request(http, parser, bytes, length);
  drop_parser(http);
  if (used > 0) return (size_t)used;
  refuse(http, status_of(used), iod_error_name(used));
  return length;
}

static size_t take_body(iod_http_t *http, const char *bytes, size_t length) {
  iod_slice_t data;
  int64_t used = iod_http1_body_decode(&http->body, bytes, length, &data);
  int error = used < 0 ? (int)used : iod_spool_append(&http->spool, data.at, data.length);
  bool done = !error && iod_http1_body_done(&http->body);
  if (done) error = iod_spool_end(&http->spool);
  if (error) {
    int status = status_of(error);
    if (status >= 500) iod_log(IOD_LOG_ERROR, "can't keep the body of a request: %s", strerror(errno));
    refuse(http, status, iod_error_name(error));
    return length;
  }
  if (done) {
    iod_request_set_body(http->request, &http->spool);
    dispatch(http);
  } else {
    deadline(http, settings_of(http)->body_timeout);
  }
  return (size_t)used;
}

/* ---- the beginning ---- */

/* Something comes before the first request, or that itself: a drain waits for it, but not for long. */
static void await(iod_http_t *http, uint32_t ms) {
  deadline(http, iod_server_hurries(server_of(http)) ? GREETING_MS : ms);
}

/* The handshake has as long as a head. */
static void secure(iod_http_t *http) {
  http->state = GREETING;
  await(http, settings_of(http)->head_timeout);
  if (!iod_stream_open(&http->stream) || iod_stream_secure(&http->stream, settings_of(http)->tls))
    iod_stream_close(&http->stream);
}

/* Over TLS without a word: to say it would take the whole handshake. */
static void turn_away(iod_http_t *http, const char *why) {
  http->refused = true;
  iod_count_one(&http->listener->stats->counters.refused);
  if (++server_of(http)->refusals > IOD_REFUSALS || settings_of(http)->tls || settings_of(http)->raw)
    iod_stream_close(&http->stream);
  else
    refuse(http, 503, why);
}

static void begin(iod_http_t *http) {
  http->state = HEAD;
  if (!iod_overload_enter(http))
    turn_away(http, "its address has too many connections");
  else if (settings_of(http)->tls)
    secure(http);
  else if (settings_of(http)->raw)
    iod_raw_open(http);
  else
    await(http, settings_of(http)->keep_alive);
}

static void await_proxy_header(iod_http_t *http) {
  const iod_settings_t *settings = settings_of(http);
  http->state = PROXY;
  await(http, settings->head_timeout ? settings->head_timeout : settings->keep_alive);
}

static size_t take_proxy_header(iod_http_t *http, const char *bytes, size_t length) {
  bool trusted = http->trusted;
  int used = iod_proxies_take_header(http->listener, &http->remote, &trusted, bytes, length);
  http->trusted = trusted;
  if (used > 0) begin(http);
  if (used >= 0) return (size_t)used;
  iod_log(IOD_LOG_DEBUG, "closed a connection of %s: it does not begin with a PROXY header", http->remote.ip);
  iod_stream_close(&http->stream);
  return length;
}

/* ---- the stream's callbacks ---- */

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  iod_http_t *http = http_of(s);
  if (http->state == GREETING) http->state = HEAD;
  if (http->state == HEAD) return take_head(http, bytes, length);
  if (http->state == BODY) return take_body(http, bytes, length);
  if (http->state == PROXY) return take_proxy_header(http, bytes, length);
  return length;
}

static void on_eof(iod_stream_t *s) {
  http_of(s)->state = DONE;
  iod_stream_finish(s);
}

static void on_hangup(iod_stream_t *s) {
  iod_http_t *http = http_of(s);
  if (http->state != APP) return;
  atomic_store(&http->request->gone, IOD_GONE_HALF);
  iod_jobs_put_behind(&server_of(http)->jobs, &http->request->job);
}

static void tell_writers(iod_http_t *http) {
  iod_server_t *server = server_of(http);
  if (atomic_load(&server->drain_waiters) > 0) iod_server_wake_waiters(server);
}

static void go_on(iod_http_t *http);

static void on_written(iod_stream_t *s) {
  iod_http_t *http = http_of(s);
  if (http->request) {
    atomic_store(&http->request->pending, s->output.pending);
    tell_writers(http);
  }
  if (reading(http)) return;
  if (s->output.pending > 0)
    deadline(http, settings_of(http)->write_timeout);
  else if (http->held)
    go_on(http);
  else if (http->state == HEAD)
    deadline(http, settings_of(http)->keep_alive);
  else if (http->state == APP)
    iod_stream_no_deadline(s);
}

static void on_timeout(iod_stream_t *s) {
  iod_http_t *http = http_of(s);
  if (reading(http)) {
    refuse(http, 408, http->parser ? "the head took too long" : "the body stood still");
  } else if (s->output.pending > 0 || http->state == DONE) {
    iod_count_one(&http->listener->stats->counters.slow);
    iod_log(IOD_LOG_DEBUG, "closed a connection of %s that did not read for %u ms", http->remote.ip,
            settings_of(http)->write_timeout);
    iod_stream_close(s);
  } else if (http->state == HEAD || http->state == GREETING || http->state == PROXY) {
    iod_stream_close(s);
  }
}

static void on_handshake(iod_stream_t *s, int result, const char *why) {
  iod_http_t *http = http_of(s);
  if (result == IOD_E_PLAIN && settings_of(http)->raw) {
    iod_log(IOD_LOG_DEBUG, "no TLS with %s: it speaks in clear", http->remote.ip);
    iod_stream_close(s);
  } else if (result == IOD_E_PLAIN) {
    refuse(http, 400, "plain HTTP where TLS is spoken");
  } else if (result) {
    iod_log(IOD_LOG_DEBUG, "no TLS with %s: %s", http->remote.ip, why);
  } else if (settings_of(http)->raw) {
    iod_raw_open(http);
  } else if (http->state == GREETING && !iod_server_hurries(server_of(http))) {
    deadline(http, settings_of(http)->keep_alive);
  }
}

static void forget_request(iod_http_t *http) {
  http->request = NULL;
  iod_count_less(&http->listener->stats->requests);
}

static void on_close(iod_stream_t *s) {
  iod_http_t *http = http_of(s);
  iod_server_t *server = server_of(http);
  drop_parser(http);
  iod_spool_deinit(&http->spool);
  iod_timers_remove(&server->loop.timers, &http->patience);
  iod_overload_leave(http);
  server->refusals -= http->refused;
  iod_count_less(&http->listener->stats->http);
  if (http->request) {
    iod_request_t *r = http->request;
    bool answering = http->state == APP;
    forget_request(http);
    atomic_store(&r->gone, IOD_GONE);
    tell_writers(http);
    /* Who hangs up leaves nothing behind in the queue: clients that come and go would fill it without limit. */
    bool unseen = !answering || iod_jobs_remove(&server->jobs, &r->job);
    if (unseen) iod_request_unref(r); /* the application never got it */
    iod_request_unref(r);
  }
  iod_server_left(server);
}

static const iod_stream_ops_t ops = {
    .on_data = on_data,
    .on_eof = on_eof,
    .on_hangup = on_hangup,
    .on_written = on_written,
    .on_timeout = on_timeout,
    .on_handshake = on_handshake,
    .on_close = on_close,
};

void iod_http_open(iod_listener_t *listener, int fd, const iod_peer_t *remote, bool refused) {
  iod_server_t *server = listener->server;
  iod_http_t *http = (iod_http_t *)(void *)iod_loop_open(&server->loop, fd, &ops);
  if (!http) return;
  http->listener = listener;
  http->remote = *remote;
  http->trusted = iod_proxies_trust(listener, remote);
  http->stream.uncounted = listener->settings.inside != NULL;
  iod_count_one(&listener->stats->http);
  if (server->shared.slots)
    atomic_store(&server->shared.slots[server->index].connections, iod_server_open_connections(server));
  if (refused)
    turn_away(http, "the connection limit is reached");
  else if (listener->settings.proxy_protocol)
    await_proxy_header(http);
  else
    begin(http);
}

/* ---- answers from the application ---- */

iod_http_t *iod_http_of(iod_server_t *server, const iod_request_t *request) {
  iod_http_t *http = (iod_http_t *)(void *)iod_loop_find(&server->loop, request->connection);
  return http && http->request == request && http->state == APP ? http : NULL;
}

/* The next request: what is buffered already, then what the socket has. Answers to pipelined requests are gathered
 * while more of them are complete. */
static void go_on(iod_http_t *http) {
  http->held = false;
  http->state = HEAD;
  http->begun_us = 0;
  if (http->stream.output.pending == 0) deadline(http, settings_of(http)->keep_alive);
  iod_stream_resume(&http->stream);
  if (!http->stream.corked || !iod_stream_open(&http->stream)) return;
  if (http->state != APP || http->stream.output.pending > CORK_LIMIT)
    iod_http_uncork(http);
  else
    iod_loop_cork(http->stream.loop, &http->stream);
}

void iod_http_uncork(iod_http_t *http) {
  http->row = 0;
  iod_stream_flush(&http->stream);
}

static void log_answer(iod_http_t *http) {
  if (!settings_of(http)->log || !http->status) return;
  uint64_t now = iod_clock_us(), begun = http->request->begun_us;
  iod_access_entry_t entry = {.request = http->request,
                              .status = http->status,
                              .bytes = http->body_bytes,
                              .took_us = now > begun ? now - begun : 0};
  iod_access_log_add(&server_of(http)->log, &entry);
}

/* The clock was set with the state lock. */
static void count_answer(const iod_http_t *http) {
  const iod_request_t *r = http->request;
  iod_counters_t *counters = &http->listener->stats->counters;
  uint64_t now = http->stream.loop->now_us, taken = atomic_load_explicit(&r->taken_us, memory_order_relaxed);
  count_status(http, http->status);
  iod_histogram_add(&counters->latency, now > r->begun_us ? now - r->begun_us : 0);
  if (taken) iod_histogram_add(&counters->queue, taken > r->queued_us ? taken - r->queued_us : 0);
}

static void finish_answer(iod_http_t *http, int flags) {
  log_answer(http);
  iod_count_one(&server_of(http)->pulse->answered);
  count_answer(http);
  iod_request_t *r = http->request;
  /* A body that ends with the connection looks whole after a FIN. */
  bool cut_off = (flags & IOD_SEND_ABORT) && r->head.minor == 0;
  iod_overload_answered(http);
  /* Not if its head has promised more, as long as that can be kept: the next request may be on its way. */
  bool close =
      (flags & (IOD_SEND_CLOSE | IOD_SEND_ABORT)) || !r->head.keep_alive || iod_server_hurries(server_of(http));
  forget_request(http);
  http->state = close ? DONE : HEAD;
  iod_request_unref(r);
  if (cut_off) {
    iod_stream_reset(&http->stream);
  } else if (close) {
    iod_stream_finish(&http->stream);
  } else if (http->stream.output.pending > CORK_LIMIT) {
    http->held = true;
    iod_http_uncork(http);
  } else {
    go_on(http);
  }
}

int iod_http_send(iod_server_t *server, iod_request_t *request, const iod_send_t *send, const iod_segment_t *segments,
                  size_t count) {
  iod_http_t *http = iod_http_of(server, request);
  if (!http) {
    for (size_t i = 0; i < count; i++) iod_segment_drop(&segments[i], &server->loop.releaser);
    return IOD_E_CLOSED;
  }
  bool last = send->flags & IOD_SEND_LAST;
  iod_count_one(&server->pulse->sent);
  if (send->status) {
    http->status = (uint16_t)send->status;
    iod_overload_answered(http);
  }
  http->body_bytes += send->body_bytes;
  if (last && iod_buffer_length(&http->stream.input) > 0 && !http->stream.output.pending) http->stream.corked = true;
  if (!last && http->stream.corked) iod_http_uncork(http);
  int result = count ? iod_stream_send(&http->stream, segments, count) : 0;
  if (result) return result;
  if (http->stream.output.pending > 0 && !http->stream.timer.due) deadline(http, settings_of(http)->write_timeout);
  if (!iod_stream_open(&http->stream)) return IOD_E_NOMEM; /* for the deadline */
  if (last) {
    finish_answer(http, send->flags);
  } else {
    atomic_store(&request->pending, http->stream.output.pending);
    tell_writers(http); /* a command had counted more */
  }
  return 0;
}

/* ---- other protocols ---- */

void iod_http_become_line(iod_http_t *http, iod_connection_t *c, const iod_stream_ops_t *stream_ops,
                          const iod_connection_ops_t *connection_ops, uint8_t timeout) {
  if (!c) {
    iod_stream_close(&http->stream);
    return;
  }
  iod_peer_t remote = http->remote;
  iod_line_opening_t opening = {.connection = c,
                                .stream_ops = stream_ops,
                                .ops = connection_ops,
                                .settings = settings_of(http),
                                .remote = &remote,
                                .place = http->place,
                                .timeout = timeout};
  if (http->request) {
    log_answer(http);
    count_answer(http);
    iod_request_unref(http->request);
    forget_request(http);
  }
  http->place = 0; /* it stays counted */
  c->listener = http->listener;
  on_close(&http->stream);
  iod_line_open(&http->stream, &opening);
}

/* ---- the end ---- */

void iod_http_announce_close(iod_stream_t *s) {
  if (!iod_relay_is(s) && http_of(s)->request) atomic_store(&http_of(s)->request->keep_alive, false);
}

void iod_http_drain(iod_stream_t *s, void *server) {
  (void)server;
  iod_http_t *http = http_of(s);
  char byte;
  if (iod_relay_is(s)) return;
  iod_http_announce_close(s);
  /* Who is in the middle of a handshake has a request to come. */
  if (http->state == GREETING || http->state == PROXY) deadline(http, GREETING_MS);
  if (http->state != HEAD || http->parser || s->output.pending > 0 || http->held) return;
  /* A request that is already here is answered. */
  if (recv(s->fd, &byte, 1, MSG_PEEK) > 0) {
    s->readable = true;
    iod_loop_ready(s->loop, s);
  } else {
    iod_stream_close(s);
  }
}

bool iod_http_answering(const iod_stream_t *s) {
  const iod_http_t *http = (const iod_http_t *)(const void *)s;
  return !iod_relay_is(s) && http->state == APP && http->request;
}

bool iod_http_busy(const iod_stream_t *s) {
  const iod_http_t *http = (const iod_http_t *)(const void *)s;
  if (iod_relay_is(s)) return s->output.pending > 0 || s->lingering;
  if (settings_of(http)->inside) return false;
  bool draining = server_of(http)->draining;
  if (http->state == GREETING || http->state == PROXY || (draining && s->in_ready)) return draining;
  return http->state == BODY || http->state == APP || http->parser || s->output.pending > 0 || s->lingering;
}
