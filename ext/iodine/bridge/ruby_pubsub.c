#include "ruby_pubsub.h"

#include "../base/utf8.h"
#include "../server/server.h"
#include "../server/watcher.h"
#include "app_thread.h"
#include "protect.h"
#include "ruby_cluster.h"
#include "ruby_server.h"

#include <ruby/encoding.h>
#include <string.h>

enum { SCOPES = 4, BATCH = 16 };

static VALUE running;        /* the Iodine::Server of this process that is open, or nil */
static VALUE default_engine; /* nil: the cluster's */
static VALUE scopes[SCOPES]; /* the engines that are ours, by iod_scope_t */
static ID id_to, id_message, id_engine, id_publish, id_call;
static uint64_t last_id;

/* ---- names and messages ---- */

VALUE iod_ruby_pubsub_name(VALUE name) {
  if (NIL_P(name)) rb_raise(rb_eArgError, "the name of a channel is missing");
  if (RB_SYMBOL_P(name)) name = rb_sym2str(name);
  if (!RB_TYPE_P(name, T_STRING))
    rb_raise(rb_eTypeError, "a channel's name must be a String or a Symbol, not %s", rb_obj_classname(name));
  if (RSTRING_LEN(name) > IOD_NAME_MAX)
    rb_raise(rb_eArgError, "a channel's name is at most %d bytes, not %ld", IOD_NAME_MAX, RSTRING_LEN(name));
  return rb_str_new_frozen(name);
}

static VALUE message_of(VALUE message) {
  if (NIL_P(message)) rb_raise(rb_eArgError, "the message is missing");
  if (!RB_TYPE_P(message, T_STRING))
    rb_raise(rb_eTypeError, "a message must be a String, not %s: use to_s or JSON", rb_obj_classname(message));
  return message;
}

static iod_slice_t slice_of(VALUE string) { return (iod_slice_t){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)}; }

static bool may_be_text(VALUE string) {
  int index = rb_enc_get_index(string);
  return index == rb_utf8_encindex() || index == rb_usascii_encindex();
}

/* ---- publishing ---- */

/* Within a job what is written leaves when that has ended; else nobody would look after it at once. */
static void publish_here(VALUE name, VALUE message, iod_scope_t scope) {
  iod_server_t *server = NIL_P(running) ? NULL : iod_ruby_server_of(running)->server;
  if (!server || !server->open) return; /* nobody is subscribed */
  iod_publication_t *p = iod_publication_new(slice_of(name), slice_of(message), may_be_text(message));
  int result = p ? iod_server_publish(server, p, scope) : IOD_E_NOMEM;
  if (result == IOD_E_FULL)
    rb_raise(rb_eArgError, "a message for other processes is at most %d MB, not %ld bytes", IOD_MESSAGE_MAX >> 20,
             RSTRING_LEN(message));
  if (result) rb_raise(rb_eNoMemError, "no memory for a message");
  if (!iod_app_thread_busy()) iod_server_flush(server);
  if (iod_links_crowded(&server->links)) iod_ruby_cluster_wait(server);
}

/* Which of ours it is, or SCOPES. */
static unsigned scope_of(VALUE engine) {
  if (engine == Qfalse) return IOD_SCOPE_PROCESS;
  unsigned scope = 0;
  while (scope < SCOPES && scopes[scope] != engine) scope++;
  return scope;
}

static void publish(VALUE to, VALUE message, VALUE engine) {
  VALUE name = iod_ruby_pubsub_name(to);
  message = message_of(message);
  if (NIL_P(engine)) engine = default_engine;
  unsigned scope = NIL_P(engine) ? IOD_SCOPE_CLUSTER : scope_of(engine);
  if (scope < SCOPES)
    publish_here(name, message, (iod_scope_t)scope);
  else
    rb_funcall(engine, id_publish, 2, name, message);
  RB_GC_GUARD(name);
  RB_GC_GUARD(message);
}

