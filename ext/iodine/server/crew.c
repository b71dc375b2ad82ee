#include "crew.h"

#include "../base/clock.h"
#include "../base/heap.h"
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum {
  TICK_MS = 1,
  BUSY_BEAT_MS = 1000,    /* between two signs of life while jobs are run, where somebody watches for them */
  QUIET_TICKS = 100,      /* without traffic, before the stand-in sleeps until there is some */
  JOBS_A_TURN = 32,       /* jobs of a busy thread before it looks at the sockets again */
  UNCORKED_QUICKLY = 64,  /* streams whose gathered output is written with the GVL held … */
  UNCORKED_AT_ONCE = 256, /* … or before others get their turn */
  LOG_TICKS = 8,          /* lines of the access log are gathered for so long while there is traffic … */
  LOG_BATCH = 64 * 1024,  /* … or until there are so many bytes of them */
  TRIMMED_AFTER = 4096,   /* jobs since the heap was trimmed the last time */
  BUSY_APP = 8,           /* jobs taken in one turn of the stand-in: the application is fast and can drive itself */
};

/* ---- threads ---- */

void iod_crew_thread_init(iod_server_t *server, iod_crew_thread_t *thread) {
  *thread = (iod_crew_thread_t){0};
  pthread_cond_init(&thread->wake, NULL);
  atomic_fetch_add(&server->crew.slot->threads, 1);
}

static void wake_stand_in(iod_crew_t *crew) {
  pthread_mutex_lock(&crew->lock);
  atomic_store(&crew->asleep, false);
  pthread_cond_signal(&crew->stand_in_wake);
  pthread_mutex_unlock(&crew->lock);
}

void iod_crew_thread_deinit(iod_server_t *server, iod_crew_thread_t *thread) {
  atomic_fetch_sub(&server->crew.slot->threads, 1);
  pthread_cond_destroy(&thread->wake);
  /* It may have been the driver: somebody else has to look. */
  wake_stand_in(&server->crew);
}

/* One look at the clock for each job: the end of one is the begin of the next. */
static void count_time(iod_server_t *server, iod_crew_thread_t *thread, uint64_t now) {
  iod_counters_t *counters = &server->stats->counters;
  if (thread->busy_us)
    iod_count_add_shared(&counters->busy_us, now - thread->busy_us);
  else if (thread->ready_us)
    iod_count_add_shared(&counters->resume_us, now - thread->ready_us);
}

static void clock_in(iod_server_t *server, iod_crew_thread_t *thread, iod_job_t *job) {
  uint64_t now = iod_clock_us();
  count_time(server, thread, now);
  thread->busy_us = now;
  thread->ready_us = 0;
  if (job->kind != IOD_JOB_REQUEST) return;
  atomic_store_explicit(&((iod_request_t *)job)->taken_us, now, memory_order_relaxed);
  iod_count_set(&server->stats->taken_at, now);
}

static void clock_out(iod_server_t *server, iod_crew_thread_t *thread) {
  if (thread->busy_us) count_time(server, thread, iod_clock_us());
  thread->busy_us = thread->ready_us = 0;
}

iod_job_t *iod_crew_take(iod_server_t *server, iod_crew_thread_t *thread) {
  iod_job_t *job = iod_jobs_take(&server->jobs);
  if (!job) {
    clock_out(server, thread);
    return NULL;
  }
  clock_in(server, thread, job);
  atomic_fetch_add(&server->crew.slot->running, 1);
  if (atomic_load(&server->crew.asleep)) wake_stand_in(&server->crew);
  return job;
}

void iod_crew_done(iod_server_t *server) { atomic_fetch_sub(&server->crew.slot->running, 1); }

bool iod_crew_wants_turn(iod_server_t *server, unsigned count) {
  return count >= JOBS_A_TURN || atomic_load_explicit(&server->crew.turn_wanted, memory_order_relaxed);
}

/* ---- waiting and waking ---- */

static void remove_waiter(iod_crew_t *crew, iod_crew_thread_t *thread) {
  iod_crew_thread_t **link = &crew->waiters;
  while (*link != thread) link = &(*link)->next;
  *link = thread->next;
  thread->waiting = false;
  atomic_fetch_sub(&crew->waiting, 1);
}

static bool must_return(iod_server_t *server, iod_crew_thread_t *thread) {
  return atomic_load(&thread->interrupted) || atomic_load(&server->crew.halted) ||
         atomic_load(&server->jobs.waiting) > 0;
}

