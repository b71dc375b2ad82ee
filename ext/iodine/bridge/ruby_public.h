/* A listener's static files, from the settings that Ruby gives. With the GVL. */
#ifndef IOD_BRIDGE_RUBY_PUBLIC_H
#define IOD_BRIDGE_RUBY_PUBLIC_H

#include "../server/public.h"

#include <ruby.h>

/* settings[:public]: nil, or an Array of folders, absolute; settings[:max_age] in seconds and settings[:no_symlinks] 0
 * or 1. NULL without folders; the caller owns the result. Raises TypeError, ArgumentError, NoMemoryError. */
iod_public_t *iod_ruby_public_new(VALUE settings, VALUE app);

#endif
