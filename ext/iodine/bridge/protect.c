#include "protect.h"

#include "../base/log.h"

int iod_protect(VALUE (*function)(VALUE), VALUE argument, VALUE *result) {
  int state = 0;
  VALUE value = rb_protect(function, argument, &state);
  if (result) *result = state ? Qnil : value;
  return state;
}

/* Ruby keeps an Integer in the place of the exception while a thread is killed. */
bool iod_error_is_kill(void) { return RB_FIXNUM_P(rb_errinfo()); }

VALUE iod_error_take(void) {
  VALUE error = rb_errinfo();
  rb_set_errinfo(Qnil);
  /* A throw's or break's tag is an object that Ruby code must never see: only ask for its type. */
  if (!RB_SPECIAL_CONST_P(error) && RB_BUILTIN_TYPE(error) == RUBY_T_OBJECT) return error;
  if (!RB_SPECIAL_CONST_P(error) && RB_BUILTIN_TYPE(error) == RUBY_T_DATA) return error;
  return rb_exc_new_cstr(rb_eLocalJumpError, "throw or break out of the application");
}

/* Its first line: what follows are hints of did_you_mean and error_highlight. */
static VALUE first_line(VALUE message) {
  const char *bytes = RSTRING_PTR(message);
  long length = RSTRING_LEN(message);
  const char *end = length > 0 ? memchr(bytes, '\n', (size_t)length) : NULL;
  return rb_str_new(bytes, end ? end - bytes : length);
}

static VALUE describe(VALUE error) {
  VALUE message = first_line(rb_obj_as_string(error));
  rb_str_catf(message, " (%s)", rb_obj_classname(error));
  VALUE backtrace = rb_check_array_type(rb_funcall(error, rb_intern("backtrace"), 0));
  for (long i = 0; !NIL_P(backtrace) && i < RARRAY_LEN(backtrace); i++) {
    rb_str_cat_cstr(message, "\n\t");
    rb_str_append(message, rb_str_to_str(rb_ary_entry(backtrace, i)));
  }
  return message;
}

int iod_error_log(const char *context, size_t context_length, VALUE error) {
  VALUE text = Qnil;
  int length = (int)context_length;
  int state = iod_protect(describe, error, &text);
  if (state == 0) {
    iod_log(IOD_LOG_ERROR, "%.*s: %.*s", length, context, (int)RSTRING_LEN(text), RSTRING_PTR(text));
  } else if (!iod_error_is_kill()) {
    iod_error_take();
    iod_log(IOD_LOG_ERROR, "%.*s: %s, whose message can't be read", length, context, rb_obj_classname(error));
    state = 0;
  }
  RB_GC_GUARD(text);
  return state;
}
