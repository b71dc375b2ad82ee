#include "ruby_pulse.h"

#include "../base/clock.h"
#include "ruby_server.h"

static iod_pulse_t *pulse_of(VALUE self, VALUE index) {
  const iod_server_t *server = iod_ruby_server_of(self)->server;
  uint32_t slot = NUM2UINT(index);
  if (slot >= server->shared.count) rb_raise(rb_eArgError, "there is no slot %u", slot);
  return &server->pulses[slot];
}

/* How long ago, by the same clock. What another process has written meanwhile is now. */
static uint64_t since(uint64_t then) {
  uint64_t now = iod_clock_ms();
  return then && now > then ? now - then : 0;
}

/* server.beat(ms): in the process that serves, before it opens: its stand-in says at least so often that it lives. */
static VALUE beat(VALUE self, VALUE ms) {
  iod_ruby_server_of(self)->server->beat = NUM2UINT(ms);
  return self;
}

/* server.pulse(index) → ms since that worker's last sign of life, ms since its jobs stand still, requests answered,
 * backtraces written. */
static VALUE pulse(VALUE self, VALUE index) {
  iod_pulse_t *p = pulse_of(self, index);
  return rb_ary_new_from_args(4, ULL2NUM(since(atomic_load(&p->beat))), ULL2NUM(since(atomic_load(&p->stuck_since))),
                              ULL2NUM(atomic_load(&p->answered)), UINT2NUM(atomic_load(&p->dumps)));
}

/* server.stuck(index) → [["GET /path", ms since it began], …] of a worker whose jobs stand still. */
static VALUE stuck(VALUE self, VALUE index) {
  iod_pulse_request_t requests[IOD_PULSE_REQUESTS];
  uint32_t count = iod_pulse_requests(pulse_of(self, index), requests);
  VALUE list = rb_ary_new();
  for (uint32_t i = 0; i < count; i++)
    rb_ary_push(list, rb_assoc_new(rb_str_new_cstr(requests[i].line), ULL2NUM(since(requests[i].since))));
  return list;
}

/* server.dumped: in the process that serves, whose backtraces are written. */
static VALUE dumped(VALUE self) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (server->open) atomic_fetch_add(&server->pulse->dumps, 1);
  return self;
}

/* server.jobs → threads in the middle of a job, jobs that wait, threads. */
static VALUE jobs(VALUE self) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (!server->open) return rb_ary_new_from_args(3, INT2FIX(0), INT2FIX(0), INT2FIX(0));
  const iod_slot_t *slot = server->crew.slot;
  return rb_ary_new_from_args(3, UINT2NUM(atomic_load(&slot->running)), SIZET2NUM(atomic_load(&server->jobs.waiting)),
                              UINT2NUM(atomic_load(&slot->threads)));
}

void iod_ruby_pulse_init(VALUE klass) {
  rb_define_method(klass, "beat", beat, 1);
  rb_define_method(klass, "pulse", pulse, 1);
  rb_define_method(klass, "stuck", stuck, 1);
  rb_define_method(klass, "dumped", dumped, 0);
  rb_define_method(klass, "jobs", jobs, 0);
}
