#include "connection.h"

#include "../base/alloc.h"
#include "server.h"

#include <string.h>

enum { /* what may wait on a strand before the peer has to wait */
       MOST_BYTES = 256 * 1024,
       MOST_MESSAGES = 1024,
};

static void apply_close(iod_server_t *server, iod_command_t *command);
static void apply_refresh(iod_server_t *server, iod_command_t *command);

/* ---- life ---- */

iod_connection_t *iod_connection_new(iod_server_t *server, iod_connection_kind_t kind, const iod_connection_ops_t *ops,
                                     iod_handle_t stream) {
  iod_connection_t *c = iod_alloc_zero(sizeof *c);
  if (!c) return NULL;
  c->job.kind = IOD_JOB_CONNECTION;
  c->server = server;
  c->kind = kind;
  c->ops = ops;
  c->stream = stream;
  c->closing.apply = apply_close;
  c->refreshing.apply = apply_refresh;
  atomic_init(&c->references, 2);
  atomic_init(&c->open, true);
  atomic_init(&c->wants, UINT8_MAX);
  pthread_mutex_init(&c->lock, NULL);
  atomic_fetch_add(&server->untold, 1);
  return c;
}

void iod_connection_ref(iod_connection_t *c) { atomic_fetch_add(&c->references, 1); }

void iod_connection_unref(iod_connection_t *c) {
  if (atomic_fetch_sub(&c->references, 1) > 1) return;
  pthread_mutex_destroy(&c->lock);
  iod_tls_info_unref(c->secure);
  iod_free(c);
}

bool iod_connection_is_open(const iod_connection_t *c) { return atomic_load(&c->open) && !c->server->inherited; }

/* ---- the strand: what comes ---- */

/* Under the lock: true when its job is to be queued. */
static bool wake(iod_connection_t *c) {
  bool idle = !c->busy;
  c->busy = true;
  return idle;
}

static void unlock_and_queue(iod_connection_t *c, bool queue) {
  pthread_mutex_unlock(&c->lock);
  if (queue) iod_jobs_push(&c->server->jobs, &c->job, false);
}

static uint8_t wanted(const iod_connection_t *c, uint8_t signal) {
  return signal & (atomic_load(&c->wants) | IOD_TELL_OPEN | IOD_TELL_CLOSE);
}

void iod_connection_tell(iod_connection_t *c, uint8_t signal) {
  signal = wanted(c, signal);
  if (!signal) return;
  pthread_mutex_lock(&c->lock);
  c->signals |= signal;
  unlock_and_queue(c, wake(c));
}

/* Under the lock. */
static bool is_full(const iod_connection_t *c) { return c->bytes >= MOST_BYTES || c->count >= MOST_MESSAGES; }

static bool append(iod_connection_t *c, iod_message_t *message) {
  *(c->first ? &c->last->next : &c->first) = message;
  c->last = message;
  c->bytes += message->length;
  c->count++;
  return wake(c);
}

int iod_connection_tell_message(iod_connection_t *c, const char *bytes, size_t length, bool text) {
  if (!(atomic_load(&c->wants) & IOD_TELL_MESSAGE)) return 0;
  iod_message_t *message = iod_alloc(sizeof *message + length);
  if (!message) return IOD_E_NOMEM;
  *message = (iod_message_t){.length = length, .tell = IOD_TELL_MESSAGE, .text = text};
  memcpy(message->bytes, bytes, length);
  pthread_mutex_lock(&c->lock);
  bool queue = append(c, message);
  bool full = is_full(c);
  c->throttled |= full;
  unlock_and_queue(c, queue);
  return full ? IOD_E_FULL : 0;
}

bool iod_connection_end(iod_connection_t *c, uint8_t signal) {
  pthread_mutex_lock(&c->lock);
  c->ending = true;
  signal = wanted(c, signal);
  c->signals |= signal;
  bool queue = signal && wake(c);
  bool idle = !c->busy;
  unlock_and_queue(c, queue);
  return idle;
}

void iod_connection_closed(iod_connection_t *c) {
  atomic_store(&c->open, false);
  iod_connection_tell(c, IOD_TELL_CLOSE);
  iod_connection_unref(c);
}

