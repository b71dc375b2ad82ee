#include "rack.h"

#include "../base/log.h"
#include "protect.h"
#include "rack_exchange.h"
#include "rack_headers.h"
#include "rack_input.h"
#include "rack_names.h"
#include "rack_response.h"
#include "rack_stream.h"
#include "rack_tls.h"
#include "rack_upgrade.h"

#include <stdio.h>

enum { CONTEXT_ROOM = 1024 };

/* All of it on the stack, where the GC finds the objects. */
typedef struct serving {
  iod_rack_exchange_t exchange;
  iod_request_t *request; /* as long as the exchange's writer or stream has it */
  VALUE listener;
  VALUE error;                 /* why there is no proper response, or nil */
  VALUE finished, after_reply; /* what the application wants called in the end */
  long finished_done, after_reply_done;
  int killed;     /* Ruby's state, when this thread is being killed … */
  bool unwinding; /* … and what remains to be done is done under rb_ensure */
} serving_t;

static ID id_call, id_close, id_handle_error;
static VALUE iodine;

/* ---- errors ---- */

static void log_error(serving_t *s, VALUE error) {
  char context[CONTEXT_ROOM];
  iod_slice_t method = iod_request_slice(s->request, s->request->head.method);
  iod_slice_t path = iod_request_slice(s->request, s->request->head.path);
  int length = snprintf(context, sizeof context, "%.*s %.*s", (int)method.length, method.at, (int)path.length, path.at);
  if (length >= CONTEXT_ROOM) length = CONTEXT_ROOM - 1;
  int state = iod_error_log(context, (size_t)length, error);
  if (state) s->killed = state;
}

static bool must_unwind(const serving_t *s) { return s->killed && !s->unwinding; }

/* Calls Ruby; what is raised is logged. False when it did not return. Once the thread is being killed, Ruby runs only
 * where what kills it is kept. */
static bool attempt(serving_t *s, VALUE (*function)(VALUE), VALUE argument, VALUE *result) {
  if (must_unwind(s)) return false;
  int state = iod_protect(function, argument, result);
  if (state == 0) return true;
  if (iod_error_is_kill())
    s->killed = state;
  else
    log_error(s, iod_error_take());
  return false;
}

/* ---- the application ---- */

static VALUE find_callbacks(VALUE data) {
  serving_t *s = (serving_t *)data;
  s->finished = iod_rack_env_finished(s->exchange.env);
  s->after_reply = iod_rack_env_after_reply(s->exchange.env);
  return Qnil;
}

static VALUE announce(VALUE data) {
  const serving_t *s = (const serving_t *)data;
  iod_rack_tls_announce(iod_rack_listener_protocols(s->listener), s->request->secure);
  return Qnil;
}

static VALUE call_app(VALUE data) {
  serving_t *s = (serving_t *)data;
  iod_rack_exchange_t *x = &s->exchange;
  x->object = iod_rack_exchange_object(x);
  x->input = s->request->head.body == IOD_BODY_NONE ? iod_rack_input_empty() : iod_rack_input_new(s->request);
  x->env = iod_rack_env_new(s->listener, s->request, x->object, x->input);
  iod_rack_respond(x, rb_funcallv(iod_rack_listener_app(s->listener), id_call, 1, &x->env));
  return find_callbacks(data);
}

/* ---- when it fails ---- */

static VALUE ask_handler(VALUE data) {
  serving_t *s = (serving_t *)data;
  if (!rb_obj_respond_to(iodine, id_handle_error, 1)) return Qnil;
  VALUE arguments[] = {s->error, s->exchange.env};
  return rb_funcallv(iodine, id_handle_error, 2, arguments);
}

typedef struct reply {
  iod_rack_exchange_t *exchange;
  VALUE response;
} reply_t;

static VALUE respond(VALUE data) {
  reply_t *reply = (reply_t *)data;
  iod_rack_respond(reply->exchange, reply->response);
  return Qnil;
}

static void close_body(serving_t *s);

/* Nothing was sent: the application's own error page, if it has one. */
static void replace_response(serving_t *s) {
  reply_t reply = {.exchange = &s->exchange};
  close_body(s);
  if (!attempt(s, ask_handler, (VALUE)s, &reply.response) || NIL_P(reply.response)) return;
  attempt(s, respond, (VALUE)&reply, NULL);
}

static VALUE close_io(VALUE io) { return rb_check_funcall(io, id_close, 0, NULL); }

/* A client that left in the middle of a response is no mistake of the application, nor are the exceptions by which it
 * learns it (a LocalJumpError: the end of each, in a Fiber of its own). */
static bool client_left(serving_t *s) {
  const VALUE signs[] = {rb_eIOError, rb_eSystemCallError, rb_eLocalJumpError};
  iod_rack_exchange_t *x = &s->exchange;
  bool gone = NIL_P(x->stream) ? x->writer.gone : iod_rack_stream_abort(x->stream);
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (gone && RTEST(rb_obj_is_kind_of(s->error, signs[i]))) return true;
  return false;
}

