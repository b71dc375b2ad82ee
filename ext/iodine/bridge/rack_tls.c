#include "rack_tls.h"

static ID id_tls, id_peer, id_call;
static VALUE iodine;

static VALUE string_of(iod_slice_t bytes) { return rb_str_new(bytes.at, (long)bytes.length); }

static int add(VALUE key, VALUE value, VALUE env) {
  rb_hash_aset(env, key, value);
  return ST_CONTINUE;
}

/* Ruby keeps what it made of a certificate. */
void iod_rack_tls_env(VALUE env, const iod_tls_info_t *info) {
  if (info->peer.length == 0) return;
  VALUE described = rb_funcall(rb_const_get(iodine, id_tls), id_peer, 1, string_of(info->peer));
  rb_hash_foreach(described, add, env);
}

void iod_rack_tls_announce(VALUE blocks, const iod_tls_info_t *info) {
  if (NIL_P(blocks) || info->protocol.length == 0 || !iod_tls_info_tell(info)) return;
  VALUE block = rb_hash_lookup(blocks, string_of(info->protocol));
  if (!NIL_P(block)) rb_funcall(block, id_call, 0);
}

void iod_rack_tls_init(VALUE iodine_module) {
  iodine = iodine_module;
  id_tls = rb_intern("TLS");
  id_peer = rb_intern("peer");
  id_call = rb_intern("call");
}
