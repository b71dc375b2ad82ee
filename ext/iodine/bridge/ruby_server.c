#include "ruby_server.h"

#include "../protocol/http1_head.h"
#include "../reactor/poller.h"
#include "../server/limits.h"
#include "app_thread.h"
#include "rack.h"
#include "ruby_callbacks.h"
#include "ruby_client.h"
#include "ruby_cluster.h"
#include "ruby_log.h"
#include "ruby_origins.h"
#include "ruby_proxies.h"
#include "ruby_public.h"
#include "ruby_pubsub.h"
#include "ruby_pulse.h"
#include "ruby_stats.h"
#include "ruby_tls.h"
#include "ruby_url.h"

#include <errno.h>
#include <ruby/thread.h>
#include <string.h>

/* ---- the object ---- */

static void mark(void *memory) {
  ruby_server_t *rs = memory;
  rb_gc_mark(rs->listeners);
  /* C keeps the listeners' addresses: they must not move, and marking the array pins the array alone. */
  for (long i = 0; !NIL_P(rs->listeners) && i < RARRAY_LEN(rs->listeners); i++)
    rb_gc_mark(RARRAY_AREF(rs->listeners, i));
  rb_gc_mark(rs->timers);
  rb_gc_mark(rs->calls);
  rb_gc_mark(rs->idle);
  rb_gc_mark(rs->blocks);
  rb_gc_mark(rs->watchers);
}

static void release(void *memory) {
  ruby_server_t *rs = memory;
  if (rs->server) iod_server_free(rs->server);
  xfree(rs);
}

static size_t size(const void *memory) {
  const ruby_server_t *rs = memory;
  return sizeof *rs + (rs->server ? sizeof *rs->server : 0);
}

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Server",
    .function = {.dmark = mark, .dfree = release, .dsize = size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE allocate(VALUE klass) {
  ruby_server_t *rs;
  VALUE self = TypedData_Make_Struct(klass, ruby_server_t, &type, rs);
  rs->listeners = rs->timers = rs->calls = rs->idle = rs->blocks = rs->watchers = Qnil;
  return self;
}

ruby_server_t *iod_ruby_server_of(VALUE self) {
  ruby_server_t *rs;
  TypedData_Get_Struct(self, ruby_server_t, &type, rs);
  if (!rs->server) rb_raise(rb_eRuntimeError, "this Iodine::Server was not initialized");
  return rs;
}

static ruby_server_t *open_server_of(VALUE self) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  if (!rs->server->open) rb_raise(rb_eRuntimeError, "this Iodine::Server is not open in this process");
  return rs;
}

static VALUE initialize(VALUE self, VALUE workers) {
  ruby_server_t *rs;
  TypedData_Get_Struct(self, ruby_server_t, &type, rs);
  uint32_t count = NUM2UINT(workers);
  if (rs->server) rb_raise(rb_eRuntimeError, "this Iodine::Server is initialized already");
  rs->server = iod_server_new(count, iod_rack_released);
  if (!rs->server) rb_raise(rb_eNoMemError, "no memory for a server");
  rs->server->abandoned = iod_ruby_callbacks_abandoned;
  RB_OBJ_WRITE(self, &rs->listeners, rb_ary_new());
  RB_OBJ_WRITE(self, &rs->timers, rb_hash_new());
  RB_OBJ_WRITE(self, &rs->calls, rb_ary_new());
  RB_OBJ_WRITE(self, &rs->idle, rb_ary_new());
  RB_OBJ_WRITE(self, &rs->blocks, rb_hash_new());
  RB_OBJ_WRITE(self, &rs->watchers, rb_hash_new());
  return self;
}

/* ---- listening ---- */

static uint32_t setting(VALUE settings, const char *name) {
  return NUM2UINT(rb_hash_fetch(settings, ID2SYM(rb_intern(name))));
}

