/* From header names to env keys. With the GVL. */
#ifndef IOD_BRIDGE_RACK_NAMES_H
#define IOD_BRIDGE_RACK_NAMES_H

#include "../base/slice.h"

#include <ruby.h>

/* A key as Ruby code would write it: an interned UTF-8 String, kept for ever. */
VALUE iod_rack_key(const char *name);

void iod_rack_names_init(void);

/* "HTTP_ACCEPT" for "Accept". *index: which of the common ones (below IOD_RACK_COMMON_MAX), or -1. */
enum { IOD_RACK_COMMON_MAX = 64 };
VALUE iod_rack_key_of(iod_slice_t name, int *index);

#endif