static void wait_for_job(iod_server_t *server, iod_crew_thread_t *thread) {
  iod_crew_t *crew = &server->crew;
  pthread_mutex_lock(&crew->lock);
  /* Said first, looked again second: who queues a job in between sees the waiter, or the waiter the job. */
  thread->next = crew->waiters;
  thread->waiting = true;
  crew->waiters = thread;
  atomic_fetch_add(&crew->waiting, 1);
  bool wait = !must_return(server, thread) && atomic_load(&server->loop.polling);
  while (wait && thread->waiting && !atomic_load(&thread->interrupted) && !atomic_load(&crew->halted))
    pthread_cond_wait(&thread->wake, &crew->lock);
  if (thread->waiting) remove_waiter(crew, thread);
  pthread_mutex_unlock(&crew->lock);
}

static bool wake_waiter(iod_crew_t *crew) {
  if (atomic_load(&crew->waiting) == 0) return false;
  pthread_mutex_lock(&crew->lock);
  iod_crew_thread_t *thread = crew->waiters;
  if (thread) {
    remove_waiter(crew, thread);
    pthread_cond_signal(&thread->wake);
  }
  pthread_mutex_unlock(&crew->lock);
  return thread != NULL;
}

void iod_crew_wake_one(iod_server_t *server) {
  if (!wake_waiter(&server->crew) && atomic_load(&server->crew.driver_blocks)) iod_loop_interrupt(&server->loop);
}

void iod_crew_offer(iod_server_t *server) {
  bool gathered = atomic_load(&server->loop.corked_since);
  bool work = atomic_load(&server->jobs.waiting) > 0 || gathered;
  if (work && atomic_load(&server->crew.asleep)) wake_stand_in(&server->crew);
  if (!atomic_load(&server->crew.slot->stand_in_drives)) return;
  /* It sleeps in the poll, and nobody else looks at what a long job gathers. */
  if (gathered && atomic_load(&server->loop.sleeping)) iod_loop_interrupt(&server->loop);
  for (size_t jobs = atomic_load(&server->jobs.waiting); jobs > 0 && wake_waiter(&server->crew); jobs--) {}
}

void iod_crew_interrupt(iod_server_t *server, iod_crew_thread_t *thread) {
  iod_crew_t *crew = &server->crew;
  atomic_store(&thread->interrupted, true);
  pthread_mutex_lock(&crew->lock);
  pthread_cond_signal(&thread->wake);
  pthread_mutex_unlock(&crew->lock);
  iod_loop_interrupt(&server->loop); /* it may be the driver */
}

void iod_crew_halt(iod_server_t *server) {
  iod_crew_t *crew = &server->crew;
  atomic_store(&crew->halted, true);
  pthread_mutex_lock(&crew->lock);
  for (iod_crew_thread_t *t = crew->waiters; t; t = t->next) pthread_cond_signal(&t->wake);
  pthread_cond_signal(&crew->stand_in_wake);
  pthread_mutex_unlock(&crew->lock);
  iod_loop_interrupt(&server->loop);
}

/* ---- driving ---- */

/* What was gathered is written as soon as there is nothing else to do, or has waited for a tick. */
static bool uncork_due(iod_server_t *server) {
  uint64_t since = atomic_load_explicit(&server->loop.corked_since, memory_order_relaxed);
  return since != 0 && (atomic_load(&server->jobs.waiting) == 0 || iod_clock_ms() > since);
}

bool iod_crew_quick_turn(iod_server_t *server) {
  iod_crew_t *crew = &server->crew;
  /* Another thread in the middle of a job may want the GVL, which our caller holds. */
  bool idle = atomic_load(&crew->quiet) && !atomic_load(&crew->turn_wanted);
  if (idle || atomic_load(&crew->slot->running) > 0 || !iod_loop_claim(&server->loop)) return false;
  atomic_store_explicit(&crew->turn_wanted, false, memory_order_relaxed);
  int n = iod_loop_poll(&server->loop, 0);
  bool work = n > 0 || uncork_due(server);
  if (work && iod_server_trylock(server)) {
    iod_loop_turn(&server->loop);
    bool all = !uncork_due(server) || iod_loop_uncork(&server->loop, UNCORKED_QUICKLY);
    iod_server_unlock(server);
    if (!all) n = 0; /* the rest without the GVL */
  }
  atomic_store(&crew->quiet, n <= 1);
  iod_loop_yield(&server->loop);
  return atomic_load(&server->jobs.waiting) > 0;
}