static iod_settings_t settings_read(VALUE hash) {
  Check_Type(hash, T_HASH);
  iod_settings_t s = {
      .keep_alive = setting(hash, "keep_alive"),
      .head_timeout = setting(hash, "head_timeout"),
      .body_timeout = setting(hash, "body_timeout"),
      .write_timeout = setting(hash, "write_timeout"),
      .limits = {.head = setting(hash, "max_head"),
                 .line = setting(hash, "max_line"),
                 .request_line = setting(hash, "max_request_line"),
                 .headers = setting(hash, "max_headers"),
                 .body = NUM2ULL(rb_hash_fetch(hash, ID2SYM(rb_intern("max_body"))))},
      .max_clients = setting(hash, "max_clients"),
      .max_per_address = setting(hash, "max_per_address"),
      .max_queue = setting(hash, "max_queue"),
      .queue_timeout = setting(hash, "queue_timeout"),
      .request_timeout = setting(hash, "request_timeout"),
      .backlog = (int)(setting(hash, "backlog") & INT_MAX),
      .mode = setting(hash, "mode"),
      .log = setting(hash, "log") != 0,
      .raw = setting(hash, "raw") != 0,
      .max_pending = NUM2SIZET(rb_hash_fetch(hash, ID2SYM(rb_intern("max_pending")))),
      .proxy_protocol = setting(hash, "proxy_protocol") != 0,
      .tls = iod_ruby_tls_of(rb_hash_lookup(hash, ID2SYM(rb_intern("tls")))),
      .websocket.limit = setting(hash, "max_message"),
      .ping = (uint8_t)setting(hash, "ping"),
      .policy.deflate = {.on = iod_deflate_available && setting(hash, "deflate") != 0,
                         .server_bits = IOD_DEFLATE_BITS_MAX,
                         .client_bits = IOD_DEFLATE_BITS_MAX},
  };
  if (s.limits.head > HTTP_MAX_HEADER_LENGTH) s.limits.head = HTTP_MAX_HEADER_LENGTH;
  if (s.limits.headers > HTTP_MAX_HEADER_COUNT) s.limits.headers = HTTP_MAX_HEADER_COUNT;
  return s;
}

typedef struct binding {
  iod_server_t *server;
  bool tcp;
  int fd; /* that listens already; -1: none, bind one */
  const char *address;
  uint16_t port;
  iod_settings_t settings;
  void *tag;
  iod_listener_t *listener;
  char sentence[IOD_SENTENCE_ROOM];
  int result;
} binding_t;

static void *bind_now(void *argument) {
  binding_t *b = argument;
  b->result = b->fd < 0 ? iod_listener_add(b->server, b->tcp, b->address, b->port, &b->settings, b->tag, &b->listener,
                                           b->sentence)
                        : iod_listener_take(b->server, b->fd, &b->settings, b->tag, &b->listener, b->sentence);
  return NULL;
}

/* While it runs, the list belongs to whoever has the state lock, and who holds the GVL must not wait for that. */
static void *bind_and_arm(void *argument) {
  binding_t *b = argument;
  iod_server_lock(b->server);
  bind_now(b);
  if (b->result == 0) iod_listener_arm(b->listener);
  iod_server_unlock(b->server);
  return NULL;
}

/* Its name, or a RuntimeError. */
static VALUE add_listener(ruby_server_t *rs, binding_t *b, VALUE settings, VALUE app) {
  b->server = rs->server;
  b->settings = settings_read(settings);
  VALUE listener_object = iod_rack_listener_new(app, settings);
  b->tag = (void *)listener_object;
  rb_ary_push(rs->listeners, listener_object); /* kept before C has its address: what comes then may raise */
  b->settings.public = iod_ruby_public_new(settings, app);
  b->settings.inside = iod_ruby_stats_inside(settings);
  b->settings.proxies = iod_ruby_proxies_new(rb_hash_fetch(settings, ID2SYM(rb_intern("trusted_proxy"))));
  iod_websocket_policy_t *policy = &b->settings.policy;
  policy->origins =
      iod_ruby_origins_new(rb_hash_fetch(settings, ID2SYM(rb_intern("allowed_origin"))), &policy->origin_count);
  if (rs->server->open)
    rb_thread_call_without_gvl(bind_and_arm, b, NULL, NULL);
  else
    bind_now(b);
  if (b->result == 0) return rb_str_new_cstr(b->listener->name);
  iod_public_free(b->settings.public);
  iod_inside_free(b->settings.inside);
  iod_free(b->settings.proxies);
  iod_free((void *)(uintptr_t)policy->origins);
  rb_raise(rb_eRuntimeError, "%s", b->sentence);
}

