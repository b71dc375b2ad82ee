/* Classes whose objects only the bridge makes. With the GVL. */
#ifndef IOD_BRIDGE_RACK_CLASS_H
#define IOD_BRIDGE_RACK_CLASS_H

#include <ruby.h>

/* A class without `new` and `allocate`, kept for ever. */
VALUE iod_rack_class(VALUE rack_module, const char *name);

#endif
