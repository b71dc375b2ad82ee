#include "connection.h"

#include "../base/alloc.h"
#include "../base/utf8.h"
#include "client.h"
#include "line.h"
#include "server.h"

#include <string.h>

enum { /* what may wait on a strand before the peer has to wait */
       MOST_BYTES = 256 * 1024,
       MOST_MESSAGES = 1024,
};

static void apply_close(iod_server_t *server, iod_command_t *command);
static void apply_refresh(iod_server_t *server, iod_command_t *command);

/* ---- life ---- */

iod_connection_t *iod_connection_new(iod_server_t *server, iod_connection_kind_t kind) {
  iod_connection_t *c = iod_alloc_zero(sizeof *c);
  if (!c) return NULL;
  iod_strand_init(&c->strand, server, IOD_JOB_CONNECTION);
  c->subscriber.strand = &c->strand;
  c->subscriber.tell = IOD_TELL_PUBLISHED;
  c->kind = (uint8_t)kind;
  c->close_code = IOD_CLOSE_ABNORMAL;
  c->closing.apply = apply_close;
  c->refreshing.apply = apply_refresh;
  atomic_init(&c->references, 2);
  atomic_init(&c->wants, UINT8_MAX);
  atomic_fetch_add(&server->untold, 1);
  return c;
}

void iod_connection_ref(iod_connection_t *c) { atomic_fetch_add(&c->references, 1); }

void iod_connection_unref(iod_connection_t *c) {
  if (atomic_fetch_sub(&c->references, 1) > 1) return;
  iod_strand_deinit(&c->strand);
  iod_tls_info_unref(c->secure);
  iod_free(c->remote);
  iod_client_unref(c->client);
  iod_free(c->farewell_reason);
  iod_free(c->close_reason);
  iod_free(c);
}

void iod_connection_opened(iod_connection_t *c, iod_line_t *line) {
  c->subscriber.line = line; /* nobody has subscribed yet */
  c->opened = true;
  atomic_store(&c->open, true);
  iod_connection_tell(c, IOD_TELL_OPEN);
}

bool iod_connection_is_open(const iod_connection_t *c) { return atomic_load(&c->open) && !c->strand.server->inherited; }

/* ---- reasons ---- */

static iod_reason_t *reason_new(iod_slice_t words) {
  words = iod_utf8_cut(words, IOD_REASON_MAX);
  iod_reason_t *reason = words.length ? iod_alloc(sizeof *reason + words.length) : NULL;
  if (!reason) return NULL; /* it ends without */
  reason->length = (uint8_t)words.length;
  memcpy(reason->bytes, words.at, words.length);
  return reason;
}

void iod_connection_ends_with(iod_connection_t *c, uint16_t code, iod_slice_t reason) {
  c->close_code = code;
  iod_free(c->close_reason);
  c->close_reason = reason_new(reason);
}

/* ---- the strand: what comes ---- */

static uint8_t wanted(const iod_connection_t *c, uint8_t signal) {
  return signal & (atomic_load(&c->wants) | IOD_TELL_OPEN | IOD_TELL_CLOSE);
}

void iod_connection_tell(iod_connection_t *c, uint8_t signal) {
  signal = wanted(c, signal);
  if (!signal) return;
  iod_strand_lock(&c->strand);
  c->strand.signals |= signal;
  iod_strand_unlock(&c->strand, true);
}

/* Under the lock. */
static bool is_full(const iod_connection_t *c) {
  return c->strand.bytes >= MOST_BYTES || c->strand.count >= MOST_MESSAGES;
}

static iod_message_t *message_of(iod_slice_t bytes, iod_buffer_t *owned) {
  if (!owned) return iod_message_new(IOD_TELL_MESSAGE, bytes.at, bytes.length);
  iod_message_t *message = iod_message_over(IOD_TELL_MESSAGE, owned->bytes, bytes.length);
  if (message) *owned = (iod_buffer_t){0};
  return message;
}