static VALUE bind_listener(VALUE self, VALUE kind, VALUE address, VALUE port, VALUE settings, VALUE app) {
  binding_t b = {.tcp = SYM2ID(kind) == rb_intern("tcp"), .fd = -1};
  if (!NIL_P(address)) address = rb_str_new_frozen(address);
  b.address = NIL_P(address) ? NULL : StringValueCStr(address);
  unsigned number = NIL_P(port) ? 0 : NUM2UINT(port);
  if (number > UINT16_MAX) rb_raise(rb_eArgError, "a port is at most 65535, not %u", number);
  if (!b.tcp && !b.address) rb_raise(rb_eArgError, "a Unix socket needs a path");
  b.port = (uint16_t)number;
  VALUE name = add_listener(iod_ruby_server_of(self), &b, settings, app);
  RB_GC_GUARD(address);
  return name;
}

/* server.take(fd, settings, app) → its name, as bind: for a socket that listens already. */
static VALUE take_listener(VALUE self, VALUE fd, VALUE settings, VALUE app) {
  binding_t b = {.fd = NUM2INT(fd)};
  if (b.fd < 0) rb_raise(rb_eArgError, "%d is no descriptor", b.fd);
  return add_listener(iod_ruby_server_of(self), &b, settings, app);
}

typedef struct looking {
  iod_server_t *server;
  const char *name;
  int fd;
} looking_t;

static void *look_for(void *argument) {
  looking_t *l = argument;
  l->fd = iod_listener_descriptor(l->server, l->name);
  return NULL;
}

/* server.descriptor(name) → the listener's, or nil if there is none of that name. */
static VALUE descriptor(VALUE self, VALUE name) {
  name = rb_str_new_frozen(StringValue(name));
  looking_t l = {.server = iod_ruby_server_of(self)->server, .name = StringValueCStr(name)};
  rb_thread_call_without_gvl(look_for, &l, NULL, NULL);
  RB_GC_GUARD(name);
  return l.fd < 0 ? Qnil : INT2NUM(l.fd);
}

typedef struct securing {
  iod_server_t *server;
  const char *name;
  iod_tls_t *tls;
  int result;
} securing_t;

static void *secure_now(void *argument) {
  securing_t *s = argument;
  s->result = iod_listener_set_tls(s->server, s->name, s->tls);
  return NULL;
}

/* server.secure(name, tls) → true, or false if it has no such listener: for the connections that come from now on. */
static VALUE secure(VALUE self, VALUE name, VALUE tls) {
  name = rb_str_new_frozen(StringValue(name));
  securing_t s = {.server = iod_ruby_server_of(self)->server,
                  .name = StringValueCStr(name),
                  .tls = iod_tls_ref(iod_ruby_tls_of(tls))};
  rb_thread_call_without_gvl(secure_now, &s, NULL, NULL);
  iod_tls_unref(s.tls);
  RB_GC_GUARD(name);
  return s.result ? Qfalse : Qtrue;
}

/* ---- life ---- */

static VALUE open_server(VALUE self, VALUE index) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  if (rs->server->open) rb_raise(rb_eRuntimeError, "the server is open already");
  int result = iod_server_open(rs->server, NUM2UINT(index));
  if (result == IOD_E_SYSTEM) rb_raise(rb_eRuntimeError, "can't start the reactor: %s", strerror(errno));
  if (result) rb_raise(rb_eNoMemError, "no memory for the reactor");
  return self;
}

/* What takes the state lock and waits for it gives the GVL up. */
typedef struct unlocked {
  iod_server_t *server;
  uint32_t (*function)(iod_server_t *server);
  uint32_t result;
} unlocked_t;