/* A thread that finds another one writing leaves its lines to that one, which looks again. */
static void write_log(iod_server_t *server) {
  for (bool all = true; all && atomic_load(&server->log.waiting);) {
    iod_server_lock(server);
    bool taken = iod_access_log_take(&server->log);
    iod_server_unlock(server);
    all = taken && iod_access_log_write(&server->log);
  }
}

/* The stand-in's share: few large writes, since each asks for the lock that the busy thread holds. */
static void write_gathered_log(iod_server_t *server, unsigned tick) {
  if (tick % LOG_TICKS == 0 || atomic_load(&server->log.waiting) >= LOG_BATCH) write_log(server);
}

/* Writes some of what was gathered, not all: in between others get their turn. False: there is more. */
static bool uncork(iod_server_t *server) {
  if (!atomic_load(&server->loop.corked_since)) return true;
  iod_server_lock(server);
  bool all = iod_loop_uncork(&server->loop, UNCORKED_AT_ONCE);
  iod_server_unlock(server);
  return all;
}

/* Whoever is about to wait does first what was put off while it was busy: the driver, blocked in the poll, may not know
 * of it. False: there is more to do. */
static bool catch_up(iod_server_t *server) {
  bool all = uncork(server);
  write_log(server);
  return all;
}

/* One turn, which blocks until there is something to do, at most so long (ms, -1: any). A thread that runs jobs doesn't
 * block while some wait. */
static void turn(iod_server_t *server, bool runs_jobs, int most) {
  bool idle = catch_up(server);
  bool block = idle && (!runs_jobs || atomic_load(&server->jobs.waiting) == 0);
  int n = iod_loop_poll(&server->loop, block ? most : 0);
  if (n < 0) return;
  atomic_store(&server->crew.quiet, n <= 1);
  iod_server_lock(server);
  iod_loop_turn(&server->loop);
  iod_server_unlock(server);
}

void iod_crew_idle(iod_server_t *server, iod_crew_thread_t *thread) {
  iod_crew_t *crew = &server->crew;
  while (!must_return(server, thread)) {
    if (!iod_loop_claim(&server->loop)) {
      if (catch_up(server)) wait_for_job(server, thread);
      continue;
    }
    atomic_store(&crew->driver_blocks, true);
    while (!must_return(server, thread)) turn(server, true, -1);
    atomic_store(&crew->driver_blocks, false);
    iod_loop_yield(&server->loop);
    /* Who leaves without a job to run leaves the poll to another. */
    if (atomic_load(&server->jobs.waiting) == 0) wake_waiter(crew);
  }
  atomic_store(&thread->interrupted, false);
  thread->ready_us = iod_clock_us();
}

/* ---- the stand-in ---- */

/* Who watches the worker hears of it at least so often. */
static int driving_ms(const iod_server_t *server) {
  if (!server->beat) return -1;
  return server->beat < BUSY_BEAT_MS ? (int)server->beat : BUSY_BEAT_MS;
}

static void drive(iod_server_t *server) {
  atomic_store(&server->crew.slot->stand_in_drives, true);
  iod_crew_offer(server); /* what came up before that could be seen */
  while (!atomic_load(&server->crew.halted)) {
    uint64_t taken = atomic_load(&server->jobs.taken);
    turn(server, false, driving_ms(server));
    iod_pulse_look(server);
    if (atomic_load(&server->crew.slot->running) == 0 || atomic_load(&server->jobs.taken) - taken >= BUSY_APP) break;
  }
  atomic_store(&server->crew.slot->stand_in_drives, false);
  iod_loop_yield(&server->loop);
}

#ifdef __APPLE__ /* conditions know no monotonic clock there, but waits of a length */
static void condition_init(pthread_cond_t *condition) { pthread_cond_init(condition, NULL); }

/* False: the time has passed. */
static bool wait_for(pthread_cond_t *condition, pthread_mutex_t *lock, uint32_t ms) {
  struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  return pthread_cond_timedwait_relative_np(condition, lock, &length) != ETIMEDOUT;
}
#else
static void condition_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

/* False: the time has passed. */
static bool wait_for(pthread_cond_t *condition, pthread_mutex_t *lock, uint32_t ms) {
  uint64_t due = iod_clock_ms() + ms;
  struct timespec time = {.tv_sec = (time_t)(due / 1000), .tv_nsec = (long)(due % 1000) * 1000000};
  return pthread_cond_timedwait(condition, lock, &time) != ETIMEDOUT;
}
#endif

