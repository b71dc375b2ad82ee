#include "ruby_connection.h"

#include "../base/alloc.h"
#include "../protocol/sse.h"
#include "../protocol/websocket_close.h"
#include "../server/server.h"
#include "protect.h"
#include "rack_names.h"
#include "rack_pin.h"
#include "ruby_callbacks.h"
#include "ruby_pubsub.h"

#include <ruby/encoding.h>

ID iod_ruby_connection_calls, iod_ruby_connection_blocks;
static VALUE klass, remote_addr;

/* ---- the registry ---- */

static iod_ruby_connection_t *registered;
static size_t registered_count;
static VALUE registry;

static void registry_mark(void *data) {
  (void)data;
  for (const iod_ruby_connection_t *rc = registered; rc; rc = rc->next) rb_gc_mark_movable(rc->self);
}

static void registry_compact(void *data) {
  (void)data;
  for (iod_ruby_connection_t *rc = registered; rc; rc = rc->next) rc->self = rb_gc_location(rc->self);
}

/* With write barriers: those who are there for long are not marked again by young collections. */
static const rb_data_type_t registry_type = {.wrap_struct_name = "iodine connections",
                                             .function = {.dmark = registry_mark, .dcompact = registry_compact},
                                             .flags = RUBY_TYPED_WB_PROTECTED};

static void registry_add(iod_ruby_connection_t *rc) {
  rc->next = registered;
  rc->link = &registered;
  if (registered) registered->link = &rc->next;
  registered = rc;
  registered_count++;
  RB_OBJ_WRITTEN(registry, Qundef, rc->self);
}

static void registry_remove(iod_ruby_connection_t *rc) {
  if (!rc->link) return;
  *rc->link = rc->next;
  if (rc->next) rc->next->link = rc->link;
  rc->link = NULL;
  registered_count--;
}

/* ---- the object ---- */

static void mark(void *data) {
  iod_ruby_connection_t *rc = data;
  rb_gc_mark_movable(rc->handler);
  rb_gc_mark_movable(rc->env);
}

static void compact(void *data) {
  iod_ruby_connection_t *rc = data;
  rc->handler = rb_gc_location(rc->handler);
  rc->env = rb_gc_location(rc->env);
}

static void release(void *data) {
  iod_ruby_connection_t *rc = data;
  registry_remove(rc); /* at the end of the process */
  if (rc->connection) {
    rc->connection->tag = NULL;
    iod_connection_unref(rc->connection);
  }
  xfree(rc);
}

