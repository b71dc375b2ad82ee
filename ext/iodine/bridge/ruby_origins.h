/* Origins that may open WebSockets, from Ruby Strings. With the GVL. */
#ifndef IOD_BRIDGE_RUBY_ORIGINS_H
#define IOD_BRIDGE_RUBY_ORIGINS_H

#include "../base/slice.h"

#include <ruby.h>

/* For the listener that is added next: one allocation, slices with their bytes behind them; NULL for an empty Array.
 * Raises ArgumentError, TypeError, NoMemoryError. */
iod_slice_t *iod_ruby_origins_new(VALUE origins, size_t *count);

void iod_ruby_origins_init(VALUE server_class);

#endif