VALUE iod_ruby_pubsub_publish(int argc, VALUE *argv, VALUE self) {
  (void)self;
  if (argc == 1 && RB_TYPE_P(argv[0], T_HASH)) {
    ID names[] = {id_to, id_message, id_engine};
    VALUE values[3];
    rb_get_kwargs(rb_hash_dup(argv[0]), names, 2, 1, values);
    publish(values[0], values[1], values[2] == Qundef ? Qnil : values[2]);
    return Qtrue;
  }
  rb_check_arity(argc, 2, 3);
  publish(argv[0], argv[1], argc == 3 ? argv[2] : Qnil);
  return Qtrue;
}

/* ---- blocks ---- */

static VALUE key_of(VALUE name, bool pattern) {
  VALUE key = rb_enc_str_new(pattern ? "*" : "=", 1, rb_ascii8bit_encoding());
  return rb_str_freeze(rb_str_cat(key, RSTRING_PTR(name), RSTRING_LEN(name)));
}

uint64_t iod_ruby_pubsub_keep(VALUE blocks, VALUE name, bool pattern, VALUE block) {
  VALUE key = key_of(name, pattern), id = rb_hash_lookup(blocks, key);
  if (NIL_P(id)) rb_hash_aset(blocks, key, id = ULL2NUM(++last_id));
  rb_hash_aset(blocks, id, block);
  return NUM2ULL(id);
}

void iod_ruby_pubsub_drop(VALUE blocks, VALUE name, bool pattern) {
  VALUE id = rb_hash_delete(blocks, key_of(name, pattern));
  if (!NIL_P(id)) rb_hash_delete(blocks, id);
}

static VALUE string_of(iod_slice_t bytes, bool text) {
  return text ? rb_utf8_str_new(bytes.at, (long)bytes.length) : rb_str_new(bytes.at, (long)bytes.length);
}

VALUE iod_ruby_pubsub_call(VALUE blocks, const iod_message_t *message) {
  const iod_publication_t *p = message->publication;
  VALUE block = NIL_P(blocks) ? Qnil : rb_hash_lookup(blocks, ULL2NUM(message->id));
  if (NIL_P(block)) return Qnil; /* unsubscribed meanwhile */
  iod_slice_t channel = iod_publication_channel(p);
  VALUE arguments[] = {string_of(channel, iod_utf8_valid(channel)), string_of(iod_payload_slice(p->message), p->text)};
  return rb_funcallv(block, id_call, 2, arguments);
}

/* ---- subscriptions of the process ---- */

typedef struct watching {
  VALUE blocks;
  const iod_message_t *message;
} watching_t;

static VALUE call_watcher(VALUE data) {
  const watching_t *w = (const watching_t *)data;
  return iod_ruby_pubsub_call(w->blocks, w->message);
}

int iod_ruby_pubsub_run(ruby_server_t *rs, iod_watcher_t *watcher) {
  int state = 0;
  for (int i = 0; i < BATCH && !state; i++) {
    iod_message_t *message = iod_strand_take(&watcher->strand);
    if (!message) break;
    watching_t w = {rs->blocks, message};
    state = iod_protect(call_watcher, (VALUE)&w, NULL);
    if (state && !iod_error_is_kill()) state = iod_error_log("the block of a subscription", 27, iod_error_take());
    iod_message_free(message);
  }
  iod_watcher_rest(watcher);
  return state;
}

static iod_watcher_t *watcher_of(VALUE number) { return (iod_watcher_t *)NUM2SIZET(number); }

/* server.subscribe(name, pattern, block) */
static VALUE subscribe(VALUE self, VALUE name, VALUE pattern, VALUE block) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  if (!rs->server->open) rb_raise(rb_eRuntimeError, "this Iodine::Server is not open in this process");
  VALUE string = iod_ruby_pubsub_name(name);
  VALUE id = ULL2NUM(iod_ruby_pubsub_keep(rs->blocks, string, RTEST(pattern), block));
  if (NIL_P(rb_hash_lookup(rs->watchers, id))) {
    rb_hash_aset(rs->watchers, id, Qfalse); /* so that what follows can't fail once C has it */
    iod_watcher_t *w = iod_watcher_new(rs->server, slice_of(string), RTEST(pattern), NUM2ULL(id));
    if (!w) {
      rb_hash_delete(rs->watchers, id);
      iod_ruby_pubsub_drop(rs->blocks, string, RTEST(pattern));
      rb_raise(rb_eNoMemError, "no memory for a subscription");
    }
    rb_hash_aset(rs->watchers, id, SIZET2NUM((size_t)w));
  }
  RB_GC_GUARD(string);
  return name;
}