static size_t size(const void *data) {
  (void)data;
  return sizeof(iod_ruby_connection_t) + sizeof(iod_connection_t);
}

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Connection",
    .function = {.dmark = mark, .dfree = release, .dsize = size, .dcompact = compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

typedef struct settle {
  iod_ruby_connection_t *rc;
  VALUE env, handler;
} settle_t;

/* respond_to? may be the application's. */
static VALUE settle_handler(VALUE data) {
  const settle_t *s = (const settle_t *)data;
  RB_OBJ_WRITE(s->rc->self, &s->rc->env, s->env);
  iod_ruby_callbacks_set(s->rc, s->handler);
  return Qnil;
}

static VALUE object_new(void) {
  iod_ruby_connection_t *rc;
  VALUE self = TypedData_Make_Struct(klass, iod_ruby_connection_t, &type, rc);
  rc->self = self;
  rc->handler = rc->env = Qnil;
  return self;
}

static void join(VALUE self, iod_connection_t *c) {
  iod_ruby_connection_t *rc = RTYPEDDATA_DATA(self);
  rc->connection = c;
  iod_connection_ref(c);
  c->tag = rc;
  registry_add(rc);
}

VALUE iod_ruby_connection_wrap(iod_connection_t *c) {
  VALUE self = object_new();
  join(self, c);
  return self;
}

iod_connection_t *iod_ruby_connection_new(iod_server_t *server, iod_connection_kind_t kind, VALUE env, VALUE handler) {
  VALUE self = object_new();
  iod_ruby_connection_t *rc = RTYPEDDATA_DATA(self);
  iod_connection_t *c = iod_connection_new(server, kind);
  if (!c) rb_raise(rb_eNoMemError, "no memory for a connection");
  rc->connection = c;
  iod_connection_ref(c);
  int state = 0;
  settle_t settle = {rc, env, handler};
  state = iod_protect(settle_handler, (VALUE)&settle, NULL);
  if (state) {
    iod_connection_closed(c);
    rb_jump_tag(state);
  }
  c->tag = rc;
  registry_add(rc);
  RB_GC_GUARD(self);
  return c;
}

iod_ruby_connection_t *iod_ruby_connection_get(VALUE self) { return rb_check_typeddata(self, &type); }

void iod_ruby_connection_forget(iod_ruby_connection_t *rc) { registry_remove(rc); }

/* ---- Iodine::Connection ---- */

static iod_connection_t *connection_of(VALUE self) { return iod_ruby_connection_get(self)->connection; }

static const char *kind_name(const iod_connection_t *c) {
  static const char *const names[] = {"raw", "websocket", "sse"};
  return names[c->kind];
}

/* Text where the peer gets text: UTF-8 that is valid. */
static bool is_text(VALUE string) {
  int index = RB_ENCODING_GET(string);
  if (index != rb_utf8_encindex() && index != rb_usascii_encindex()) return false;
  return rb_enc_str_coderange(string) != ENC_CODERANGE_BROKEN;
}

static VALUE write_string(iod_connection_t *c, VALUE string, bool text) {
  iod_segment_t segment = iod_rack_segment(string, (size_t)RSTRING_LEN(string));
  int result = iod_connection_write(c, &segment, text);
  RB_GC_GUARD(string);
  return result ? Qnil : Qtrue;
}

static VALUE event_string(const iod_sse_event_t *event) {
  VALUE string = rb_str_buf_new((long)iod_sse_length(event));
  iod_sse_write(RSTRING_PTR(string), event);
  rb_str_set_len(string, (long)iod_sse_length(event));
  return string;
}

static iod_slice_t slice_of(VALUE string) { return (iod_slice_t){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)}; }

static VALUE write_data(VALUE self, VALUE data) {
  iod_connection_t *c = connection_of(self);
  VALUE string = rb_obj_as_string(data);
  if (!iod_connection_is_open(c)) return Qnil;
  if (c->kind == IOD_CONNECTION_WEBSOCKET) return write_string(c, string, is_text(string));
  if (c->kind == IOD_CONNECTION_SSE) {
    iod_sse_event_t event = {.data = slice_of(string), .retry = -1};
    VALUE bytes = event_string(&event);
    RB_GC_GUARD(string);
    return write_string(c, bytes, true);
  }
  return RSTRING_LEN(string) == 0 ? Qtrue : write_string(c, string, false);
}

static VALUE optional_string(VALUE value) { return NIL_P(value) ? Qnil : rb_obj_as_string(value); }

static iod_slice_t optional_slice(VALUE string) { return NIL_P(string) ? (iod_slice_t){0} : slice_of(string); }

/* Of the keywords event:, id:, data:, retry:, which Ruby has taken apart. */
static VALUE write_event(VALUE self, VALUE type_name, VALUE id, VALUE data, VALUE retry) {
  iod_connection_t *c = connection_of(self);
  type_name = optional_string(type_name), id = optional_string(id), data = optional_string(data);
  iod_sse_event_t event = {.event = optional_slice(type_name),
                           .id = optional_slice(id),
                           .data = optional_slice(data),
                           .retry = NIL_P(retry) ? -1 : NUM2LL(retry)};
  if (c->kind != IOD_CONNECTION_SSE)
    rb_raise(rb_eRuntimeError, "write_event is for event streams: this connection is a %s", kind_name(c));
  if (event.retry < 0 && !NIL_P(retry)) rb_raise(rb_eArgError, "retry must be 0 or more milliseconds");
  if (iod_sse_check(&event))
    rb_raise(rb_eArgError, "event and id must be one line each, and id without a NUL: leave line ends to data");
  if (!iod_connection_is_open(c)) return Qnil;
  VALUE bytes = event_string(&event);
  RB_GC_GUARD(type_name), RB_GC_GUARD(id), RB_GC_GUARD(data);
  return write_string(c, bytes, true);
}

