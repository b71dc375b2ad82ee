#include "ruby_cluster.h"

#include "../base/utf8.h"
#include "../server/cluster.h"
#include "../server/server.h"
#include "protect.h"

#include <errno.h>
#include <ruby/thread.h>

enum { BATCH = 64 };

static VALUE listener; /* who is told of notices: Iodine::PubSub::Notices */
static ID id_name, id_listing, id_listed, id_command, id_reply, id_unlinked;

static iod_slice_t slice_of(VALUE string) { return (iod_slice_t){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)}; }

static VALUE bytes_of(iod_slice_t bytes) { return rb_str_new(bytes.at, (long)bytes.length); }

/* ---- links ---- */

static int check(int result, const char *what) {
  if (result == IOD_E_SYSTEM) rb_sys_fail(what);
  if (result == IOD_E_NOMEM) rb_raise(rb_eNoMemError, "no memory for %s", what);
  if (result == IOD_E_FULL) rb_raise(rb_eArgError, "too many bytes, or processes, for %s", what);
  return result;
}

typedef struct linking {
  iod_server_t *server;
  iod_cluster_worker_t *workers;
  size_t count;
  pid_t pid;
  int fd, result, error;
} linking_t;

static void *link_workers_now(void *argument) {
  linking_t *l = argument;
  l->result = iod_cluster_link_workers(l->server, l->workers, l->count);
  l->error = errno;
  return NULL;
}

static void *link_root_now(void *argument) {
  linking_t *l = argument;
  l->result = iod_cluster_link_root(l->server, l->fd);
  l->error = errno;
  return NULL;
}

static void *unlink_now(void *argument) {
  linking_t *l = argument;
  iod_link_leave(l->server, l->pid);
  return NULL;
}

static iod_server_t *open_server_of(VALUE self) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (!server->open) rb_raise(rb_eRuntimeError, "this Iodine::Server is not open in this process");
  return server;
}

/* server.link_workers([[descriptor, pid, joined], …]): takes over the descriptors. */
static VALUE link_workers(VALUE self, VALUE workers) {
  linking_t l = {.server = open_server_of(self), .count = (size_t)RARRAY_LEN(workers)};
  VALUE memory;
  l.workers = ALLOCV_N(iod_cluster_worker_t, memory, l.count);
  for (size_t i = 0; i < l.count; i++) {
    VALUE worker = rb_ary_entry(workers, (long)i);
    l.workers[i] = (iod_cluster_worker_t){.fd = NUM2INT(rb_ary_entry(worker, 0)),
                                          .pid = NUM2PIDT(rb_ary_entry(worker, 1)),
                                          .joined = RTEST(rb_ary_entry(worker, 2))};
  }
  rb_thread_call_without_gvl(link_workers_now, &l, NULL, NULL);
  ALLOCV_END(memory);
  errno = l.error;
  check(l.result, "a link to a worker");
  return self;
}

/* server.link_root(descriptor): takes it over. */
static VALUE link_root(VALUE self, VALUE descriptor) {
  linking_t l = {.server = open_server_of(self), .fd = NUM2INT(descriptor)};
  rb_thread_call_without_gvl(link_root_now, &l, NULL, NULL);
  errno = l.error;
  check(l.result, "the link to the root");
  return self;
}

/* server.unlink(pid) */
static VALUE unlink_worker(VALUE self, VALUE pid) {
  linking_t l = {.server = iod_ruby_server_of(self)->server, .pid = NUM2PIDT(pid)};
  if (l.server->open) rb_thread_call_without_gvl(unlink_now, &l, NULL, NULL);
  return self;
}

/* ---- waiting ---- */

typedef struct waiting {
  iod_server_t *server;
  _Atomic bool cancelled;
} waiting_t;

static void *wait_now(void *argument) {
  waiting_t *w = argument;
  iod_links_wait(w->server, &w->cancelled);
  return NULL;
}

static void cancel(void *argument) {
  waiting_t *w = argument;
  atomic_store(&w->cancelled, true);
  iod_server_wake_waiters(w->server);
}

void iod_ruby_cluster_wait(iod_server_t *server) {
  waiting_t w = {.server = server};
  rb_thread_call_without_gvl(wait_now, &w, cancel, &w);
}

/* ---- commands and names ---- */

/* server.command(engine, id, payload) → true, or false when it isn't open any more. id 0 = no reply is wanted. */
static VALUE command(VALUE self, VALUE engine, VALUE id, VALUE payload) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (!server->open) return Qfalse;
  engine = rb_str_new_frozen(StringValue(engine));
  payload = rb_str_new_frozen(StringValue(payload));
  check(iod_cluster_command(server, NUM2ULL(id), slice_of(engine), slice_of(payload)), "a command for the root");
  RB_GC_GUARD(engine);
  RB_GC_GUARD(payload);
  return Qtrue;
}

