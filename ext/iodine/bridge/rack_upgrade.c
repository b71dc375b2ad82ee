#include "rack_upgrade.h"

#include "../protocol/http1_response.h"
#include "../server/upgrade.h"
#include "rack_headers.h"
#include "rack_names.h"
#include "ruby_connection.h"

static VALUE rack_upgrade, upgrade_websocket, iodine_websocket, upgrade_tcp; /* env's keys */
static VALUE iodine;
static ID id_old_callbacks;

typedef struct wish {
  iod_connection_kind_t kind;
  VALUE callbacks;
} wish_t;

/* ---- what the application wants ---- */

/* Callbacks by the rules of 0.2: Ruby makes today's of them. */
static VALUE old_callbacks(VALUE handler, VALUE env, VALUE tcp) {
  return rb_funcall(iodine, id_old_callbacks, 3, handler, env, tcp);
}

static bool find_key(VALUE env, VALUE key, VALUE *value) {
  *value = rb_hash_lookup(env, key);
  return RTEST(*value);
}

/* Those for whom the request doesn't ask are left alone, but for upgrade.tcp, which needs no asking. */
static bool find_wish(VALUE env, uint8_t asks, wish_t *wish) {
  VALUE value;
  if (asks) wish->kind = asks == IOD_ASKS_WEBSOCKET ? IOD_CONNECTION_WEBSOCKET : IOD_CONNECTION_SSE;
  if (asks && find_key(env, rack_upgrade, &value)) {
    wish->callbacks = value;
    return true;
  }
  if (asks == IOD_ASKS_WEBSOCKET &&
      (find_key(env, upgrade_websocket, &value) || find_key(env, iodine_websocket, &value))) {
    wish->callbacks = old_callbacks(value, env, Qfalse);
    return true;
  }
  if (!find_key(env, upgrade_tcp, &value)) return false;
  wish->kind = IOD_CONNECTION_RAW;
  wish->callbacks = old_callbacks(value, env, Qtrue);
  return true;
}

/* ---- the head ---- */

static bool owned(iod_connection_kind_t kind, iod_slice_t name) {
  if (kind == IOD_CONNECTION_WEBSOCKET)
    return iod_slice_is(name, IOD_SLICE("upgrade")) || iod_slice_is(name, IOD_SLICE("sec-websocket-accept")) ||
           iod_slice_is(name, IOD_SLICE("sec-websocket-extensions"));
  if (kind == IOD_CONNECTION_SSE)
    return iod_slice_is(name, IOD_SLICE("content-type")) || iod_slice_is(name, IOD_SLICE("cache-control")) ||
           iod_slice_is(name, IOD_SLICE("x-accel-buffering"));
  return false;
}

/* Takes out the application's lines behind `start` that the protocol has itself. */
static void drop_owned(iod_buffer_t *out, size_t start, iod_connection_kind_t kind) {
  while (start < iod_buffer_length(out)) {
    char *line = iod_buffer_head(out) + start, *end = iod_buffer_tail(out);
    char *colon = memchr(line, ':', (size_t)(end - line)), *feed = memchr(line, '\n', (size_t)(end - line));
    size_t length = (size_t)(feed - line) + 1;
    if (!owned(kind, (iod_slice_t){line, (size_t)(colon - line)})) {
      start += length;
      continue;
    }
    memmove(line, feed + 1, (size_t)(end - feed) - 1);
    iod_buffer_cut(out, length);
  }
}

static void append(iod_buffer_t *out, iod_slice_t bytes) {
  if (iod_buffer_append(out, bytes.at, bytes.length)) rb_raise(rb_eNoMemError, "no memory for a response");
}

static void write_head(iod_rack_exchange_t *x, const wish_t *wish, int status) {
  iod_rack_writer_t *w = &x->writer;
  iod_rack_headers_t headers;
  iod_rack_writer_begin(w, status);
  size_t start = iod_buffer_length(&w->out);
  iod_rack_headers_write(x->headers, &w->out, &headers);
  drop_owned(&w->out, start, wish->kind);
  if (!headers.has_date) append(&w->out, iod_rack_writer_date());
  if (wish->kind == IOD_CONNECTION_RAW)
    append(&w->out, IOD_SLICE("connection: upgrade\r\n"));
  else if (iod_upgrade_answer(w->request, &w->out))
    rb_raise(rb_eNoMemError, "no memory for a response");
  append(&w->out, IOD_SLICE("\r\n"));
}

/* ---- the whole ---- */

/* 0 and what is under it stand for the usual one; for a raw takeover they stand for no answer at all. */
static int status_of(const wish_t *wish, long given) {
  if (wish->kind == IOD_CONNECTION_WEBSOCKET) return 101;
  if (wish->kind == IOD_CONNECTION_SSE) return 200;
  return given < 100 ? 0 : (int)given;
}

bool iod_rack_upgrade(iod_rack_exchange_t *x) {
  iod_rack_writer_t *w = &x->writer;
  wish_t wish;
  if (!RB_INTEGER_TYPE_P(x->status) || NUM2LONG(x->status) >= 300) return false;
  if (!find_wish(x->env, w->request->asks, &wish)) return false;
  int status = status_of(&wish, NUM2LONG(x->status));
  if (status)
    write_head(x, &wish, status);
  else
    iod_buffer_clear(&w->out);
  iod_connection_t *c = iod_ruby_connection_new(w->server, wish.kind, x->env, wish.callbacks);
  w->head_sent = w->ended = x->upgraded = true;
  iod_slice_t head = {iod_buffer_head(&w->out), iod_buffer_length(&w->out)};
  iod_request_upgrade(w->server, w->request, c, status ? status : 101, head);
  return true;
}

void iod_rack_upgrade_init(VALUE iodine_module) {
  iodine = iodine_module;
  id_old_callbacks = rb_intern("old_callbacks");
  rack_upgrade = iod_rack_key("rack.upgrade");
  upgrade_websocket = iod_rack_key("upgrade.websocket");
  iodine_websocket = iod_rack_key("iodine.websocket");
  upgrade_tcp = iod_rack_key("upgrade.tcp");
}
