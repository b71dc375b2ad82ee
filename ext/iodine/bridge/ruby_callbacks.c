#include "ruby_callbacks.h"

#include "../base/utf8.h"
#include "../server/listener.h"
#include "protect.h"
#include "rack_env.h"
#include "rack_tls.h"
#include "ruby_pubsub.h"

#include <ruby/encoding.h>
#include <string.h>

enum { BATCH = 16 /* callbacks before others get their turn */ };

static ID id_call;
static struct {
  uint8_t tell;
  const char *name;
  ID id;
} callbacks[] = {{IOD_TELL_OPEN, "on_open", 0},       {IOD_TELL_SHUTDOWN, "on_shutdown", 0},
                 {IOD_TELL_PING, "ping", 0},          {IOD_TELL_DRAINED, "on_drained", 0},
                 {IOD_TELL_MESSAGE, "on_message", 0}, {IOD_TELL_CLOSE, "on_close", 0}};
enum { CALLBACKS = sizeof callbacks / sizeof *callbacks };

static _Thread_local const iod_ruby_connection_t *on_strand; /* whose callbacks this thread is in */

typedef struct telling {
  iod_ruby_connection_t *rc;
  VALUE self; /* keeps it alive and in its place */
  iod_connection_t *connection;
  uint8_t tell;
  const iod_message_t *message;
} telling_t;

static ID callback_id(uint8_t tell) {
  for (int i = 0; i < CALLBACKS; i++)
    if (callbacks[i].tell == tell) return callbacks[i].id;
  return 0;
}

static const char *callback_name(uint8_t tell) {
  for (int i = 0; i < CALLBACKS; i++)
    if (callbacks[i].tell == tell) return callbacks[i].name;
  return tell == IOD_TELL_PUBLISHED ? "the block of a subscription" : "a task of a connection";
}

void iod_ruby_callbacks_set(iod_ruby_connection_t *rc, VALUE handler) {
  uint8_t wants = 0;
  if (!RTEST(handler)) handler = Qnil;
  for (int i = 0; i < CALLBACKS && !NIL_P(handler); i++)
    if (rb_respond_to(handler, callbacks[i].id)) wants |= callbacks[i].tell;
  RB_OBJ_WRITE(rc->self, &rc->handler, handler);
  atomic_store(&rc->connection->wants, wants);
}

/* Calls it, if the handler has it. */
static void call_back(const iod_ruby_connection_t *rc, VALUE self, uint8_t tell, int argc, VALUE data) {
  VALUE arguments[] = {self, data};
  if (!(atomic_load(&rc->connection->wants) & tell) || NIL_P(rc->handler)) return;
  rb_funcallv(rc->handler, callback_id(tell), argc, arguments);
}

static VALUE call_simple(VALUE data) {
  const telling_t *t = (const telling_t *)data;
  call_back(t->rc, t->self, t->tell, 1, Qnil);
  return Qnil;
}

/* What a callback raises is logged, and the connection goes on. 0, or the state of a kill. */
static int protected(VALUE (*function)(VALUE), telling_t *t) {
  int state = iod_protect(function, (VALUE)t, NULL);
  if (state == 0 || iod_error_is_kill()) return state;
  const char *name = callback_name(t->tell);
  return iod_error_log(name, strlen(name), iod_error_take());
}

/* ---- another handler ---- */

/* On the strand; 0, or the state of a kill. */
static int switch_handler(iod_ruby_connection_t *rc, VALUE self, VALUE handler) {
  telling_t t = {.rc = rc, .self = self, .connection = rc->connection, .tell = IOD_TELL_CLOSE};
  int state = rc->link ? protected(call_simple, &t) : 0;
  iod_ruby_callbacks_set(rc, handler);
  if (state || !rc->link) return state;
  t.tell = IOD_TELL_OPEN;
  if (RTEST(handler)) return protected(call_simple, &t);
  iod_connection_close(rc->connection);
  return 0;
}

void iod_ruby_callbacks_switch(VALUE self, VALUE handler) {
  iod_ruby_connection_t *rc = iod_ruby_connection_get(self);
  if (on_strand != rc) {
    iod_ruby_callbacks_post(self, rb_ary_new_from_args(1, handler));
    return;
  }
  int state = switch_handler(rc, self, handler);
  if (state) rb_jump_tag(state);
}

bool iod_ruby_callbacks_post(VALUE self, VALUE call) {
  iod_ruby_connection_t *rc = iod_ruby_connection_get(self);
  if (!rc->link) return false; /* else its server is there */
  VALUE calls = rb_ivar_get(self, iod_ruby_connection_calls);
  if (NIL_P(calls)) rb_ivar_set(self, iod_ruby_connection_calls, calls = rb_ary_new());
  rb_ary_push(calls, call);
  int result = iod_connection_call(rc->connection);
  if (result) rb_ary_pop(calls);
  if (result == IOD_E_NOMEM) rb_raise(rb_eNoMemError, "no memory for a task of a connection");
  return result == 0;
}

