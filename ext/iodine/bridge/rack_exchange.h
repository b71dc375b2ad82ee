/* One request under way: the writer of its response and the Ruby objects that belong to it. Lives on the stack of the
 * thread that serves the request, where Ruby's GC finds the objects; `object` (class Iodine::Rack::Exchange) points at
 * it and is env's rack.hijack and rack.early_hints. With the GVL. */
#ifndef IOD_BRIDGE_RACK_EXCHANGE_H
#define IOD_BRIDGE_RACK_EXCHANGE_H

#include "rack_writer.h"

#include <ruby.h>

typedef struct iod_rack_exchange {
  iod_rack_writer_t writer;
  VALUE object;
  VALUE env, input;
  VALUE status, headers, body; /* what the application returned; nil before, and once the body is closed */
  VALUE stream;                /* where the writer went, or nil */
  VALUE io;                    /* where the socket went, or nil */
  VALUE thread;                /* the one that serves */
  bool upgraded;               /* the connection goes on as something else */
} iod_rack_exchange_t;

void iod_rack_exchange_init(VALUE rack_module);

/* The object of an exchange; and its end: who still calls it is told so. */
VALUE iod_rack_exchange_object(iod_rack_exchange_t *exchange);
void iod_rack_exchange_over(VALUE object);
VALUE iod_rack_exchange_none(void); /* one that is over, for all who keep one */

/* The exchange of an object. Raises IOError when it is over. */
iod_rack_exchange_t *iod_rack_exchange_of(VALUE object);

/* The connection's socket as a TCPSocket or UNIXSocket; from here on it is the application's. Raises IOError when the
 * client is gone. */
VALUE iod_rack_exchange_hijack(VALUE object);

#endif
