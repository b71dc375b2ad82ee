#include "user_timer.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "server.h"

#include <stddef.h>

typedef struct cancel_command {
  iod_command_t command; /* first */
  uint64_t id;
} cancel_command_t;

typedef struct add_command {
  iod_command_t command; /* first */
  iod_user_timer_t *timer;
} add_command_t;

static void unlink_timer(iod_server_t *server, iod_user_timer_t *t) {
  iod_user_timer_t **link = &server->timers;
  while (*link != t) link = &(*link)->next;
  *link = t->next;
}

static void add(iod_server_t *server, iod_user_timer_t *t) {
  t->next = server->timers;
  server->timers = t;
  uint64_t due = t->timer.due;
  t->timer.due = 0;
  if (iod_timers_set(&server->loop.timers, &t->timer, due))
    iod_user_timer_fire(server, &t->timer); /* early beats never */
}

static void apply_add(iod_server_t *server, iod_command_t *command) {
  add(server, ((add_command_t *)command)->timer);
  iod_free(command);
}

static void cancel(iod_server_t *server, uint64_t id) {
  for (iod_user_timer_t *t = server->timers; t; t = t->next) {
    if (t->job.id != id) continue;
    iod_timers_remove(&server->loop.timers, &t->timer);
    unlink_timer(server, t);
    iod_free(t);
    return;
  }
}

static void apply_cancel(iod_server_t *server, iod_command_t *command) {
  cancel(server, ((cancel_command_t *)command)->id);
  iod_free(command);
}

int iod_server_timer_add(iod_server_t *server, uint64_t id, uint64_t ms) {
  iod_user_timer_t *t = iod_alloc_zero(sizeof *t);
  add_command_t *command = iod_alloc(sizeof *command);
  if (!t || !command) {
    iod_free(t);
    iod_free(command);
    return IOD_E_NOMEM;
  }
  t->job.job.kind = IOD_JOB_TIMER;
  t->job.id = id;
  t->timer.kind = IOD_TIMER_OTHER;
  t->timer.due = iod_clock_ms() + (ms ? ms : 1);
  *command = (add_command_t){.command.apply = apply_add, .timer = t};
  iod_server_command(server, &command->command);
  return 0;
}

void iod_server_timer_cancel(iod_server_t *server, uint64_t id) {
  cancel_command_t *command = iod_alloc(sizeof *command);
  if (!command) return; /* the job comes, and its owner knows that it was cancelled */
  *command = (cancel_command_t){.command.apply = apply_cancel, .id = id};
  iod_server_command(server, &command->command);
}

void iod_user_timer_fire(iod_server_t *server, iod_timer_t *timer) {
  iod_user_timer_t *t = (iod_user_timer_t *)(void *)((char *)timer - offsetof(iod_user_timer_t, timer));
  unlink_timer(server, t);
  iod_jobs_push(&server->jobs, &t->job.job, false);
}

void iod_user_timers_free(iod_server_t *server) {
  while (server->timers) cancel(server, server->timers->job.id);
}