/* ---- what the strand tells ---- */

/* Of a raw connection: the listener's handler is asked for the callbacks object. */
static void ask_listener(telling_t *t) {
  VALUE listener = (VALUE)t->connection->listener->tag;
  t->self = iod_ruby_connection_wrap(t->connection);
  t->rc = iod_ruby_connection_get(t->self);
  if (t->connection->secure) iod_rack_tls_announce(iod_rack_listener_protocols(listener), t->connection->secure);
  iod_ruby_callbacks_set(t->rc, Qnil);
  iod_ruby_callbacks_set(t->rc, rb_funcallv(iod_rack_listener_app(listener), id_call, 0, NULL));
  if (NIL_P(t->rc->handler)) iod_connection_close(t->connection);
}

static VALUE open_connection(VALUE data) {
  telling_t *t = (telling_t *)data;
  if (!t->rc) ask_listener(t);
  return call_simple(data);
}

/* Text was checked when it came: Ruby need not do that again. */
static VALUE text_of(const iod_message_t *m) {
  VALUE string = rb_str_new(m->bytes, (long)m->length);
  RB_ENCODING_SET_INLINED(string, rb_utf8_encindex());
  ENC_CODERANGE_SET(string, iod_ascii(m->bytes, m->length) ? ENC_CODERANGE_7BIT : ENC_CODERANGE_VALID);
  return string;
}

static VALUE call_message(VALUE data) {
  const telling_t *t = (const telling_t *)data;
  const iod_message_t *m = t->message;
  VALUE string = m->text ? text_of(m) : rb_str_new(m->bytes, (long)m->length);
  call_back(t->rc, t->self, IOD_TELL_MESSAGE, 2, string);
  return Qnil;
}

static VALUE call_block(VALUE data) {
  telling_t *t = (telling_t *)data;
  VALUE call = rb_ary_shift(rb_ivar_get(t->self, iod_ruby_connection_calls));
  if (!RB_TYPE_P(call, T_ARRAY)) return rb_proc_call_kw(call, rb_ary_new(), 0);
  int state = switch_handler(t->rc, t->self, RARRAY_AREF(call, 0));
  if (state) rb_jump_tag(state);
  return Qnil;
}

static VALUE call_published(VALUE data) {
  const telling_t *t = (const telling_t *)data;
  return iod_ruby_pubsub_call(rb_ivar_get(t->self, iod_ruby_connection_blocks), t->message);
}

static int tell(telling_t *t) {
  iod_ruby_connection_t *rc = t->connection->tag;
  if (!rc && t->tell != IOD_TELL_OPEN) return 0; /* there was no memory for it */
  bool known = t->connection->opened || t->connection->client;
  if (t->tell == IOD_TELL_CLOSE && !known) return 0;
  t->rc = rc;
  t->self = rc ? rc->self : Qnil;
  on_strand = rc;
  int state;
  switch (t->tell) {
  case IOD_TELL_OPEN: state = protected(open_connection, t); break;
  case IOD_TELL_MESSAGE: state = protected(call_message, t); break;
  case IOD_TELL_CALL: state = protected(call_block, t); break;
  case IOD_TELL_PUBLISHED: state = protected(call_published, t); break;
  default: state = protected(call_simple, t);
  }
  on_strand = NULL;
  RB_GC_GUARD(t->self);
  return state;
}

/* Without callbacks there is nothing to keep it for. */
static void opened(iod_connection_t *c) {
  const iod_ruby_connection_t *rc = c->tag;
  if (!rc || NIL_P(rc->handler)) iod_connection_close(c);
  iod_connection_resume(c);
}

int iod_ruby_callbacks_run(iod_connection_t *c) {
  int state = 0;
  for (int i = 0; i < BATCH && !state; i++) {
    iod_message_t *message;
    telling_t t = {.connection = c, .tell = iod_connection_take(c, &message), .message = message, .self = Qnil};
    if (!t.tell) break;
    state = tell(&t);
    iod_message_free(message);
    if (t.tell == IOD_TELL_OPEN) opened(c);
    if (t.tell == IOD_TELL_CLOSE) iod_ruby_callbacks_abandoned(c);
  }
  iod_connection_rest(c);
  return state;
}

void iod_ruby_callbacks_abandoned(iod_connection_t *c) {
  iod_ruby_connection_t *rc = c->tag;
  if (rc) iod_ruby_connection_forget(rc);
}

void iod_ruby_callbacks_init(void) {
  for (int i = 0; i < CALLBACKS; i++) callbacks[i].id = rb_intern(callbacks[i].name);
  id_call = rb_intern("call");
}
