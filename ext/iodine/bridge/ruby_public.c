#include "ruby_public.h"

enum { MOST = 64 };

static VALUE setting(VALUE settings, const char *name) { return rb_hash_lookup(settings, ID2SYM(rb_intern(name))); }

iod_public_t *iod_ruby_public_new(VALUE settings, VALUE app) {
  const char *folders[MOST];
  VALUE list = setting(settings, "public");
  if (NIL_P(list)) return NULL;
  Check_Type(list, T_ARRAY);
  long count = RARRAY_LEN(list);
  if (count < 1 || count > MOST) rb_raise(rb_eArgError, "%ld folders of files: give 1 to %d", count, MOST);
  unsigned max_age = NUM2UINT(setting(settings, "max_age"));
  bool beneath = NUM2UINT(setting(settings, "no_symlinks")) != 0;
  for (long i = 0; i < count; i++) {
    VALUE folder = rb_ary_entry(list, i);
    folders[i] = StringValueCStr(folder);
  }
  iod_public_t *public = iod_public_new(folders, (uint32_t)count, max_age, beneath, NIL_P(app));
  RB_GC_GUARD(list);
  if (!public) rb_raise(rb_eNoMemError, "no memory for a listener");
  return public;
}
