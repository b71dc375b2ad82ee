#include "ruby_log.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/log_queue.h"
#include "../base/utf8.h"
#include "../server/server.h"
#include "ruby_server.h"

#include <pthread.h>
#include <ruby/encoding.h>
#include <ruby/thread.h>

/* Iodine::Server.log(level, line) */
static VALUE log_line(VALUE klass, VALUE level, VALUE line) {
  (void)klass;
  VALUE text = rb_obj_as_string(line);
  iod_log(NUM2INT(level), "%.*s", (int)RSTRING_LEN(text), RSTRING_PTR(text));
  RB_GC_GUARD(text);
  return Qnil;
}

/* Iodine::Server.print(level, line): on stderr, whoever gets the others. */
static VALUE print_line(VALUE klass, VALUE level, VALUE line) {
  (void)klass;
  VALUE text = rb_obj_as_string(line);
  int number = NUM2INT(level);
  if (number > IOD_LOG_NONE && number <= IOD_LOG_DEBUG)
    iod_log_print(number, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
  RB_GC_GUARD(text);
  return Qnil;
}

/* Iodine::Server.divert: lines that C writes are for next_line from now on. */
static VALUE divert(VALUE klass) {
  if (iod_log_queue_open()) rb_raise(rb_eThreadError, "can't make the thread that watches the log");
  return klass;
}

static void *close_now(void *unused) {
  iod_log_queue_close();
  return unused;
}

/* Iodine::Server.undivert: they go to stderr again, and so do those that wait. */
static VALUE undivert(VALUE klass) {
  rb_thread_call_without_gvl(close_now, NULL, NULL, NULL);
  return klass;
}

typedef struct waiting {
  _Atomic bool cancelled;
  bool open;
} waiting_t;

static void *wait_now(void *argument) {
  waiting_t *w = argument;
  w->open = iod_log_queue_wait(&w->cancelled);
  return NULL;
}

static void cancel(void *argument) {
  waiting_t *w = argument;
  atomic_store(&w->cancelled, true);
  iod_log_queue_wake();
}

static VALUE pair_of(iod_log_line_t *line) {
  iod_slice_t text = {line->text, line->length};
  VALUE string = rb_str_new(text.at, (long)text.length);
  if (iod_utf8_valid(text)) rb_enc_associate(string, rb_utf8_encoding());
  VALUE pair = rb_assoc_new(INT2NUM(line->level), string);
  iod_free(line);
  return pair;
}

/* Iodine::Server.next_line → [level, line]; nil: nothing is diverted any more. Blocks. A line is taken only by who may
 * run: as long as Ruby can't, it is left to stderr. */
static VALUE next_line(VALUE klass) {
  (void)klass;
  for (waiting_t w = {.open = true}; w.open;) {
    iod_log_line_t *line = iod_log_queue_take();
    if (line) return pair_of(line);
    atomic_store(&w.cancelled, false);
    rb_nogvl(wait_now, &w, cancel, &w, 0);
  }
  return Qnil;
}

/* server.log_to(descriptor, json): the access log, before it is open. The descriptor is the caller's. */
static VALUE log_to(VALUE self, VALUE descriptor, VALUE json) {
  iod_ruby_server_of(self)->server->sink = (iod_access_sink_t){.fd = NUM2INT(descriptor), .json = RTEST(json)};
  return self;
}

static VALUE verbosity(VALUE module) {
  (void)module;
  return INT2NUM(iod_log_level);
}

static VALUE verbosity_set(VALUE module, VALUE level) {
  (void)module;
  iod_log_level = NUM2INT(level);
  return level;
}

void iod_ruby_log_init(VALUE iodine, VALUE server_class) {
  rb_define_singleton_method(server_class, "log", log_line, 2);
  rb_define_singleton_method(server_class, "print", print_line, 2);
  rb_define_singleton_method(server_class, "divert", divert, 0);
  rb_define_singleton_method(server_class, "undivert", undivert, 0);
  rb_define_singleton_method(server_class, "next_line", next_line, 0);
  rb_define_method(server_class, "log_to", log_to, 2);
  rb_define_singleton_method(iodine, "verbosity", verbosity, 0);
  rb_define_singleton_method(iodine, "verbosity=", verbosity_set, 1);
  (void)pthread_atfork(NULL, NULL, iod_log_queue_forked);
}