/* close, close(code), close(code, reason) */
static VALUE close_connection(int argc, VALUE *argv, VALUE self) {
  iod_connection_t *c = connection_of(self);
  VALUE code, reason;
  rb_scan_args(argc, argv, "02", &code, &reason);
  reason = optional_string(reason);
  long number = NIL_P(code) ? IOD_CLOSE_NORMAL : NUM2LONG(code);
  if (number < 0 || number > UINT16_MAX || !iod_websocket_code_valid((unsigned)number))
    rb_raise(rb_eArgError, "%ld is no close code: give 1000 to 1003, 1007 to 1014 or 3000 to 4999", number);
  iod_connection_close_with(c, (uint16_t)number, optional_slice(reason));
  RB_GC_GUARD(reason);
  return Qnil;
}

static VALUE drop(VALUE self) {
  iod_ruby_connection_t *rc = iod_ruby_connection_get(self);
  if (rc->link) iod_connection_drop(rc->connection); /* else it is over, and its server may be gone */
  return Qnil;
}

/* Known once nothing more is told. */
static bool is_over(VALUE self) { return connection_of(self)->over; }

static VALUE close_code(VALUE self) {
  return is_over(self) && connection_of(self)->kind != IOD_CONNECTION_RAW ? INT2FIX(connection_of(self)->close_code)
                                                                          : Qnil;
}

static VALUE close_reason(VALUE self) {
  const iod_reason_t *reason = is_over(self) ? connection_of(self)->close_reason : NULL;
  return reason ? rb_utf8_str_new(reason->bytes, reason->length) : Qnil;
}

static VALUE is_open(VALUE self) { return iod_connection_is_open(connection_of(self)) ? Qtrue : Qfalse; }

static VALUE pending(VALUE self) {
  const iod_connection_t *c = connection_of(self);
  return iod_connection_is_open(c) ? SIZET2NUM(iod_connection_pending(c)) : INT2FIX(-1);
}

static VALUE protocol(VALUE self) { return ID2SYM(rb_intern(kind_name(connection_of(self)))); }

static VALUE has_pubsub(VALUE self) {
  (void)self;
  return Qtrue;
}

static VALUE timeout(VALUE self) { return INT2FIX(atomic_load(&connection_of(self)->timeout)); }

static VALUE timeout_set(VALUE self, VALUE seconds) {
  iod_connection_t *c = connection_of(self);
  if (!RB_INTEGER_TYPE_P(seconds))
    rb_raise(rb_eTypeError, "timeout must be an Integer, not %s", rb_obj_classname(seconds));
  long number = RB_FIXNUM_P(seconds) ? FIX2LONG(seconds) : -1;
  if (number < 0 || number > UINT8_MAX)
    rb_raise(rb_eRangeError, "timeout is %" PRIsVALUE ": give a number of seconds from 0 to 255", seconds);
  iod_connection_timeout(c, (uint8_t)number);
  return seconds;
}

static VALUE env(VALUE self) { return iod_ruby_connection_get(self)->env; }

static VALUE handler(VALUE self) { return iod_ruby_connection_get(self)->handler; }

static VALUE handler_set(VALUE self, VALUE value) {
  iod_ruby_callbacks_switch(self, value);
  return value;
}

static VALUE defer(VALUE self) {
  if (!rb_block_given_p()) rb_raise(rb_eArgError, "defer needs a block");
  VALUE block = rb_block_proc();
  return iod_ruby_callbacks_post(self, block) ? block : Qnil;
}