/* Until there is something to do, or to say. */
static void sleep_until_woken(iod_server_t *server) {
  iod_crew_t *crew = &server->crew;
  atomic_store(&crew->asleep, true);
  while (atomic_load(&crew->asleep) && !atomic_load(&crew->halted) && atomic_load(&crew->slot->running) == 0 &&
         atomic_load(&server->jobs.waiting) == 0 && !atomic_load(&server->loop.corked_since)) {
    if (!server->beat)
      pthread_cond_wait(&crew->stand_in_wake, &crew->lock);
    else if (!wait_for(&crew->stand_in_wake, &crew->lock, server->beat))
      break;
  }
  atomic_store(&crew->asleep, false);
}

/* Sleeps for a tick, or until a job is taken. */
static void nap(iod_server_t *server, bool quiet) {
  iod_crew_t *crew = &server->crew;
  if (!quiet) {
    nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000}, NULL);
    return;
  }
  pthread_mutex_lock(&crew->lock);
  sleep_until_woken(server);
  pthread_mutex_unlock(&crew->lock);
}

/* Nobody ran a turn for a tick. A thread that ends jobs within a tick does so when asked: no hand-over. */
static void step_in(iod_server_t *server, bool jobs_are_short) {
  if (jobs_are_short && !atomic_exchange(&server->crew.turn_wanted, true)) return;
  atomic_store(&server->crew.turn_wanted, false);
  if (iod_loop_claim(&server->loop)) drive(server);
}

/* Traffic has ended, and left behind what it needed. */
static void give_back(iod_server_t *server) {
  uint64_t taken = atomic_load(&server->jobs.taken);
  if (taken - server->crew.taken_at_trim < TRIMMED_AFTER) return;
  server->crew.taken_at_trim = taken;
  iod_heap_trim();
}

/* Who gathers it is in the middle of a long job, or isn't of the crew. */
static bool gathered_too_long(iod_server_t *server) {
  uint64_t since = atomic_load(&server->loop.corked_since);
  return since != 0 && iod_clock_ms() > since + TICK_MS;
}

static void *stand_in(void *argument) {
  iod_server_t *server = argument;
  iod_crew_t *crew = &server->crew;
  uint64_t turns = 0, taken = 0;
  int quiet = 0;
  for (unsigned tick = 0; !atomic_load(&crew->halted); tick++) {
    if (quiet == QUIET_TICKS) give_back(server);
    nap(server, quiet > QUIET_TICKS);
    uint64_t turns_now = atomic_load(&server->loop.turns), taken_now = atomic_load(&server->jobs.taken);
    bool blocked = atomic_load(&crew->driver_blocks);
    bool jobs_wait = atomic_load(&server->jobs.waiting) > 0;
    bool idle = blocked && !jobs_wait && atomic_load(&crew->slot->running) == 0;
    quiet = idle && turns_now == turns ? quiet + 1 : 0;
    if (jobs_wait && taken_now == taken) iod_crew_wake_one(server);
    write_gathered_log(server, tick);
    if (gathered_too_long(server)) (void)uncork(server);
    iod_pulse_look(server);
    if (turns_now == turns && !blocked) step_in(server, taken_now != taken);
    turns = atomic_load(&server->loop.turns);
    taken = taken_now;
  }
  return NULL;
}

/* ---- life ---- */

int iod_crew_start(iod_server_t *server) {
  iod_crew_t *crew = &server->crew;
  iod_heap_keep();
  *crew = (iod_crew_t){.slot = &server->shared.slots[server->index]};
  pthread_mutex_init(&crew->lock, NULL);
  condition_init(&crew->stand_in_wake);
  sigset_t all, before; /* signals are for the application's threads */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  errno = pthread_create(&crew->stand_in, NULL, stand_in, server);
  crew->has_stand_in = errno == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return crew->has_stand_in ? 0 : IOD_E_SYSTEM;
}

void iod_crew_stop(iod_server_t *server) {
  iod_crew_t *crew = &server->crew;
  iod_crew_halt(server);
  if (crew->has_stand_in) pthread_join(crew->stand_in, NULL);
  crew->has_stand_in = false;
  pthread_cond_destroy(&crew->stand_in_wake);
  pthread_mutex_destroy(&crew->lock);
}
