#include "processes.h"

#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static iod_server_t *processes[PROCESSES];

static void on_released(iod_release_job_t *job) { (void)job; }

iod_server_t *process_open_alive(void) {
  iod_server_t *server = iod_server_new(1, on_released);
  if (!server || iod_server_open(server, 0)) abort();
  return server;
}

iod_server_t *process_open(void) {
  iod_server_t *server = process_open_alive();
  int i = 0;
  while (processes[i]) i++;
  iod_crew_halt(server);
  pthread_join(server->crew.stand_in, NULL);
  server->crew.has_stand_in = false;
  return processes[i] = server;
}

/* ---- watchers: those that are left end with their server ---- */

static struct {
  iod_server_t *server;
  iod_watcher_t *watcher;
} watchers[WATCHERS];

iod_watcher_t *process_watch(iod_server_t *server, const char *name, bool pattern, uint64_t id) {
  iod_watcher_t *w = iod_watcher_new(server, slice(name), pattern, id);
  int i = 0;
  while (watchers[i].watcher) i++;
  if (w) watchers[i].server = server, watchers[i].watcher = w;
  return w;
}

static void forget(const iod_watcher_t *w) {
  for (int i = 0; i < WATCHERS; i++)
    if (watchers[i].watcher == w) watchers[i].watcher = NULL;
}

void process_unwatch(iod_watcher_t *w) {
  if (!w) return;
  forget(w);
  iod_watcher_end(w);
}

static void for_watchers(iod_server_t *server, void (*act)(iod_watcher_t *)) {
  for (int i = 0; i < WATCHERS; i++)
    if (watchers[i].watcher && watchers[i].server == server) act(watchers[i].watcher);
}

static void leave(iod_watcher_t *w) { iod_pubsub_leave(w->strand.server, &w->subscriber); }

static void drop(iod_watcher_t *w) {
  forget(w);
  iod_watcher_free(w);
}

void process_close(iod_server_t *server) {
  for (int i = 0; i < PROCESSES; i++)
    if (processes[i] == server) processes[i] = NULL;
  for_watchers(server, leave);
  iod_server_close(server);
  for_watchers(server, drop);
  iod_server_free(server);
}

/* ---- processes ---- */

int process_link(iod_server_t *server, pid_t pid, bool joined) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
  iod_cluster_worker_t worker = {.fd = ends[0], .pid = pid, .joined = joined};
  CHECK_INT(pid ? iod_cluster_link_workers(server, &worker, 1) : iod_cluster_link_root(server, ends[0]), 0);
  return ends[1];
}

void process_tie(iod_server_t *root, iod_server_t *worker, pid_t pid) {
  CHECK_INT(iod_cluster_link_root(worker, process_link(root, pid, true)), 0);
}

void process_turn(iod_server_t *server) {
  int n = iod_loop_poll(&server->loop, 0);
  iod_server_lock(server);
  if (n >= 0) iod_loop_turn(&server->loop);
  iod_loop_uncork(&server->loop, UINT32_MAX);
  iod_server_unlock(server);
}

/* Nothing to read, to write or to go on with. */
static bool is_still(iod_server_t *server) {
  bool events = iod_loop_poll(&server->loop, 0) != 0;
  iod_loop_lock(&server->loop);
  bool still = !server->loop.ready && !atomic_load(&server->loop.corked_since);
  iod_loop_unlock(&server->loop);
  return still && !events && atomic_load(&server->commands.waiting) == 0;
}

void processes_settle(void) {
  for (int still = 0; still < 3;) {
    still++;
    for (int i = 0; i < PROCESSES; i++) {
      if (!processes[i] || is_still(processes[i])) continue;
      process_turn(processes[i]);
      still = 0;
    }
  }
}

void process_publish(iod_server_t *server, const char *channel, const char *message, iod_scope_t scope) {
  iod_publication_t *p = iod_publication_new(slice(channel), slice(message), true);
  CHECK(p && iod_server_publish(server, p, scope) == 0);
}

/* ---- what was heard ---- */

static char *heard;
static size_t heard_length;

static void add(FILE *out, const iod_message_t *m) {
  iod_slice_t name = iod_publication_channel(m->publication), text = iod_payload_slice(m->publication->message);
  int shown = text.length > 20 ? 20 : (int)text.length;
  fprintf(out, "%d %.*s=%.*s ", (int)m->id, (int)name.length, name.at, shown, text.at);
}

static void hear_watcher(iod_watcher_t *watcher, FILE *out) {
  for (iod_message_t *m; (m = iod_strand_take(&watcher->strand)); iod_message_free(m)) add(out, m);
  iod_watcher_rest(watcher);
}

static void add_frame(FILE *out, const iod_message_t *m) {
  iod_cluster_frame_t f;
  size_t needed;
  CHECK(iod_cluster_frame_parse(m->bytes, m->length, &f, &needed) > 0);
  if (f.type == IOD_CLUSTER_COMMAND)
    fprintf(out, "command(%.*s,%.*s) ", (int)f.channel.length, f.channel.at, (int)f.message.length, f.message.at);
  else
    fprintf(out, f.flags & IOD_CLUSTER_ENGINE ? "reply(%.*s) " : "reply%.*s ", (int)f.message.length, f.message.at);
}

static void add_notice(FILE *out, uint8_t tell, const iod_message_t *m) {
  switch (tell) {
  case IOD_NOTICE_NAME:
    fprintf(out, "%c%.*s%s ", m->id & IOD_NAME_THERE ? '+' : '-', (int)m->length, m->bytes,
            m->id & IOD_NAME_PATTERN ? "*" : "");
    break;
  case IOD_NOTICE_LISTING: fputs("listing ", out); break;
  case IOD_NOTICE_LISTED: fputs("listed ", out); break;
  case IOD_NOTICE_UNLINKED: fputs("unlinked ", out); break;
  default: add_frame(out, m);
  }
}

static void hear_notices(iod_server_t *server, FILE *out) {
  iod_message_t *m;
  for (uint8_t tell; (tell = iod_notices_take(server, &m)); iod_message_free(m)) add_notice(out, tell, m);
  iod_notices_rest(server);
}

const char *process_heard(iod_server_t *server) {
  free(heard);
  FILE *out = open_memstream(&heard, &heard_length);
  for (iod_job_t *job; (job = iod_jobs_take(&server->jobs));) {
    if (job->kind == IOD_JOB_WATCHER)
      hear_watcher((iod_watcher_t *)job, out);
    else
      hear_notices(server, out);
  }
  fclose(out);
  return heard;
}
