#include "jobs.h"

#include "../base/alloc.h"
#include "connection.h"
#include "watcher.h"

enum { BEHIND_SHARE = 64 };

void iod_jobs_init(iod_jobs_t *jobs) {
  *jobs = (iod_jobs_t){0};
  pthread_mutex_init(&jobs->lock, NULL);
}

static void lane_insert(iod_job_lane_t *lane, iod_job_t *job, bool first) {
  job->previous = first ? NULL : lane->last;
  job->next = first ? lane->first : NULL;
  *(job->previous ? &job->previous->next : &lane->first) = job;
  *(job->next ? &job->next->previous : &lane->last) = job;
}

static void lane_remove(iod_job_lane_t *lane, iod_job_t *job) {
  *(job->previous ? &job->previous->next : &lane->first) = job->next;
  *(job->next ? &job->next->previous : &lane->last) = job->previous;
}

static iod_job_lane_t *lane_of(iod_jobs_t *jobs, const iod_job_t *job) {
  return job->behind ? &jobs->behind : &jobs->lane;
}

/* Written under the lock only. */
static void count_requests(iod_jobs_t *jobs, const iod_job_t *job, size_t n) {
  if (job->kind != IOD_JOB_REQUEST || job->behind) return;
  size_t requests = atomic_load_explicit(&jobs->requests, memory_order_relaxed);
  atomic_store_explicit(&jobs->requests, requests + n, memory_order_relaxed);
}

/* Likewise. */
static void tell_waiting(const iod_jobs_t *jobs, const iod_job_t *job, uint64_t n) {
  if (jobs->stats && job->kind == IOD_JOB_REQUEST) iod_count_add(&jobs->stats->waiting, n);
}

/* Under the lock. */
static void take_out(iod_jobs_t *jobs, iod_job_t *job) {
  lane_remove(lane_of(jobs, job), job);
  count_requests(jobs, job, SIZE_MAX); /* one less */
  tell_waiting(jobs, job, UINT64_MAX);
  job->queued = false;
  atomic_fetch_sub(&jobs->waiting, 1);
}

void iod_jobs_push(iod_jobs_t *jobs, iod_job_t *job, bool first) {
  pthread_mutex_lock(&jobs->lock);
  job->behind = job->kind == IOD_JOB_REQUEST && atomic_load(&((iod_request_t *)job)->gone) == IOD_GONE_HALF;
  job->queued = true;
  lane_insert(lane_of(jobs, job), job, first);
  count_requests(jobs, job, 1);
  tell_waiting(jobs, job, 1);
  atomic_fetch_add(&jobs->waiting, 1);
  pthread_mutex_unlock(&jobs->lock);
}

void iod_jobs_put_behind(iod_jobs_t *jobs, iod_job_t *job) {
  pthread_mutex_lock(&jobs->lock);
  if (job->queued && !job->behind) {
    lane_remove(&jobs->lane, job);
    count_requests(jobs, job, SIZE_MAX);
    job->behind = true;
    lane_insert(&jobs->behind, job, false);
  }
  pthread_mutex_unlock(&jobs->lock);
}

bool iod_jobs_remove(iod_jobs_t *jobs, iod_job_t *job) {
  pthread_mutex_lock(&jobs->lock);
  bool queued = job->queued;
  if (queued) take_out(jobs, job);
  pthread_mutex_unlock(&jobs->lock);
  return queued;
}

static iod_job_t *pop(iod_jobs_t *jobs) {
  pthread_mutex_lock(&jobs->lock);
  bool behind = jobs->behind.first && (!jobs->lane.first || ++jobs->turn % BEHIND_SHARE == 0);
  iod_job_t *job = behind ? jobs->behind.first : jobs->lane.first;
  if (job) take_out(jobs, job);
  pthread_mutex_unlock(&jobs->lock);
  return job;
}

iod_job_t *iod_jobs_take(iod_jobs_t *jobs) {
  while (atomic_load(&jobs->waiting) > 0) {
    iod_job_t *job = pop(jobs);
    if (!job) break;
    if (job->kind == IOD_JOB_REQUEST && atomic_load(&((iod_request_t *)job)->gone) == IOD_GONE) {
      iod_request_unref((iod_request_t *)job); /* gone between the two */
      continue;
    }
    atomic_fetch_add_explicit(&jobs->taken, 1, memory_order_relaxed);
    return job;
  }
  return NULL;
}

void iod_jobs_deinit(iod_jobs_t *jobs, void (*released)(iod_release_job_t *)) {
  for (iod_job_t *job; (job = pop(jobs));) {
    if (job->kind == IOD_JOB_REQUEST)
      iod_request_unref((iod_request_t *)job);
    else if (job->kind == IOD_JOB_RELEASE)
      released((iod_release_job_t *)job);
    else if (job->kind == IOD_JOB_CONNECTION)
      iod_connection_abandon((iod_connection_t *)job);
    else if (job->kind == IOD_JOB_WATCHER)
      iod_watcher_abandon((iod_watcher_t *)job);
    else if (job->kind != IOD_JOB_NOTICES) /* that is the server's own */
      iod_free(job);
  }
  pthread_mutex_destroy(&jobs->lock);
}