static bool end_watcher(ruby_server_t *rs, VALUE name, bool pattern) {
  VALUE id = rb_hash_lookup(rs->blocks, key_of(name, pattern));
  if (NIL_P(id)) return false;
  iod_ruby_pubsub_drop(rs->blocks, name, pattern);
  iod_watcher_end(watcher_of(rb_hash_delete(rs->watchers, id)));
  return true;
}

/* server.unsubscribe(name) → true / false */
static VALUE unsubscribe(VALUE self, VALUE name) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  VALUE string = iod_ruby_pubsub_name(name);
  if (!rs->server->open) return Qfalse;
  bool channel = end_watcher(rs, string, false);
  return end_watcher(rs, string, true) || channel ? Qtrue : Qfalse;
}

static int free_watcher(VALUE id, VALUE watcher, VALUE unused) {
  (void)id, (void)unused;
  if (RTEST(watcher)) iod_watcher_free(watcher_of(watcher));
  return ST_CONTINUE;
}

static int leave_watcher(VALUE id, VALUE watcher, VALUE unused) {
  (void)id, (void)unused;
  if (RTEST(watcher)) iod_pubsub_leave(watcher_of(watcher)->strand.server, &watcher_of(watcher)->subscriber);
  return ST_CONTINUE;
}

void iod_ruby_pubsub_leave(ruby_server_t *rs) { rb_hash_foreach(rs->watchers, leave_watcher, Qnil); }

void iod_ruby_pubsub_clear(ruby_server_t *rs) {
  rb_hash_foreach(rs->watchers, free_watcher, Qnil);
  rb_hash_clear(rs->watchers);
  rb_hash_clear(rs->blocks);
}

/* server.unheard → bytes of messages that blocks have not been called with yet. No more come for those of the process.
 */
static VALUE unheard(VALUE self) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  if (!rs->server->open) return INT2FIX(0);
  iod_ruby_pubsub_leave(rs);
  return SIZET2NUM(atomic_load(&rs->server->pubsub.told));
}

/* ---- settings ---- */

static VALUE running_set(VALUE klass, VALUE server) {
  (void)klass;
  return running = server;
}

static VALUE default_set(VALUE klass, VALUE engine) {
  (void)klass;
  return default_engine = engine;
}

/* Server.scopes = [CLUSTER, PROCESS, SIBLINGS, PUBLISH2ROOT] */
static VALUE scopes_set(VALUE klass, VALUE engines) {
  (void)klass;
  for (unsigned i = 0; i < SCOPES; i++) rb_gc_register_mark_object(scopes[i] = rb_ary_entry(engines, i));
  return engines;
}

void iod_ruby_pubsub_init(VALUE iodine_module, VALUE server_class) {
  running = default_engine = Qnil;
  for (unsigned i = 0; i < SCOPES; i++) scopes[i] = Qundef;
  rb_gc_register_address(&running);
  rb_gc_register_address(&default_engine);
  id_to = rb_intern("to");
  id_message = rb_intern("message");
  id_engine = rb_intern("engine");
  id_publish = rb_intern("publish");
  id_call = rb_intern("call");
  rb_define_singleton_method(iodine_module, "publish", iod_ruby_pubsub_publish, -1);
  rb_define_singleton_method(server_class, "running=", running_set, 1);
  rb_define_singleton_method(server_class, "default_engine=", default_set, 1);
  rb_define_singleton_method(server_class, "scopes=", scopes_set, 1);
  rb_define_method(server_class, "subscribe", subscribe, 3);
  rb_define_method(server_class, "unsubscribe", unsubscribe, 1);
  rb_define_method(server_class, "unheard", unheard, 0);
}