int iod_connection_tell_message(iod_connection_t *c, iod_slice_t bytes, bool text, iod_buffer_t *owned) {
  if (!(atomic_load(&c->wants) & IOD_TELL_MESSAGE)) {
    if (owned) iod_buffer_deinit(owned);
    return 0;
  }
  iod_message_t *message = message_of(bytes, owned);
  if (!message) return IOD_E_NOMEM;
  message->text = text;
  iod_strand_lock(&c->strand);
  iod_strand_append(&c->strand, message);
  bool full = is_full(c);
  c->throttled |= full;
  iod_strand_unlock(&c->strand, true);
  return full ? IOD_E_FULL : 0;
}

bool iod_connection_end(iod_connection_t *c, uint8_t signal) {
  iod_strand_lock(&c->strand);
  c->ending = true;
  signal = wanted(c, signal);
  c->strand.signals |= signal;
  bool idle = !c->strand.busy && !signal;
  iod_strand_unlock(&c->strand, signal != 0);
  return idle;
}

void iod_connection_closed(iod_connection_t *c) {
  atomic_store(&c->open, false);
  iod_pubsub_leave(c->strand.server, &c->subscriber);
  iod_connection_tell(c, IOD_TELL_CLOSE);
  iod_connection_unref(c);
}

int iod_connection_call(iod_connection_t *c) {
  iod_server_t *server = c->strand.server;
  if (server->inherited) return IOD_E_CLOSED; /* whoever had the strand's lock isn't in this process */
  iod_message_t *call = iod_message_new(IOD_TELL_CALL, NULL, 0);
  if (!call) return IOD_E_NOMEM;
  iod_strand_lock(&c->strand);
  bool over = c->over;
  if (!over) iod_strand_append(&c->strand, call);
  iod_strand_unlock(&c->strand, !over);
  if (over)
    iod_message_free(call);
  else
    iod_crew_wake_one(server);
  return over ? IOD_E_CLOSED : 0;
}

/* ---- the strand: what is told ---- */

uint8_t iod_connection_take(iod_connection_t *c, iod_message_t **message) {
  iod_strand_t *s = &c->strand;
  *message = NULL;
  iod_strand_lock(s);
  if (iod_connection_pending(c)) s->signals &= (uint8_t)~IOD_TELL_DRAINED; /* more was written since: it comes again */
  uint8_t tell = (uint8_t)(s->signals & ~IOD_TELL_CLOSE);
  tell &= (uint8_t)(~tell + 1); /* the lowest */
  if (!tell && (*message = iod_strand_shift(s))) {
    tell = (*message)->tell;
  } else {
    if (!tell) tell = s->signals; /* CLOSE, or nothing */
    c->over |= tell == IOD_TELL_CLOSE;
    s->signals &= (uint8_t)~tell;
  }
  bool room = c->throttled && s->bytes <= MOST_BYTES / 2 && s->count <= MOST_MESSAGES / 2;
  if (room) c->throttled = false;
  iod_strand_unlock(s, false);
  if (room) iod_connection_resume(c);
  return tell;
}

static void finish(iod_connection_t *c) {
  atomic_fetch_sub(&c->strand.server->untold, 1);
  iod_connection_unref(c);
}

void iod_connection_rest(iod_connection_t *c) {
  iod_strand_t *s = &c->strand;
  iod_strand_lock(s);
  bool more = s->signals || s->first, over = c->over;
  bool end = c->ending && !more && !over;
  s->busy = false;
  if (end) iod_connection_ref(c); /* another thread may tell the close meanwhile */
  iod_strand_unlock(s, more);
  if (over) finish(c);
  if (!end) return;
  iod_connection_close_with(c, c->farewell ? c->farewell : IOD_CLOSE_NORMAL, (iod_slice_t){0});
  iod_connection_unref(c);
}

void iod_connection_abandon(iod_connection_t *c) {
  iod_message_t *message;
  if (c->strand.server->abandoned) c->strand.server->abandoned(c);
  while (iod_connection_take(c, &message)) iod_message_free(message);
  iod_connection_rest(c);
}

/* ---- what the application does ---- */

/* NULL: closed, or about to. */
static iod_stream_t *stream_of(iod_server_t *server, const iod_connection_t *c) {
  iod_stream_t *s = iod_loop_find(&server->loop, c->stream);
  return s && !s->closing ? s : NULL;
}

