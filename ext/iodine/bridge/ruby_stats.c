#include "ruby_stats.h"

#include "../server/server.h"
#include "../server/stats_text.h"

#include <ruby/thread.h>

static iod_slice_t slice_of(VALUE string) { return (iod_slice_t){StringValuePtr(string), (size_t)RSTRING_LEN(string)}; }

iod_inside_t *iod_ruby_stats_inside(VALUE settings) {
  VALUE pair = rb_hash_lookup(settings, ID2SYM(rb_intern("inside")));
  if (NIL_P(pair)) return NULL;
  iod_inside_t *inside = iod_inside_new(slice_of(rb_ary_entry(pair, 0)), slice_of(rb_ary_entry(pair, 1)));
  if (!inside) rb_raise(rb_eNoMemError, "no memory for a listener");
  return inside;
}

typedef struct printing {
  const iod_server_t *server;
  iod_printer_t printer;
} printing_t;

/* It reads a file for each process. */
static void *print_now(void *argument) {
  printing_t *p = argument;
  iod_stats_print_json(&p->printer, p->server->cluster);
  return NULL;
}

/* server.stats → String: what /stats tells, of the whole cluster. */
static VALUE stats(VALUE self) {
  printing_t p = {.server = iod_ruby_server_of(self)->server};
  rb_thread_call_without_gvl(print_now, &p, NULL, NULL);
  const iod_buffer_t *text = &p.printer.buffer;
  VALUE string = p.printer.failed ? Qnil : rb_utf8_str_new(iod_buffer_head(text), (long)iod_buffer_length(text));
  iod_buffer_deinit(&p.printer.buffer);
  RB_GC_GUARD(self);
  if (NIL_P(string)) rb_raise(rb_eNoMemError, "no memory for the statistics");
  return string;
}

/* server.lead(workers): before open. This is the reactor of the root of the workers that share that server. */
static VALUE lead(VALUE self, VALUE workers) {
  ruby_server_t *rs = iod_ruby_server_of(self);
  rb_ary_push(rs->listeners, workers); /* its mapping is needed for as long */
  iod_server_lead(rs->server, iod_ruby_server_of(workers)->server);
  return self;
}

static VALUE count(VALUE self, size_t offset) {
  iod_lives_t *lives = iod_ruby_server_of(self)->server->shared.lives;
  iod_count_one((iod_count_t *)(void *)((char *)lives + offset));
  return self;
}

/* In the root: a worker takes the place of another one. */
static VALUE count_restart(VALUE self) { return count(self, offsetof(iod_lives_t, restarts)); }

/* In the root: a worker has died. */
static VALUE count_crash(VALUE self) { return count(self, offsetof(iod_lives_t, crashes)); }

void iod_ruby_stats_init(VALUE server_class) {
  rb_define_method(server_class, "stats", stats, 0);
  rb_define_method(server_class, "lead", lead, 1);
  rb_define_method(server_class, "count_restart", count_restart, 0);
  rb_define_method(server_class, "count_crash", count_crash, 0);
}