static void fail(serving_t *s, int state) {
  iod_rack_exchange_t *x = &s->exchange;
  if (iod_error_is_kill()) {
    s->killed = state;
    if (!NIL_P(x->stream)) iod_rack_stream_abort(x->stream);
    return;
  }
  s->error = iod_error_take();
  if (!client_left(s)) log_error(s, s->error);
  if (!NIL_P(x->io) && !NIL_P(x->status))
    attempt(s, close_io, x->io, NULL); /* a partial hijack's: nobody else knows it */
  if (!x->writer.head_sent && !x->writer.ended && !NIL_P(x->env)) replace_response(s);
}

/* ---- the end ---- */

static VALUE call_close(VALUE body) { return rb_check_funcall(body, id_close, 0, NULL); }

/* Once. An Array or a String has nothing to close. */
static void close_body(serving_t *s) {
  VALUE body = s->exchange.body;
  s->exchange.body = Qnil;
  if (NIL_P(body) || (!RB_SPECIAL_CONST_P(body) && (rb_class_of(body) == rb_cArray || rb_class_of(body) == rb_cString)))
    return;
  attempt(s, call_close, body, NULL);
}

typedef struct callback {
  serving_t *serving;
  VALUE callable;
  int argc;
} callback_t;

static VALUE call_back(VALUE data) {
  const callback_t *callback = (const callback_t *)data;
  serving_t *s = callback->serving;
  VALUE arguments[] = {s->exchange.env, s->exchange.status, s->exchange.headers, s->error};
  return rb_funcallv(callback->callable, id_call, callback->argc, arguments);
}

/* rack.response_finished in reverse order, as the specification of Rack has it. */
static void call_finished(serving_t *s) {
  long left;
  if (!RB_TYPE_P(s->finished, T_ARRAY)) return;
  while (!must_unwind(s) && (left = RARRAY_LEN(s->finished) - s->finished_done++) > 0) {
    callback_t callback = {s, rb_ary_entry(s->finished, left - 1), 4};
    attempt(s, call_back, (VALUE)&callback, NULL);
  }
}

static void call_after_reply(serving_t *s) {
  if (!RB_TYPE_P(s->after_reply, T_ARRAY)) return;
  while (!must_unwind(s) && s->after_reply_done < RARRAY_LEN(s->after_reply)) {
    callback_t callback = {s, rb_ary_entry(s->after_reply, s->after_reply_done++), 0};
    attempt(s, call_back, (VALUE)&callback, NULL);
  }
}

/* The application may still read the body of a request whose socket or stream it has kept. */
static void let_go(serving_t *s) {
  iod_rack_exchange_t *x = &s->exchange;
  bool kept = !NIL_P(x->io) || (!NIL_P(x->stream) && iod_rack_stream_open(x->stream));
  if (!NIL_P(x->input) && !kept) iod_rack_input_close(x->input);
  if (!NIL_P(x->object)) iod_rack_exchange_over(x->object);
  if (x->upgraded) iod_rack_env_settle(x->env, x->object);
}

/* Goes on where it was when a kill came. */
static VALUE finish(VALUE data) {
  serving_t *s = (serving_t *)data;
  if (NIL_P(s->exchange.stream)) iod_rack_writer_abort(&s->exchange.writer); /* unless it was ended */
  if (NIL_P(s->finished) && !NIL_P(s->exchange.env)) attempt(s, find_callbacks, data, NULL);
  close_body(s);
  call_finished(s);
  call_after_reply(s);
  let_go(s);
  return Qnil;
}

static VALUE jump(VALUE state) { rb_jump_tag((int)state); }

/* A killed thread runs its ensure clauses, so does this one: rb_ensure keeps what kills it. */
static VALUE finish_killed(VALUE data) { return rb_ensure(jump, (VALUE)((serving_t *)data)->killed, finish, data); }

int iod_rack_serve(iod_server_t *server, iod_request_t *request, VALUE listener) {
  serving_t s = {.request = request, .listener = listener, .error = Qnil, .finished = Qnil, .after_reply = Qnil};
  iod_rack_exchange_t *x = &s.exchange;
  x->object = x->env = x->input = x->status = x->headers = x->body = x->stream = x->io = Qnil;
  x->thread = rb_thread_current();
  iod_rack_writer_init(&x->writer, server, request);
  if (request->secure) attempt(&s, announce, (VALUE)&s, NULL);
  int state = s.killed ? 0 : iod_protect(call_app, (VALUE)&s, NULL);
  if (state) fail(&s, state);
  if (!s.killed) finish((VALUE)&s);
  if (s.killed) {
    s.unwinding = true;
    s.killed = iod_protect(finish_killed, (VALUE)&s, NULL);
  }
  iod_rack_writer_deinit(&x->writer);
  RB_GC_GUARD(listener);
  return s.killed;
}

void iod_rack_init(VALUE iodine_module) {
  VALUE rack = rb_define_module_under(iodine_module, "Rack");
  iodine = iodine_module;
  id_call = rb_intern("call");
  id_close = rb_intern("close");
  id_handle_error = rb_intern("handle_error");
  iod_rack_pin_init();
  iod_rack_headers_init();
  iod_rack_names_init();
  iod_rack_input_init(rack);
  iod_rack_stream_init(rack);
  iod_rack_exchange_init(rack);
  iod_rack_response_init();
  iod_rack_upgrade_init(iodine_module);
  iod_rack_env_init(iodine_module);
  iod_rack_tls_init(iodine_module);
}
