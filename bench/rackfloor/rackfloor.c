/* The floor under the Ruby part of any Rack server: an env of 18 keys, the call, a walk of the answer. No socket.
 *
 *   rack_floor(app, n) calls the application n times and gives the nanoseconds one call took. */
#include <ruby.h>
#include <ruby/encoding.h>
#include <time.h>

static const char *const request_names[] = {"REQUEST_METHOD", "PATH_INFO",   "QUERY_STRING",
                                            "HTTP_HOST",      "SERVER_NAME", "REMOTE_ADDR"};
static const char *const constant_names[] = {
    "rack.version", "rack.url_scheme", "rack.errors",     "rack.multithread", "rack.multiprocess", "rack.run_once",
    "rack.hijack?", "SCRIPT_NAME",     "SERVER_PROTOCOL", "SERVER_PORT",      "SERVER_SOFTWARE",   "rack.input"};

static VALUE keys[6], template;
static ID id_call;

static VALUE constant(const char *text) {
  VALUE string = rb_enc_interned_str(text, (long)strlen(text), rb_usascii_encoding());
  rb_gc_register_mark_object(string);
  return string;
}

static VALUE make_env(void) {
  VALUE env = rb_hash_dup(template);
  rb_hash_aset(env, keys[0], rb_str_new_static("GET", 3));
  rb_hash_aset(env, keys[1], rb_str_new("/", 1));
  rb_hash_aset(env, keys[2], rb_str_new("", 0));
  rb_hash_aset(env, keys[3], rb_str_new("127.0.0.1:3000", 14));
  rb_hash_aset(env, keys[4], rb_str_new("127.0.0.1", 9));
  rb_hash_aset(env, keys[5], rb_str_new("127.0.0.1", 9));
  return env;
}

static int add_header(VALUE name, VALUE value, VALUE sum) {
  *(long *)sum += RSTRING_LEN(name) + RSTRING_LEN(value);
  return ST_CONTINUE;
}

static long walk(VALUE response) {
  long bytes = NUM2INT(rb_ary_entry(response, 0));
  rb_hash_foreach(rb_ary_entry(response, 1), add_header, (VALUE)&bytes);
  return bytes + RSTRING_LEN(rb_ary_entry(rb_ary_entry(response, 2), 0));
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static VALUE rack_floor(VALUE self, VALUE app, VALUE times) {
  long n = NUM2LONG(times), bytes = 0;
  double start = now();
  (void)self;
  for (long i = 0; i < n; i++) {
    VALUE env = make_env();
    bytes += walk(rb_funcallv(app, id_call, 1, &env));
  }
  return bytes ? DBL2NUM((now() - start) / (double)n) : Qnil;
}

void Init_rackfloor(void) {
  id_call = rb_intern("call");
  for (int i = 0; i < 6; i++) keys[i] = constant(request_names[i]);
  template = rb_hash_new();
  rb_gc_register_mark_object(template);
  for (int i = 0; i < 12; i++) rb_hash_aset(template, constant(constant_names[i]), constant("x"));
  rb_define_global_function("rack_floor", rack_floor, 2);
}
