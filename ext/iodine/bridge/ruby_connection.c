#include "ruby_connection.h"

#include "../base/alloc.h"
#include "../server/listener.h"
#include "protect.h"
#include "rack_env.h"
#include "rack_pin.h"
#include "rack_tls.h"

enum { BATCH = 16 /* callbacks before others get their turn */ };

typedef struct ruby_connection {
  VALUE self;    /* where the object is */
  VALUE handler; /* the callbacks object, or nil */
  VALUE calls;   /* for each IOD_TELL_CALL a block, or an Array with a new handler; nil: there was none yet */
  iod_connection_t *connection;
  struct ruby_connection *next, **link; /* in the registry; link NULL: not in it */
} ruby_connection_t;

static VALUE klass;
static ID id_call;
static struct {
  uint8_t tell;
  const char *name;
  ID id;
} callbacks[] = {{IOD_TELL_OPEN, "on_open", 0},       {IOD_TELL_SHUTDOWN, "on_shutdown", 0},
                 {IOD_TELL_PING, "ping", 0},          {IOD_TELL_DRAINED, "on_drained", 0},
                 {IOD_TELL_MESSAGE, "on_message", 0}, {IOD_TELL_CLOSE, "on_close", 0}};
enum { CALLBACKS = sizeof callbacks / sizeof *callbacks };

static _Thread_local const ruby_connection_t *on_strand; /* whose callbacks this thread is in */

/* ---- the registry ---- */

static ruby_connection_t *registered;
static size_t registered_count;
static VALUE registry;

static void registry_mark(void *data) {
  (void)data;
  for (const ruby_connection_t *rc = registered; rc; rc = rc->next) rb_gc_mark_movable(rc->self);
}

static void registry_compact(void *data) {
  (void)data;
  for (ruby_connection_t *rc = registered; rc; rc = rc->next) rc->self = rb_gc_location(rc->self);
}

/* With write barriers: those who are there for long are not marked again by young collections. */
static const rb_data_type_t registry_type = {.wrap_struct_name = "iodine connections",
                                             .function = {.dmark = registry_mark, .dcompact = registry_compact},
                                             .flags = RUBY_TYPED_WB_PROTECTED};

static void registry_add(ruby_connection_t *rc) {
  rc->next = registered;
  rc->link = &registered;
  if (registered) registered->link = &rc->next;
  registered = rc;
  registered_count++;
  RB_OBJ_WRITTEN(registry, Qundef, rc->self);
}

static void registry_remove(ruby_connection_t *rc) {
  if (!rc->link) return;
  *rc->link = rc->next;
  if (rc->next) rc->next->link = rc->link;
  rc->link = NULL;
  registered_count--;
}

/* ---- the object ---- */

static void mark(void *data) {
  ruby_connection_t *rc = data;
  rb_gc_mark_movable(rc->handler);
  rb_gc_mark_movable(rc->calls);
}

static void compact(void *data) {
  ruby_connection_t *rc = data;
  rc->handler = rb_gc_location(rc->handler);
  rc->calls = rb_gc_location(rc->calls);
}

static void release(void *data) {
  ruby_connection_t *rc = data;
  registry_remove(rc); /* at the end of the process */
  if (rc->connection) {
    rc->connection->tag = NULL;
    iod_connection_unref(rc->connection);
  }
  xfree(rc);
}