static void *run_unlocked(void *argument) {
  unlocked_t *u = argument;
  u->result = u->function(u->server);
  return NULL;
}

static uint32_t without_gvl(VALUE self, uint32_t (*function)(iod_server_t *server)) {
  unlocked_t u = {.server = open_server_of(self)->server, .function = function};
  rb_thread_call_without_gvl(run_unlocked, &u, NULL, NULL);
  RB_GC_GUARD(self);
  return u.result;
}

static uint32_t drain_now(iod_server_t *server) {
  iod_server_drain(server);
  return 0;
}

static VALUE drain(VALUE self) {
  without_gvl(self, drain_now);
  return self;
}

typedef struct retiring {
  iod_server_t *server;
  uint64_t ms;
} retiring_t;

static void *retire_now(void *argument) {
  const retiring_t *r = argument;
  iod_server_retire(r->server, r->ms);
  return NULL;
}

static VALUE retire(VALUE self, VALUE ms) {
  retiring_t r = {.server = open_server_of(self)->server, .ms = NUM2ULL(ms)};
  rb_thread_call_without_gvl(retire_now, &r, NULL, NULL);
  RB_GC_GUARD(self);
  return self;
}

static VALUE busy(VALUE self) { return UINT2NUM(without_gvl(self, iod_server_busy)); }

static VALUE hang_up(VALUE self) { return UINT2NUM(without_gvl(self, iod_server_hang_up)); }

static VALUE connections(VALUE self) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  return rs->server->open ? UINT2NUM(without_gvl(self, iod_server_connections)) : INT2FIX(0);
}

static VALUE all_connections(VALUE self) {
  return UINT2NUM(iod_shared_connections(&iod_ruby_server_of(self)->server->shared));
}

static VALUE halt(VALUE self) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  if (rs->server->open) iod_crew_halt(rs->server);
  return self;
}

static VALUE vacate(VALUE self, VALUE index) {
  iod_server_vacate(iod_ruby_server_of(self)->server, NUM2UINT(index));
  return self;
}

static VALUE close_server(VALUE self) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  if (rs->server->open && atomic_load(&rs->server->crew.slot->threads) > 0)
    rb_raise(rb_eRuntimeError, "can't close the server: application threads still serve");
  bool open = rs->server->open;
  if (open) iod_ruby_pubsub_leave(rs);
  iod_server_close(rs->server);
  if (open) iod_ruby_pubsub_clear(rs);
  return self;
}

/* ---- blocks ---- */

static VALUE timer(VALUE self, VALUE ms, VALUE times) {
  ruby_server_t *rs = open_server_of(self);
  uint64_t wait = NUM2ULL(ms);
  VALUE id = ULL2NUM(++rs->last_timer);
  rb_hash_aset(rs->timers, id, rb_ary_new_from_args(3, rb_block_proc(), ULL2NUM(wait), times));
  if (iod_server_timer_add(rs->server, rs->last_timer, wait) == 0) return id;
  rb_hash_delete(rs->timers, id);
  rb_raise(rb_eNoMemError, "no memory for a timer");
}

static VALUE cancel(VALUE self, VALUE id) {
  ruby_server_t *rs = open_server_of(self);
  if (NIL_P(rb_hash_delete(rs->timers, id))) return Qfalse;
  iod_server_timer_cancel(rs->server, NUM2ULL(id));
  return Qtrue;
}

void iod_ruby_server_timer(ruby_server_t *rs, uint64_t number) {
  VALUE id = ULL2NUM(number), entry = rb_hash_lookup(rs->timers, id);
  if (NIL_P(entry)) return; /* cancelled */
  VALUE times = rb_ary_entry(entry, 2);
  bool last = times == INT2FIX(1);
  if (last) rb_hash_delete(rs->timers, id);
  VALUE result = rb_proc_call_kw(rb_ary_entry(entry, 0), rb_ary_new(), 0);
  if (last || NIL_P(rb_hash_lookup(rs->timers, id))) return;
  if (result == ID2SYM(rb_intern("stop"))) {
    rb_hash_delete(rs->timers, id);
    return;
  }
  if (times != INT2FIX(0)) rb_ary_store(entry, 2, LONG2NUM(NUM2LONG(times) - 1));
}

