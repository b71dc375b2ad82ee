/* An application thread: takes jobs and runs them in Ruby, drives the reactor when there are none. */
#ifndef IOD_BRIDGE_APP_THREAD_H
#define IOD_BRIDGE_APP_THREAD_H

#include "ruby_server.h"

void iod_app_thread_init(void);

/* Is this thread in the middle of a job? */
bool iod_app_thread_busy(void);

/* Server#serve: until the server halts. Raises only what ends the thread (Thread#kill). */
VALUE iod_app_thread_serve(VALUE self);

#endif
