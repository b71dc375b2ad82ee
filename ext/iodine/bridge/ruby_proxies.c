#include "ruby_proxies.h"

static bool parse(VALUE text, iod_cidr_t *cidr) {
  return iod_cidr_parse((iod_slice_t){RSTRING_PTR(text), (size_t)RSTRING_LEN(text)}, cidr) == 0;
}

static VALUE network_p(VALUE klass, VALUE text) {
  iod_cidr_t cidr;
  (void)klass;
  Check_Type(text, T_STRING);
  return parse(text, &cidr) ? Qtrue : Qfalse;
}

iod_proxies_t *iod_ruby_proxies_new(VALUE networks) {
  iod_cidr_t cidr;
  Check_Type(networks, T_ARRAY);
  long count = RARRAY_LEN(networks);
  for (long i = 0; i < count; i++)
    if (network_p(Qnil, rb_ary_entry(networks, i)) == Qfalse) rb_raise(rb_eArgError, "a network is malformed");
  if (count == 0) return NULL;
  iod_proxies_t *proxies = iod_proxies_new((uint32_t)count);
  if (!proxies) rb_raise(rb_eNoMemError, "no memory for the trusted proxies");
  for (long i = 0; i < count; i++)
    if (parse(rb_ary_entry(networks, i), &cidr)) proxies->networks[i] = cidr;
  return proxies;
}

void iod_ruby_proxies_init(VALUE server_class) { rb_define_singleton_method(server_class, "network?", network_p, 1); }