static VALUE defer(VALUE self) {
  ruby_server_t *rs = open_server_of(self);
  rb_ary_push(rs->calls, rb_block_proc());
  if (iod_server_call(rs->server) == 0) return self;
  rb_ary_pop(rs->calls);
  rb_raise(rb_eNoMemError, "no memory for a task");
}

static VALUE on_idle(VALUE self) {
  ruby_server_t *rs = open_server_of(self);
  rb_ary_push(rs->idle, rb_block_proc());
  /* A task without a block: whoever takes it looks next whether there is nothing to do. */
  if (iod_server_call(rs->server) == 0) return self;
  rb_ary_pop(rs->idle);
  rb_raise(rb_eNoMemError, "no memory for a task");
}

/* ---- the module's ---- */

static VALUE capacity(VALUE klass) {
  (void)klass;
  return UINT2NUM(iod_limits_capacity());
}

static VALUE poller(VALUE klass) {
  (void)klass;
  return rb_str_new_cstr(iod_poller_name);
}

static VALUE build(VALUE klass) {
  (void)klass;
#if FIO_FORCE_MALLOC
  VALUE force_malloc = Qtrue;
#else
  VALUE force_malloc = Qfalse;
#endif
  VALUE hash = rb_hash_new();
  rb_hash_aset(hash, ID2SYM(rb_intern("max_header_length")), INT2NUM(HTTP_MAX_HEADER_LENGTH));
  rb_hash_aset(hash, ID2SYM(rb_intern("max_header_count")), INT2NUM(HTTP_MAX_HEADER_COUNT));
  rb_hash_aset(hash, ID2SYM(rb_intern("force_malloc")), force_malloc);
  return hash;
}

void iod_ruby_server_init(VALUE iodine) {
  VALUE klass = rb_define_class_under(iodine, "Server", rb_cObject);
  rb_define_alloc_func(klass, allocate);
  rb_define_method(klass, "initialize", initialize, 1);
  rb_define_method(klass, "bind", bind_listener, 5);
  rb_define_method(klass, "take", take_listener, 3);
  rb_define_method(klass, "descriptor", descriptor, 1);
  rb_define_method(klass, "secure", secure, 2);
  rb_define_method(klass, "open", open_server, 1);
  rb_define_method(klass, "serve", iod_app_thread_serve, 0);
  rb_define_method(klass, "drain", drain, 0);
  rb_define_method(klass, "retire", retire, 1);
  rb_define_method(klass, "busy", busy, 0);
  rb_define_method(klass, "hang_up", hang_up, 0);
  rb_define_method(klass, "connections", connections, 0);
  rb_define_method(klass, "all_connections", all_connections, 0);
  rb_define_method(klass, "halt", halt, 0);
  rb_define_method(klass, "close", close_server, 0);
  rb_define_method(klass, "vacate", vacate, 1);
  rb_define_method(klass, "timer", timer, 2);
  rb_define_method(klass, "cancel", cancel, 1);
  rb_define_method(klass, "defer", defer, 0);
  rb_define_method(klass, "on_idle", on_idle, 0);
  rb_define_singleton_method(klass, "capacity", capacity, 0);
  rb_define_singleton_method(klass, "poller", poller, 0);
  rb_define_singleton_method(klass, "build", build, 0);
  iod_ruby_pulse_init(klass);
  iod_ruby_url_init(klass);
  iod_ruby_proxies_init(klass);
  iod_ruby_origins_init(klass);
  iod_ruby_tls_init(klass);
  iod_ruby_client_init(klass);
  iod_ruby_pubsub_init(iodine, klass);
  iod_ruby_cluster_init(klass);
  iod_ruby_stats_init(klass);
  iod_ruby_log_init(iodine, klass);
  iod_server_watch_forks();
}
