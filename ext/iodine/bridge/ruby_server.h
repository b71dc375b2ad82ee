/* Iodine::Server: listeners, and once opened a reactor with its application threads. Private to the gem;
 * docs/architecture.md lists its methods. */
#ifndef IOD_BRIDGE_RUBY_SERVER_H
#define IOD_BRIDGE_RUBY_SERVER_H

#include "../server/server.h"

#include <ruby.h>

typedef struct ruby_server {
  iod_server_t *server;
  VALUE listeners; /* what iod_rack_listener_new made, kept alive */
  VALUE timers;    /* id => [block, ms, times left or 0] */
  VALUE calls;     /* blocks to run, first in, first out */
  VALUE idle;      /* blocks to run when there is nothing to do */
  VALUE blocks;    /* of subscriptions of the process … */
  VALUE watchers;  /* … and who watches for them, by id */
  uint64_t last_timer;
} ruby_server_t;

void iod_ruby_server_init(VALUE iodine_module);
ruby_server_t *iod_ruby_server_of(VALUE self);

/* A timer fired: runs its block and sets it again. Called by application threads, with the GVL; may raise. */
void iod_ruby_server_timer(ruby_server_t *rs, uint64_t id);

#endif