int iod_connection_call(iod_connection_t *c) {
  if (c->server->inherited) return IOD_E_CLOSED; /* whoever had the strand's lock isn't in this process */
  iod_message_t *call = iod_alloc_zero(sizeof *call);
  if (!call) return IOD_E_NOMEM;
  call->tell = IOD_TELL_CALL;
  pthread_mutex_lock(&c->lock);
  bool over = c->over;
  bool queue = !over && append(c, call);
  unlock_and_queue(c, queue);
  if (over) iod_free(call);
  if (queue) iod_crew_wake_one(c->server);
  return over ? IOD_E_CLOSED : 0;
}

/* ---- the strand: what is told ---- */

static iod_message_t *shift(iod_connection_t *c) {
  iod_message_t *message = c->first;
  c->first = message->next;
  c->bytes -= message->length;
  c->count--;
  return message;
}

uint8_t iod_connection_take(iod_connection_t *c, iod_message_t **message) {
  *message = NULL;
  pthread_mutex_lock(&c->lock);
  uint8_t tell = (uint8_t)(c->signals & ~IOD_TELL_CLOSE);
  tell &= (uint8_t)(~tell + 1); /* the lowest */
  if (!tell && c->first) {
    *message = shift(c);
    tell = (*message)->tell;
  } else if (!tell) {
    tell = c->signals; /* CLOSE, or nothing */
    c->over |= tell == IOD_TELL_CLOSE;
  }
  c->signals &= (uint8_t)~tell;
  bool room = c->throttled && c->bytes <= MOST_BYTES / 2 && c->count <= MOST_MESSAGES / 2;
  if (room) c->throttled = false;
  pthread_mutex_unlock(&c->lock);
  if (room) iod_connection_resume(c);
  return tell;
}

static void finish(iod_connection_t *c) {
  atomic_fetch_sub(&c->server->untold, 1);
  iod_connection_unref(c);
}

void iod_connection_rest(iod_connection_t *c) {
  pthread_mutex_lock(&c->lock);
  bool more = c->signals || c->first, over = c->over;
  bool end = c->ending && !more && !over;
  c->busy = more;
  if (end) iod_connection_ref(c); /* another thread may tell the close meanwhile */
  unlock_and_queue(c, more);
  if (over) finish(c);
  if (!end) return;
  iod_connection_close(c);
  iod_connection_unref(c);
}

void iod_connection_abandon(iod_connection_t *c) {
  iod_message_t *message;
  if (c->server->abandoned) c->server->abandoned(c);
  while (iod_connection_take(c, &message)) iod_free(message);
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
  if (s) return c->ops->write(s, segment, text);
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
  iod_server_command(c->server, &w->command);
  return true;
}

int iod_connection_write(iod_connection_t *c, const iod_segment_t *segment, bool text) {
  iod_server_t *server = c->server;
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
  if (s) c->ops->close(s);
  iod_connection_unref(c);
}

void iod_connection_close(iod_connection_t *c) {
  if (!iod_connection_is_open(c) || !atomic_exchange(&c->open, false)) return;
  iod_connection_ref(c);
  iod_server_command(c->server, &c->closing);
}

static void apply_refresh(iod_server_t *server, iod_command_t *command) {
  iod_connection_t *c = (iod_connection_t *)(void *)((char *)command - offsetof(iod_connection_t, refreshing));
  atomic_store(&c->refresh_posted, false);
  iod_stream_t *s = stream_of(server, c);
  if (s) c->ops->refresh(s);
  iod_connection_unref(c);
}

void iod_connection_resume(iod_connection_t *c) {
  if (!iod_connection_is_open(c) || atomic_exchange(&c->refresh_posted, true)) return;
  iod_connection_ref(c);
  iod_server_command(c->server, &c->refreshing);
}

void iod_connection_timeout(iod_connection_t *c, uint8_t seconds) {
  atomic_store(&c->timeout, seconds);
  iod_connection_resume(c);
}

size_t iod_connection_pending(const iod_connection_t *c) {
  return (size_t)atomic_load(&c->sent) + atomic_load(&c->posted);
}