/* server.reply(to, id, payload): nil = there is no answer. */
static VALUE reply(VALUE self, VALUE to, VALUE id, VALUE payload) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (!server->open) return Qfalse;
  iod_slice_t bytes = {0};
  if (!NIL_P(payload)) bytes = slice_of(payload = rb_str_new_frozen(StringValue(payload)));
  check(iod_cluster_reply(server, NUM2ULL(to), NUM2ULL(id), NIL_P(payload) ? NULL : &bytes), "a reply of the root");
  RB_GC_GUARD(payload);
  return Qtrue;
}

/* server.list_names: notices tell all names that are there, and each that comes or goes from now on. */
static VALUE list_names(VALUE self) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (server->open) iod_notices_list(server);
  return self;
}

/* ---- notices ---- */

typedef struct telling {
  const iod_message_t *message;
  uint8_t what;
} telling_t;

static VALUE tell_name(const iod_message_t *m) {
  iod_slice_t name = {m->bytes, m->length};
  VALUE string = iod_utf8_valid(name) ? rb_utf8_str_new(name.at, (long)name.length) : bytes_of(name);
  return rb_funcall(listener, id_name, 3, rb_str_freeze(string), m->id & IOD_NAME_PATTERN ? Qtrue : Qnil,
                    m->id & IOD_NAME_THERE ? Qtrue : Qfalse);
}

static VALUE tell_frame(const telling_t *t) {
  iod_cluster_frame_t f;
  size_t needed;
  if (iod_cluster_frame_parse(t->message->bytes, t->message->length, &f, &needed) <= 0) return Qnil;
  VALUE id = ULL2NUM(f.id);
  if (t->what == IOD_NOTICE_REPLY)
    return rb_funcall(listener, id_reply, 2, id, f.flags & IOD_CLUSTER_ENGINE ? bytes_of(f.message) : Qnil);
  return rb_funcall(listener, id_command, 4, bytes_of(f.channel), bytes_of(f.message), ULL2NUM(t->message->id), id);
}

static VALUE tell(VALUE argument) {
  const telling_t *t = (const telling_t *)argument;
  switch (t->what) {
  case IOD_NOTICE_NAME: return tell_name(t->message);
  case IOD_NOTICE_LISTING: return rb_funcall(listener, id_listing, 0);
  case IOD_NOTICE_LISTED: return rb_funcall(listener, id_listed, 0);
  case IOD_NOTICE_UNLINKED: return rb_funcall(listener, id_unlinked, 0);
  }
  return tell_frame(t);
}

int iod_ruby_cluster_run(ruby_server_t *rs) {
  iod_message_t *message;
  telling_t t;
  int state = 0;
  for (int i = 0; i < BATCH && !state && (t.what = iod_notices_take(rs->server, &message)); i++) {
    t.message = message;
    state = iod_protect(tell, (VALUE)&t, NULL);
    if (state && !iod_error_is_kill()) state = iod_error_log("an engine of pub/sub", 20, iod_error_take());
    iod_message_free(message);
  }
  iod_notices_rest(rs->server);
  return state;
}

static VALUE listener_set(VALUE klass, VALUE object) {
  (void)klass;
  return listener = object;
}

void iod_ruby_cluster_init(VALUE server_class) {
  char frame[IOD_CLUSTER_HEAD];
  iod_cluster_frame_t join = {.type = IOD_CLUSTER_JOIN};
  iod_cluster_head_write(frame, &join);
  rb_define_const(server_class, "JOIN", rb_str_freeze(rb_str_new(frame, sizeof frame)));
  listener = Qnil;
  rb_gc_register_address(&listener);
  id_name = rb_intern("name");
  id_listing = rb_intern("listing");
  id_listed = rb_intern("listed");
  id_command = rb_intern("command");
  id_reply = rb_intern("reply");
  id_unlinked = rb_intern("unlinked");
  rb_define_singleton_method(server_class, "notices=", listener_set, 1);
  rb_define_method(server_class, "link_workers", link_workers, 1);
  rb_define_method(server_class, "link_root", link_root, 1);
  rb_define_method(server_class, "unlink", unlink_worker, 1);
  rb_define_method(server_class, "command", command, 3);
  rb_define_method(server_class, "reply", reply, 3);
  rb_define_method(server_class, "list_names", list_names, 0);
}
