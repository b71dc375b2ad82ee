/* The queue down to the application: first in, first out, but for requests whose client has hung up. Any thread; its
 * lock is a leaf. */
#ifndef IOD_SERVER_JOBS_H
#define IOD_SERVER_JOBS_H

#include "handler.h"
#include "stats.h"

#include <pthread.h>

typedef struct iod_job_lane {
  iod_job_t *first, *last;
} iod_job_lane_t;

typedef struct iod_jobs {
  pthread_mutex_t lock;
  iod_job_lane_t lane, behind; /* behind: clients that sent FIN; most will never read the answer */
  unsigned turn;
  _Atomic size_t waiting;
  _Atomic size_t requests; /* that wait in the lane */
  _Atomic uint64_t taken;  /* counts them */
  iod_stats_t *stats;      /* where those that wait are told, or NULL */
} iod_jobs_t;

void iod_jobs_init(iod_jobs_t *jobs);
void iod_jobs_deinit(iod_jobs_t *jobs, void (*released)(iod_release_job_t *)); /* drops what is left */

/* first: before all others, for the next of a row of pipelined requests. */
void iod_jobs_push(iod_jobs_t *jobs, iod_job_t *job, bool first);

/* A client sent FIN: its request comes behind, if nobody has taken it yet. */
void iod_jobs_put_behind(iod_jobs_t *jobs, iod_job_t *job);

/* Takes a job out that nobody has taken yet: true, and the caller has the application's reference. */
bool iod_jobs_remove(iod_jobs_t *jobs, iod_job_t *job);

/* The next job, or NULL. Requests whose client is gone are dropped; those whose client sent FIN come after the others,
 * but one in 64. */
iod_job_t *iod_jobs_take(iod_jobs_t *jobs);

#endif