/* ---- subscriptions ---- */

/* subscribe_to(name, pattern, binary, block or nil) → name, or nil when it is closed */
static VALUE subscribe_to(VALUE self, VALUE name, VALUE pattern, VALUE binary, VALUE block) {
  iod_connection_t *c = connection_of(self);
  iod_subscribing_t how = {.pattern = RTEST(pattern), .deliver = RTEST(binary) ? IOD_DELIVER_BINARY : IOD_DELIVER_TEXT};
  if (!iod_connection_is_open(c)) return Qnil;
  VALUE string = iod_ruby_pubsub_name(name), blocks = rb_ivar_get(self, iod_ruby_connection_blocks);
  how.name = slice_of(string);
  if (!NIL_P(block)) {
    if (NIL_P(blocks)) rb_ivar_set(self, iod_ruby_connection_blocks, blocks = rb_hash_new());
    how.deliver = IOD_DELIVER_STRAND;
    how.id = iod_ruby_pubsub_keep(blocks, string, how.pattern, block);
  } else if (!NIL_P(blocks)) {
    iod_ruby_pubsub_drop(blocks, string, how.pattern);
  }
  int result = iod_pubsub_subscribe(c->strand.server, &c->subscriber, &how);
  RB_GC_GUARD(string);
  if (result == IOD_E_NOMEM) rb_raise(rb_eNoMemError, "no memory for a subscription");
  return result ? Qnil : name;
}

static VALUE unsubscribe(VALUE self, VALUE name) {
  iod_ruby_connection_t *rc = iod_ruby_connection_get(self);
  iod_connection_t *c = rc->connection;
  VALUE string = iod_ruby_pubsub_name(name);
  if (!rc->link || c->strand.server->inherited) return Qfalse;
  VALUE blocks = rb_ivar_get(self, iod_ruby_connection_blocks);
  if (!NIL_P(blocks)) {
    iod_ruby_pubsub_drop(blocks, string, false);
    iod_ruby_pubsub_drop(blocks, string, true);
  }
  bool there = iod_pubsub_unsubscribe(c->strand.server, &c->subscriber, slice_of(string));
  RB_GC_GUARD(string);
  return there ? Qtrue : Qfalse;
}

static VALUE peer_addr(VALUE self) {
  const iod_connection_t *c = connection_of(self);
  if (c->remote) return rb_usascii_str_new(c->remote->ip, c->remote->ip_length);
  VALUE env = iod_ruby_connection_get(self)->env;
  return NIL_P(env) ? rb_usascii_str_new("", 0) : rb_hash_lookup(env, remote_addr);
}

void iod_ruby_connection_init(VALUE iodine_module) {
  klass = rb_define_class_under(iodine_module, "Connection", rb_cObject);
  rb_undef_alloc_func(klass);
  rb_undef_method(rb_singleton_class(klass), "new");
  rb_define_method(klass, "write", write_data, 1);
  rb_define_method(klass, "close", close_connection, -1);
  rb_define_private_method(klass, "drop", drop, 0);
  rb_define_method(klass, "close_code", close_code, 0);
  rb_define_method(klass, "close_reason", close_reason, 0);
  rb_define_private_method(klass, "write_event_of", write_event, 4);
  rb_define_private_method(klass, "subscribe_to", subscribe_to, 4);
  rb_define_method(klass, "unsubscribe", unsubscribe, 1);
  rb_define_method(klass, "publish", iod_ruby_pubsub_publish, -1);
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
  iod_ruby_callbacks_init();
  iod_ruby_connection_calls = rb_intern("calls");
  iod_ruby_connection_blocks = rb_intern("blocks");
  remote_addr = iod_rack_key("REMOTE_ADDR");
  registry = TypedData_Wrap_Struct(0, &registry_type, &registered);
  rb_gc_register_mark_object(registry);
}