static size_t size(const void *data) {
  (void)data;
  return sizeof(ruby_connection_t) + sizeof(iod_connection_t);
}

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Connection",
    .function = {.dmark = mark, .dfree = release, .dsize = size, .dcompact = compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE connection_new(iod_connection_t *c) {
  ruby_connection_t *rc;
  VALUE self = TypedData_Make_Struct(klass, ruby_connection_t, &type, rc);
  rc->self = self;
  rc->handler = rc->calls = Qnil;
  rc->connection = c;
  iod_connection_ref(c);
  c->tag = rc;
  registry_add(rc);
  return self;
}

static ruby_connection_t *get(VALUE self) { return rb_check_typeddata(self, &type); }

/* ---- callbacks ---- */

typedef struct telling {
  ruby_connection_t *rc;
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
  return "a task of a connection";
}

static void set_handler(ruby_connection_t *rc, VALUE handler) {
  uint8_t wants = 0;
  if (!RTEST(handler)) handler = Qnil;
  for (int i = 0; i < CALLBACKS && !NIL_P(handler); i++)
    if (rb_respond_to(handler, callbacks[i].id)) wants |= callbacks[i].tell;
  RB_OBJ_WRITE(rc->self, &rc->handler, handler);
  atomic_store(&rc->connection->wants, wants);
}

/* Calls it, if the handler has it. */
static void call_back(const ruby_connection_t *rc, VALUE self, uint8_t tell, int argc, VALUE data) {
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

/* The old handler's on_close, then the new one's on_open. On the strand; 0, or the state of a kill. */
static int switch_handler(ruby_connection_t *rc, VALUE self, VALUE handler) {
  telling_t t = {.rc = rc, .self = self, .connection = rc->connection, .tell = IOD_TELL_CLOSE};
  int state = rc->link ? protected(call_simple, &t) : 0;
  set_handler(rc, handler);
  if (state || !rc->link) return state;
  t.tell = IOD_TELL_OPEN;
  if (RTEST(handler)) return protected(call_simple, &t);
  iod_connection_close(rc->connection);
  return 0;
}

/* The listener's handler is asked for the callbacks object. */
static VALUE open_connection(VALUE data) {
  telling_t *t = (telling_t *)data;
  VALUE listener = (VALUE)t->connection->listener->tag;
  t->self = connection_new(t->connection);
  t->rc = get(t->self);
  if (t->connection->secure) iod_rack_tls_announce(iod_rack_listener_protocols(listener), t->connection->secure);
  set_handler(t->rc, Qnil);
  set_handler(t->rc, rb_funcallv(iod_rack_listener_app(listener), id_call, 0, NULL));
  if (NIL_P(t->rc->handler)) iod_connection_close(t->connection);
  return call_simple(data);
}

static VALUE call_message(VALUE data) {
  const telling_t *t = (const telling_t *)data;
  call_back(t->rc, t->self, IOD_TELL_MESSAGE, 2, rb_str_new(t->message->bytes, (long)t->message->length));
  return Qnil;
}

static VALUE call_block(VALUE data) {
  telling_t *t = (telling_t *)data;
  VALUE call = rb_ary_shift(t->rc->calls);
  if (!RB_TYPE_P(call, T_ARRAY)) return rb_proc_call_kw(call, rb_ary_new(), 0);
  int state = switch_handler(t->rc, t->self, RARRAY_AREF(call, 0));
  if (state) rb_jump_tag(state);
  return Qnil;
}

static int tell(telling_t *t) {
  ruby_connection_t *rc = t->connection->tag;
  if (!rc && t->tell != IOD_TELL_OPEN) return 0; /* there was no memory for it */
  t->rc = rc;
  t->self = rc ? rc->self : Qnil;
  on_strand = rc;
  int state;
  switch (t->tell) {
  case IOD_TELL_OPEN: state = protected(open_connection, t); break;
  case IOD_TELL_MESSAGE: state = protected(call_message, t); break;
  case IOD_TELL_CALL: state = protected(call_block, t); break;
  default: state = protected(call_simple, t);
  }
  on_strand = NULL;
  RB_GC_GUARD(t->self);
  return state;
}

/* Without callbacks there is nothing to keep it for. */
static void opened(iod_connection_t *c) {
  const ruby_connection_t *rc = c->tag;
  if (!rc || NIL_P(rc->handler)) iod_connection_close(c);
  iod_connection_resume(c);
}

int iod_ruby_connection_run(iod_connection_t *c) {
  int state = 0;
  for (int i = 0; i < BATCH && !state; i++) {
    iod_message_t *message;
    telling_t t = {.connection = c, .tell = iod_connection_take(c, &message), .message = message, .self = Qnil};
    if (!t.tell) break;
    state = tell(&t);
    iod_free(message);
    if (t.tell == IOD_TELL_OPEN) opened(c);
    if (t.tell == IOD_TELL_CLOSE) iod_ruby_connection_abandoned(c);
  }
  iod_connection_rest(c);
  return state;
}

void iod_ruby_connection_abandoned(iod_connection_t *c) {
  ruby_connection_t *rc = c->tag;
  if (rc) registry_remove(rc);
}

/* ---- Iodine::Connection ---- */

static VALUE write_data(VALUE self, VALUE data) {
  iod_connection_t *c = get(self)->connection;
  VALUE string = rb_obj_as_string(data);
  if (!iod_connection_is_open(c)) return Qnil;
  if (RSTRING_LEN(string) == 0) return Qtrue;
  iod_segment_t segment = iod_rack_segment(string, (size_t)RSTRING_LEN(string));
  int result = iod_connection_write(c, &segment, false);
  RB_GC_GUARD(string);
  return result ? Qnil : Qtrue;
}

static VALUE close_connection(VALUE self) {
  iod_connection_close(get(self)->connection);
  return Qnil;
}

static VALUE is_open(VALUE self) { return iod_connection_is_open(get(self)->connection) ? Qtrue : Qfalse; }

static VALUE pending(VALUE self) {
  const iod_connection_t *c = get(self)->connection;
  return iod_connection_is_open(c) ? SIZET2NUM(iod_connection_pending(c)) : INT2FIX(-1);
}

static VALUE protocol(VALUE self) {
  static const char *const names[] = {"raw", "websocket", "sse"};
  return ID2SYM(rb_intern(names[get(self)->connection->kind]));
}

static VALUE has_pubsub(VALUE self) {
  (void)self;
  return Qtrue;
}

static VALUE timeout(VALUE self) { return INT2FIX(atomic_load(&get(self)->connection->timeout)); }

static VALUE timeout_set(VALUE self, VALUE seconds) {
  iod_connection_t *c = get(self)->connection;
  if (!RB_INTEGER_TYPE_P(seconds))
    rb_raise(rb_eTypeError, "timeout must be an Integer, not %s", rb_obj_classname(seconds));
  long number = RB_FIXNUM_P(seconds) ? FIX2LONG(seconds) : -1;
  if (number < 0 || number > UINT8_MAX)
    rb_raise(rb_eRangeError, "timeout is %" PRIsVALUE ": give a number of seconds from 0 to 255", seconds);
  iod_connection_timeout(c, (uint8_t)number);
  return seconds;
}

static VALUE env(VALUE self) {
  (void)get(self);
  return Qnil;
}

static VALUE handler(VALUE self) { return get(self)->handler; }

/* What isn't a proc is a handler in an Array. False: its connection is over, or the parent process's. */
static bool post(VALUE self, VALUE call) {
  ruby_connection_t *rc = get(self);
  if (!rc->link) return false; /* else its server is there */
  if (NIL_P(rc->calls)) RB_OBJ_WRITE(self, &rc->calls, rb_ary_new());
  rb_ary_push(rc->calls, call);
  int result = iod_connection_call(rc->connection);
  if (result) rb_ary_pop(rc->calls);
  if (result == IOD_E_NOMEM) rb_raise(rb_eNoMemError, "no memory for a task of a connection");
  return result == 0;
}

static VALUE handler_set(VALUE self, VALUE value) {
  ruby_connection_t *rc = get(self);
  if (on_strand == rc) {
    int state = switch_handler(rc, self, value);
    if (state) rb_jump_tag(state);
  } else {
    post(self, rb_ary_new_from_args(1, value));
  }
  return value;
}

static VALUE defer(VALUE self) {
  if (!rb_block_given_p()) rb_raise(rb_eArgError, "defer needs a block");
  VALUE block = rb_block_proc();
  return post(self, block) ? block : Qnil;
}

static VALUE peer_addr(VALUE self) {
  const iod_connection_t *c = get(self)->connection;
  return rb_usascii_str_new(c->remote.ip, c->remote.ip_length);
}

void iod_ruby_connection_init(VALUE iodine_module) {
  klass = rb_define_class_under(iodine_module, "Connection", rb_cObject);
  rb_undef_alloc_func(klass);
  rb_undef_method(rb_singleton_class(klass), "new");
  rb_define_method(klass, "write", write_data, 1);
  rb_define_method(klass, "close", close_connection, 0);
  rb_define_method(klass, "open?", is_open, 0);
  rb_define_method(klass, "pending", pending, 0);
  rb_define_method(klass, "protocol", protocol, 0);
  rb_define_method(klass, "pubsub?", has_pubsub, 0);
  rb_define_method(klass, "timeout", timeout, 0);
  rb_define_method(klass, "timeout=", timeout_set, 1);
  rb_define_method(klass, "env", env, 0);
  rb_define_method(klass, "handler", handler, 0);
  rb_define_method(klass, "handler=", handler_set, 1);
  rb_define_method(klass, "defer", defer, 0);
  rb_define_method(klass, "peer_addr", peer_addr, 0);
  for (int i = 0; i < CALLBACKS; i++) callbacks[i].id = rb_intern(callbacks[i].name);
  id_call = rb_intern("call");
  registry = TypedData_Wrap_Struct(0, &registry_type, &registered);
  rb_gc_register_mark_object(registry);
}
