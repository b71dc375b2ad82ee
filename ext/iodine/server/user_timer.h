/* Timers of the application: each fires once, as a job. */
#ifndef IOD_SERVER_USER_TIMER_H
#define IOD_SERVER_USER_TIMER_H

#include "../base/timers.h"
#include "handler.h"

typedef struct iod_user_timer {
  iod_timer_job_t job; /* first: freed as a job */
  iod_timer_t timer;
  struct iod_user_timer *next;
} iod_user_timer_t;

/* Under the state lock. */
void iod_user_timer_fire(iod_server_t *server, iod_timer_t *timer);
void iod_user_timers_free(iod_server_t *server);

#endif
