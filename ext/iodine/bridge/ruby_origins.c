#include "ruby_origins.h"

#include "../base/alloc.h"
#include "../protocol/origin.h"

static iod_slice_t slice_of(VALUE text) {
  Check_Type(text, T_STRING);
  return (iod_slice_t){RSTRING_PTR(text), (size_t)RSTRING_LEN(text)};
}

/* Server.origin?(string) → true / false */
static VALUE origin_p(VALUE klass, VALUE text) {
  (void)klass;
  return iod_origin_valid(slice_of(text)) ? Qtrue : Qfalse;
}

iod_slice_t *iod_ruby_origins_new(VALUE origins, size_t *count) {
  Check_Type(origins, T_ARRAY);
  size_t bytes = 0;
  *count = (size_t)RARRAY_LEN(origins);
  for (size_t i = 0; i < *count; i++) {
    if (origin_p(Qnil, rb_ary_entry(origins, (long)i)) == Qfalse) rb_raise(rb_eArgError, "an origin is malformed");
    bytes += slice_of(rb_ary_entry(origins, (long)i)).length;
  }
  if (*count == 0) return NULL;
  iod_slice_t *list = iod_alloc(*count * sizeof *list + bytes);
  if (!list) rb_raise(rb_eNoMemError, "no memory for the allowed origins");
  char *at = (char *)(list + *count);
  for (size_t i = 0; i < *count; i++) {
    iod_slice_t origin = slice_of(rb_ary_entry(origins, (long)i));
    memcpy(at, origin.at, origin.length);
    list[i] = (iod_slice_t){at, origin.length};
    at += origin.length;
  }
  return list;
}

void iod_ruby_origins_init(VALUE server_class) { rb_define_singleton_method(server_class, "origin?", origin_p, 1); }
