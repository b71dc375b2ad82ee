#include "ruby_tls.h"

#include "../base/alloc.h"

#include <stdio.h>

static VALUE tls_class;

static void release(void *tls) { iod_tls_unref(tls); }

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Server::TLS",
    .function = {.dfree = release},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE allocate(VALUE klass) { return TypedData_Wrap_Struct(klass, &type, NULL); }

iod_tls_t *iod_ruby_tls_of(VALUE object) {
  if (NIL_P(object)) return NULL;
  iod_tls_t *tls = rb_check_typeddata(object, &type);
  if (!tls) rb_raise(rb_eRuntimeError, "this Iodine::Server::TLS was not initialized");
  return tls;
}

/* ---- arguments ---- */

/* What Ruby may do with them comes first: `kept` gets frozen, terminated copies, FIELDS for each certificate, then the
 * rest. From then on nothing here calls Ruby, so that no collector moves them while C reads. */
enum { NAME, CHAIN, KEY, PASSWORD, CHAIN_LABEL, KEY_LABEL, FIELDS };

static void keep(VALUE kept, VALUE string) {
  if (!NIL_P(string)) {
    string = rb_str_new_frozen(StringValue(string));
    (void)StringValueCStr(string);
  }
  rb_ary_push(kept, string);
}

static void keep_pem(VALUE kept, VALUE string) {
  rb_ary_push(kept, NIL_P(string) ? Qnil : rb_str_new_frozen(StringValue(string)));
}

static void keep_certificate(VALUE kept, VALUE entry) {
  Check_Type(entry, T_ARRAY);
  VALUE fields[FIELDS];
  for (int i = 0; i < FIELDS; i++) fields[i] = rb_ary_entry(entry, i);
  if (NIL_P(fields[KEY_LABEL])) fields[KEY_LABEL] = fields[CHAIN_LABEL];
  for (int i = 0; i < FIELDS; i++) (i == CHAIN || i == KEY ? keep_pem : keep)(kept, fields[i]);
}

static iod_slice_t slice_at(VALUE kept, long i) {
  VALUE string = RARRAY_AREF(kept, i);
  return NIL_P(string) ? (iod_slice_t){0} : (iod_slice_t){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)};
}

static const char *text_at(VALUE kept, long i) { return slice_at(kept, i).at; }

typedef iod_tls_t *(*maker_t)(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]);

static iod_tls_t *make(maker_t maker, VALUE kept, long certificates, long protocols,
                       char sentence[IOD_TLS_SENTENCE_ROOM]) {
  iod_tls_certificate_t *list = iod_alloc((size_t)certificates * sizeof *list);
  const char **names = iod_alloc((size_t)protocols * sizeof *names);
  iod_tls_t *tls = NULL;
  snprintf(sentence, IOD_TLS_SENTENCE_ROOM, "no memory for TLS");
  if ((list || !certificates) && (names || !protocols)) {
    long at = 0;
    for (long i = 0; i < certificates; i++, at += FIELDS)
      list[i] = (iod_tls_certificate_t){.server_name = text_at(kept, at + NAME),
                                        .chain = slice_at(kept, at + CHAIN),
                                        .key = slice_at(kept, at + KEY),
                                        .password = text_at(kept, at + PASSWORD),
                                        .chain_label = text_at(kept, at + CHAIN_LABEL),
                                        .key_label = text_at(kept, at + KEY_LABEL)};
    for (long i = 0; i < protocols; i++) names[i] = text_at(kept, at + 2 + i);
    tls = maker(&(iod_tls_options_t){.certificates = list,
                                     .certificate_count = (size_t)certificates,
                                     .trust = slice_at(kept, at),
                                     .trust_label = text_at(kept, at + 1),
                                     .protocols = names,
                                     .protocol_count = (size_t)protocols},
                sentence);
  }
  iod_free(list);
  iod_free(names);
  return tls;
}

static VALUE initialize_by(maker_t maker, int argc, VALUE *argv, VALUE self) {
  VALUE certificates, trust, protocols, trust_label, kept = rb_ary_new();
  char sentence[IOD_TLS_SENTENCE_ROOM];
  rb_scan_args(argc, argv, "13", &certificates, &trust, &protocols, &trust_label);
  if (rb_check_typeddata(self, &type)) rb_raise(rb_eRuntimeError, "this Iodine::Server::TLS is initialized already");
  if (NIL_P(protocols)) protocols = rb_ary_new_from_args(1, rb_str_new_cstr("http/1.1"));
  Check_Type(certificates, T_ARRAY);
  Check_Type(protocols, T_ARRAY);
  long count = RARRAY_LEN(certificates), names = RARRAY_LEN(protocols);
  for (long i = 0; i < count; i++) keep_certificate(kept, rb_ary_entry(certificates, i));
  keep_pem(kept, trust);
  keep(kept, trust_label);
  for (long i = 0; i < names; i++) keep(kept, rb_ary_entry(protocols, i));
  iod_tls_t *tls = make(maker, kept, count, names, sentence);
  RB_GC_GUARD(kept);
  if (!tls) rb_raise(rb_eRuntimeError, "%s", sentence);
  RTYPEDDATA_DATA(self) = tls;
  return self;
}

static VALUE initialize(int argc, VALUE *argv, VALUE self) { return initialize_by(iod_tls_new, argc, argv, self); }

static VALUE new_client(int argc, VALUE *argv, VALUE klass) {
  return initialize_by(iod_tls_client_new, argc, argv, allocate(klass));
}

void iod_ruby_tls_init(VALUE server_class) {
  rb_gc_register_mark_object(tls_class = rb_define_class_under(server_class, "TLS", rb_cObject));
  rb_define_alloc_func(tls_class, allocate);
  rb_define_method(tls_class, "initialize", initialize, -1);
  rb_define_singleton_method(tls_class, "client", new_client, -1);
  rb_define_const(tls_class, "SUPPORTED", iod_tls_supported ? Qtrue : Qfalse);
  rb_define_const(tls_class, "LIBRARY", rb_obj_freeze(rb_str_new_cstr(iod_tls_library())));
}
