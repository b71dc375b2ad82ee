#include "app_thread.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "protect.h"
#include "rack.h"
#include "ruby_callbacks.h"
#include "ruby_cluster.h"
#include "ruby_pubsub.h"

#include <ruby/thread.h>

typedef struct app_thread {
  iod_crew_thread_t crew;
  iod_server_t *server;
  ruby_server_t *rs;
} app_thread_t;

static _Thread_local iod_server_t *working_for; /* set while this thread runs a job */

bool iod_app_thread_busy(void) { return working_for != NULL; }

/* ---- jobs ---- */

typedef struct block_call {
  ruby_server_t *rs;
  VALUE block;
  uint64_t timer;
} block_call_t;

static VALUE call_block(VALUE argument) {
  block_call_t *call = (block_call_t *)argument;
  return rb_proc_call_kw(call->block, rb_ary_new(), 0);
}

static VALUE call_timer(VALUE argument) {
  block_call_t *call = (block_call_t *)argument;
  iod_ruby_server_timer(call->rs, call->timer);
  return Qnil;
}

/* 0, or a state that ends the thread. */
static int run_block(VALUE (*function)(VALUE), block_call_t *call, const char *what) {
  int state = iod_protect(function, (VALUE)call, NULL);
  if (state == 0) return 0;
  if (iod_error_is_kill()) return state;
  return iod_error_log(what, strlen(what), iod_error_take());
}

/* An exception ends one call of a timer, not the timer. */
static void set_timer_again(app_thread_t *t, uint64_t id) {
  VALUE entry = rb_hash_lookup(t->rs->timers, ULL2NUM(id));
  if (NIL_P(entry)) return;
  if (iod_server_timer_add(t->server, id, NUM2ULL(rb_ary_entry(entry, 1))) == 0) return;
  rb_hash_delete(t->rs->timers, ULL2NUM(id));
  iod_log(IOD_LOG_ERROR, "a timer was lost: out of memory");
}

static int run_timer(app_thread_t *t, iod_job_t *job) {
  block_call_t call = {.rs = t->rs, .block = Qnil, .timer = ((iod_timer_job_t *)job)->id};
  iod_free(job);
  int state = run_block(call_timer, &call, "a timer's block failed");
  set_timer_again(t, call.timer);
  return state;
}

static int run_call(app_thread_t *t, iod_job_t *job) {
  iod_free(job);
  block_call_t call = {.rs = t->rs, .block = rb_ary_shift(t->rs->calls)};
  return NIL_P(call.block) ? 0 : run_block(call_block, &call, "a task failed");
}

static int run_job(app_thread_t *t, iod_job_t *job) {
  switch (job->kind) {
  case IOD_JOB_REQUEST: {
    iod_request_t *request = (iod_request_t *)job;
    return iod_rack_serve(t->server, request, (VALUE)request->listener->tag);
  }
  case IOD_JOB_TIMER: return run_timer(t, job);
  case IOD_JOB_CALL: return run_call(t, job);
  case IOD_JOB_CONNECTION: return iod_ruby_callbacks_run((iod_connection_t *)job);
  case IOD_JOB_WATCHER: return iod_ruby_pubsub_run(t->rs, (iod_watcher_t *)job);
  case IOD_JOB_NOTICES: return iod_ruby_cluster_run(t->rs);
  case IOD_JOB_RELEASE: iod_rack_released((iod_release_job_t *)job); return 0;
  }
  return 0;
}

static int run_idle_blocks(app_thread_t *t) {
  while (RARRAY_LEN(t->rs->idle) > 0) {
    block_call_t call = {.rs = t->rs, .block = rb_ary_shift(t->rs->idle)};
    int state = run_block(call_block, &call, "an on_idle block failed");
    if (state) return state;
  }
  return 0;
}

/* ---- the loop ---- */

static VALUE check_interrupts(VALUE unused) {
  rb_thread_check_ints();
  return unused;
}

/* What other threads want of this one, where nothing is held. 0, or a state that ends the thread. */
static int look_at_interrupts(void) {
  int state = iod_protect(check_interrupts, Qnil, NULL);
  if (state == 0 || iod_error_is_kill()) return state;
  /* A Thread#raise whose job is over, as a late Timeout. */
  return iod_error_log("an exception came too late for its job", 38, iod_error_take());
}

static void *idle(void *argument) {
  app_thread_t *t = argument;
  iod_crew_idle(t->server, &t->crew);
  return NULL;
}

static void interrupt(void *argument) {
  app_thread_t *t = argument;
  iod_crew_interrupt(t->server, &t->crew);
}

static iod_job_t *next_job(app_thread_t *t) {
  return atomic_load(&t->server->crew.halted) ? NULL : iod_crew_take(t->server, &t->crew);
}

/* Runs what is queued, until the server halts; 0, or a state that ends the thread. A process that the application forks
 * has a copy of the queue, and is halted too. */
static int run_jobs(app_thread_t *t) {
  unsigned count = 0;
  for (iod_job_t *job; (job = next_job(t));) {
    working_for = t->server;
    int state = run_job(t, job);
    working_for = NULL;
    iod_crew_done(t->server);
    if (state) return state;
    if (!iod_crew_wants_turn(t->server, ++count)) continue;
    count = 0;
    iod_crew_quick_turn(t->server);
    if ((state = look_at_interrupts())) return state;
  }
  return 0;
}

static int serve(app_thread_t *t) {
  for (;;) {
    int state = run_jobs(t);
    if (state == 0) state = look_at_interrupts();
    if (state || atomic_load(&t->server->crew.halted)) return state;
    if (iod_crew_quick_turn(t->server)) continue;
    if (RARRAY_LEN(t->rs->idle) > 0) {
      if ((state = run_idle_blocks(t))) return state;
      continue;
    }
    rb_nogvl(idle, t, interrupt, t, RB_NOGVL_INTR_FAIL);
  }
}

VALUE iod_app_thread_serve(VALUE self) {
  app_thread_t t = {.rs = iod_ruby_server_of(self)};
  t.server = t.rs->server;
  if (!t.server->open) rb_raise(rb_eRuntimeError, "this Iodine::Server is not open in this process");
  iod_crew_thread_init(t.server, &t.crew);
  int state = serve(&t);
  if (!t.server->inherited) iod_crew_thread_deinit(t.server, &t.crew);
  RB_GC_GUARD(self);
  if (state) rb_jump_tag(state);
  return Qnil;
}

/* ---- thread events (Ruby 3.2 and later) ---- */

#ifdef HAVE_RB_INTERNAL_THREAD_ADD_EVENT_HOOK
/* A thread that blocks in the middle of a job leaves the others to somebody else at once, not after the stand-in's
 * tick. */
static void on_suspended(rb_event_flag_t event, const rb_internal_thread_event_data_t *data, void *context) {
  (void)event, (void)data, (void)context;
  iod_server_t *server = working_for;
  if (server && atomic_load(&server->jobs.waiting) > 0) iod_crew_wake_one(server);
}
#endif

void iod_app_thread_init(void) {
#ifdef HAVE_RB_INTERNAL_THREAD_ADD_EVENT_HOOK
  rb_internal_thread_add_event_hook(on_suspended, RUBY_INTERNAL_THREAD_EVENT_SUSPENDED, NULL);
#endif
}
