#include "ruby_url.h"

#include "../protocol/url.h"

#include <ruby/encoding.h>

/* A new String in that encoding, as URI.decode_www_form_component makes it; nil where that would raise. */
static VALUE url_decode(VALUE klass, VALUE text, VALUE encoding) {
  (void)klass;
  StringValue(text);
  rb_encoding *into = rb_to_encoding(encoding);
  VALUE result = rb_str_buf_new(RSTRING_LEN(text));
  iod_slice_t slice = {.at = RSTRING_PTR(text), .length = (size_t)RSTRING_LEN(text)};
  long length = iod_url_decode_form(RSTRING_PTR(result), slice);
  if (length < 0) return Qnil;
  rb_str_set_len(result, length);
  rb_enc_associate(result, into);
  RB_GC_GUARD(text);
  return result;
}

void iod_ruby_url_init(VALUE server_class) { rb_define_singleton_method(server_class, "url_decode", url_decode, 2); }