static int write_now(iod_server_t *server, iod_connection_t *c, const iod_segment_t *segment, bool text) {
  iod_stream_t *s = stream_of(server, c);
  iod_count_one(&server->pulse->sent);
  if (s) return iod_line_of(s)->ops->write(s, segment, text);
  iod_segment_drop(segment, &server->loop.releaser);
  return IOD_E_CLOSED;
}

typedef struct write_command {
  iod_command_t command; /* first */
  iod_connection_t *connection;
  iod_segment_t segment;
  bool text;
  char bytes[];
} write_command_t;

static void apply_write(iod_server_t *server, iod_command_t *command) {
  write_command_t *w = (write_command_t *)command;
  atomic_fetch_sub(&w->connection->posted, 1);
  int result = write_now(server, w->connection, &w->segment, w->text);
  (void)result; /* the application is told of the close */
  iod_connection_unref(w->connection);
  iod_free(w);
}

/* Bytes that are only borrowed are copied. False when out of memory. */
static bool post_write(iod_connection_t *c, const iod_segment_t *segment, bool text) {
  bool copied = segment->kind == IOD_SEGMENT_BYTES;
  write_command_t *w = iod_alloc(sizeof *w + (copied ? segment->length : 0));
  if (!w) return false;
  *w = (write_command_t){.command.apply = apply_write, .connection = c, .segment = *segment, .text = text};
  if (copied) w->segment.bytes = memcpy(w->bytes, segment->bytes, segment->length);
  iod_connection_ref(c);
  atomic_fetch_add(&c->posted, 1);
  iod_server_command(c->strand.server, &w->command);
  return true;
}

int iod_connection_write(iod_connection_t *c, const iod_segment_t *segment, bool text) {
  iod_server_t *server = c->strand.server;
  if (!iod_server_trylock(server)) {
    if (post_write(c, segment, text)) return 0;
    iod_server_lock(server); /* without memory for a command there is no way but to wait */
  }
  int result = write_now(server, c, segment, text);
  iod_server_unlock(server);
  return result;
}

/* Commands that are part of the connection: they need no memory. */
static void apply_close(iod_server_t *server, iod_command_t *command) {
  iod_connection_t *c = (iod_connection_t *)(void *)((char *)command - offsetof(iod_connection_t, closing));
  iod_stream_t *s = stream_of(server, c);
  if (s) iod_line_of(s)->ops->close(s);
  iod_connection_unref(c);
}

void iod_connection_close(iod_connection_t *c) { iod_connection_close_with(c, IOD_CLOSE_NORMAL, (iod_slice_t){0}); }

void iod_connection_close_with(iod_connection_t *c, uint16_t code, iod_slice_t reason) {
  if (!iod_connection_is_open(c) || !atomic_exchange(&c->open, false)) return;
  c->farewell = code;
  c->farewell_reason = reason_new(reason);
  iod_connection_ref(c);
  iod_server_command(c->strand.server, &c->closing);
}

static void apply_refresh(iod_server_t *server, iod_command_t *command) {
  iod_connection_t *c = (iod_connection_t *)(void *)((char *)command - offsetof(iod_connection_t, refreshing));
  atomic_store(&c->refresh_posted, false); /* before it looks why: who comes now posts it again */
  iod_stream_t *s = iod_loop_find(&server->loop, c->stream);
  if (s && atomic_load(&c->dropped))
    iod_stream_close(s);
  else if (s && !s->closing)
    iod_line_of(s)->ops->refresh(s);
  iod_connection_unref(c);
}

static void post_refresh(iod_connection_t *c) {
  if (atomic_exchange(&c->refresh_posted, true)) return;
  iod_connection_ref(c);
  iod_server_command(c->strand.server, &c->refreshing);
}

void iod_connection_resume(iod_connection_t *c) {
  if (iod_connection_is_open(c)) post_refresh(c);
}

void iod_connection_drop(iod_connection_t *c) {
  if (c->strand.server->inherited) return;
  atomic_store(&c->open, false);
  atomic_store(&c->dropped, true);
  post_refresh(c);
}

void iod_connection_timeout(iod_connection_t *c, uint8_t seconds) {
  atomic_store(&c->timeout, seconds);
  iod_connection_resume(c);
}

size_t iod_connection_pending(const iod_connection_t *c) {
  return (size_t)atomic_load(&c->sent) + atomic_load(&c->posted);
}
