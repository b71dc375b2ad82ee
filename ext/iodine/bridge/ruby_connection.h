/* Iodine::Connection: what callbacks get of a connection. With the GVL.
 *
 * An object lives while the server has its connection open or has something to tell of it: until then a registry marks
 * it, after that it is the application's alone. */
#ifndef IOD_BRIDGE_RUBY_CONNECTION_H
#define IOD_BRIDGE_RUBY_CONNECTION_H

#include "../server/connection.h"

#include <ruby.h>

typedef struct iod_ruby_connection {
  VALUE self;    /* where the object is */
  VALUE handler; /* the callbacks object, or nil */
  VALUE env;     /* of the request it began with, or nil */
  iod_connection_t *connection;
  struct iod_ruby_connection *next, **link; /* in the registry; link NULL: not in it */
} iod_ruby_connection_t;

/* What few connections need is in instance variables that Ruby code can't see; nil until then. */
extern ID iod_ruby_connection_calls;  /* for each IOD_TELL_CALL a block, or an Array with a new handler */
extern ID iod_ruby_connection_blocks; /* of its subscriptions: by their ids */

void iod_ruby_connection_init(VALUE iodine_module);

/* A connection that is about to be opened, with its object: both references are the server's to give back. May raise
 * NoMemoryError. */
iod_connection_t *iod_ruby_connection_new(iod_server_t *server, iod_connection_kind_t kind, VALUE env, VALUE handler);

/* The object of a connection that the server has opened. May raise NoMemoryError. */
VALUE iod_ruby_connection_wrap(iod_connection_t *connection);

iod_ruby_connection_t *iod_ruby_connection_get(VALUE self);

/* No more will be told of it. */
void iod_ruby_connection_forget(iod_ruby_connection_t *rc);

#endif
