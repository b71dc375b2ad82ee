/* Networks of trusted proxies, from Ruby Strings. With the GVL. */
#ifndef IOD_BRIDGE_RUBY_PROXIES_H
#define IOD_BRIDGE_RUBY_PROXIES_H

#include "../server/proxies.h"

#include <ruby.h>

/* For the listener that is added next; NULL for an empty Array. Raises ArgumentError, TypeError, NoMemoryError. */
iod_proxies_t *iod_ruby_proxies_new(VALUE networks);

void iod_ruby_proxies_init(VALUE server_class);

#endif
