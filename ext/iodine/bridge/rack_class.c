#include "rack_class.h"

VALUE iod_rack_class(VALUE rack_module, const char *name) {
  VALUE klass = rb_define_class_under(rack_module, name, rb_cObject);
  rb_gc_register_mark_object(klass);
  rb_undef_alloc_func(klass);
  rb_undef_method(CLASS_OF(klass), "new");
  return klass;
}
