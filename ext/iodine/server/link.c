#include "link.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../reactor/loop.h"
#include "../reactor/socket.h"
#include "cluster.h"
#include "http.h"
#include "server.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(sizeof(iod_link_t) <= sizeof(iod_http_t), "a link takes the place of a connection");

enum {
  LOOK_MS = 10,   /* how often strands are looked at while they are waited for */
  LAST_MS = 1000, /* for what waits when the server closes */
  ROUNDS = 256,   /* reads of up to 256 KB, to catch up */
};

static iod_link_t *link_of(iod_stream_t *s) { return (iod_link_t *)(void *)s; }

/* ---- who is slow ---- */

static void pause_workers(const iod_links_t *links) {
  for (iod_link_t *l = links->workers; l; l = l->next) l->stream.paused = true;
}

/* What one of them has sent may crowd the others again. */
static void resume_workers(const iod_links_t *links) {
  for (iod_link_t *l = links->workers; l && links->slow == 0; l = l->next) iod_stream_resume(&l->stream);
}

/* The root reads no more than what the slowest worker takes, as long as that takes something. */
static void set_slow(iod_link_t *l, bool slow) {
  iod_links_t *links = &l->server->links;
  if (l->slow == slow) return;
  l->slow = slow;
  links->slow += slow ? 1u : UINT32_MAX;
  if (slow && links->slow == 1) {
    atomic_store(&links->crowded, true);
    pause_workers(links);
  } else if (links->slow == 0) {
    atomic_store(&links->crowded, false);
    iod_server_wake_waiters(l->server);
    resume_workers(links);
  }
}

void iod_links_wait(iod_server_t *server, const _Atomic bool *cancelled) {
  iod_server_flush(server);
  pthread_mutex_lock(&server->drain_lock);
  atomic_fetch_add(&server->drain_waiters, 1);
  while (iod_links_crowded(&server->links) && !atomic_load(cancelled))
    pthread_cond_wait(&server->drained, &server->drain_lock);
  atomic_fetch_sub(&server->drain_waiters, 1);
  pthread_mutex_unlock(&server->drain_lock);
}

static void report_lost(iod_link_t *l) {
  if (l->lost == 0 || l->stream.output.pending > IOD_PACE_LOW) return;
  iod_log(IOD_LOG_WARNING, "the root process reads again: %llu messages of worker %ld are lost",
          (unsigned long long)l->lost, (long)getpid());
  l->lost = 0;
}

static void set_deadline(iod_link_t *l) {
  uint64_t now = l->stream.loop->now, due = iod_pace_due(&l->pace);
  if (l->waits && now + LOOK_MS < due) due = now + LOOK_MS;
  if (due == l->due) return;
  l->due = due;
  if (due == UINT64_MAX)
    iod_stream_no_deadline(&l->stream);
  else
    iod_stream_deadline(&l->stream, due); /* last: it may close */
}

/* What was queued or written may change what others have to do. */
static void look(iod_link_t *l) {
  bool slow = iod_pace_look(&l->pace, l->stream.output.pending, l->stream.loop->now);
  set_slow(l, slow && !l->dropped);
  if (!l->pid) {
    report_lost(l);
    iod_cluster_repair(l);
  }
  if (iod_stream_open(&l->stream)) set_deadline(l);
}

void iod_link_wait_for_strands(iod_link_t *l) {
  if (atomic_load(&l->server->pubsub.told) <= IOD_STRANDS_MAX) return;
  l->waits = l->stream.paused = true;
  set_deadline(l);
}

/* ---- sending ---- */

bool iod_link_has_room(const iod_link_t *l, size_t length) {
  return l->stream.output.pending + length <= IOD_LINK_PENDING_MAX;
}

static void queue(iod_link_t *l, const iod_parcel_t *p) {
  iod_segment_t segments[4];
  size_t count = 0;
  for (size_t i = 0; i < 3; i++)
    if (p->copied[i].length) segments[count++] = iod_segment_bytes(p->copied[i].at, p->copied[i].length);
  if (p->shared) segments[count++] = iod_segment_payload(iod_payload_ref(p->shared));
  iod_loop_cork(l->stream.loop, &l->stream);
  l->pace.sent += p->length;
  if (iod_stream_send(&l->stream, segments, count) == 0)
    look(l);
  else
    iod_log(IOD_LOG_ERROR, "a link between processes of the cluster is closed: out of memory");
}

static bool is_dead(const iod_link_t *l) {
  struct pollfd p = {.fd = l->stream.fd};
  return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

/* What it has sent is still read, up to its end, which comes soon. */
static void kill_worker(iod_link_t *l) {
  iod_log(IOD_LOG_ERROR, "worker %ld doesn't read what others publish: it is killed, with %zu MB that waited for it",
          (long)l->pid, l->stream.output.pending >> 20);
  l->dropped = true;
  iod_output_clear(&l->stream.output, &l->stream.loop->releaser);
  look(l);
  if (!is_dead(l)) kill(l->pid, SIGKILL);
}

static void lose(iod_link_t *l) {
  if (l->lost++ == 0)
    iod_log(IOD_LOG_ERROR, "the root process doesn't read: what worker %ld publishes for others is lost",
            (long)getpid());
}

bool iod_link_send(iod_link_t *l, const iod_parcel_t *p) {
  if (!iod_stream_open(&l->stream) || l->stream.mute || l->dropped) return true; /* its end is to come */
  if (iod_link_has_room(l, p->length)) {
    queue(l, p);
    return true;
  }
  if (l->pid)
    kill_worker(l);
  else
    lose(l);
  return false;
}

/* ---- what happens ---- */

void iod_link_close_malformed(iod_link_t *l) {
  if (l->pid)
    iod_log(IOD_LOG_ERROR, "worker %ld said what no worker says: its link is closed", (long)l->pid);
  else
    iod_log(IOD_LOG_ERROR, "the root process said what no root says: the link of worker %ld is closed", (long)getpid());
  iod_stream_close(&l->stream);
}

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  iod_link_t *l = link_of(s);
  iod_cluster_frame_t frame;
  size_t needed;
  int64_t n = iod_cluster_frame_parse(bytes, length, &frame, &needed);
  if (n == 0) return 0;
  if (n < 0 || !iod_cluster_hear(l, &frame, (iod_slice_t){bytes, (size_t)n})) {
    iod_link_close_malformed(l);
    return length;
  }
  return (size_t)n;
}

static void on_written(iod_stream_t *s) { look(link_of(s)); }

static void on_timeout(iod_stream_t *s) {
  iod_link_t *l = link_of(s);
  l->due = UINT64_MAX;
  if (l->waits && atomic_load(&l->server->pubsub.told) <= IOD_STRANDS_LOW) {
    l->waits = false;
    iod_stream_resume(s);
  }
  if (iod_stream_open(s)) look(l);
}

static void on_eof(iod_stream_t *s) { iod_stream_close(s); }

static void on_hangup(iod_stream_t *s) { (void)s; } /* what came before is read first */

static void on_closing(iod_stream_t *s) { atomic_store(link_of(s)->kept, 0); }

static void on_close(iod_stream_t *s) {
  iod_link_t *l = link_of(s);
  l->server->links.count--;
  if (l->pid) {
    *l->place = l->next;
    if (l->next) l->next->place = l->place;
  }
  set_slow(l, false);
  iod_cluster_left(l);
}

static const iod_stream_ops_t ops = {
    .on_data = on_data,
    .on_eof = on_eof,
    .on_hangup = on_hangup,
    .on_written = on_written,
    .on_timeout = on_timeout,
    .on_closing = on_closing,
    .on_close = on_close,
};

bool iod_link_is(const iod_stream_t *stream) { return stream->ops == &ops; }

/* ---- life ---- */

static _Atomic int *free_place(iod_links_t *links) {
  for (int i = 0; i < IOD_LINKS; i++)
    if (atomic_load(&links->fds[i]) == 0) return &links->fds[i];
  return NULL;
}

static void enlist(iod_link_t *l, iod_links_t *links) {
  l->stream.paused = links->slow > 0;
  l->place = &links->workers;
  l->next = links->workers;
  if (l->next) l->next->place = &l->next;
  links->workers = l;
}

int iod_link_open(iod_server_t *server, int fd, pid_t pid, iod_link_t **link) {
  _Atomic int *place = free_place(&server->links);
  int result = place ? iod_socket_prepare(fd) : IOD_E_FULL;
  if (result) {
    close(fd);
    return result;
  }
  atomic_store(place, fd + 1);
  iod_link_t *l = *link = (iod_link_t *)(void *)iod_loop_open(&server->loop, fd, &ops);
  if (!l) {
    atomic_store(place, 0);
    return IOD_E_NOMEM;
  }
  l->kept = place;
  l->stream.lossless = l->stream.reads_on = l->stream.uncounted = true;
  l->server = server;
  l->due = UINT64_MAX;
  l->pid = pid;
  server->links.count++;
  if (pid)
    enlist(l, &server->links);
  else
    server->links.root = l;
  return 0;
}

void iod_link_leave(iod_server_t *server, pid_t pid) {
  iod_server_lock(server);
  for (iod_link_t *l = server->links.workers; l; l = l->next) {
    if (l->pid != pid) continue;
    (void)shutdown(l->stream.fd, SHUT_RD); /* what it forked itself may hold its end */
    l->stream.readable = true;
    iod_loop_ready(&server->loop, &l->stream);
  }
  iod_server_unlock(server);
}

void iod_links_catch_up(iod_server_t *server) {
  iod_stream_t *s = server->links.root ? &server->links.root->stream : NULL;
  if (!s) return;
  s->readable = true;
  for (int round = 0; round < ROUNDS && iod_stream_open(s) && s->readable && !s->paused; round++)
    iod_stream_continue(s);
}

static void finish_output(iod_link_t *l) {
  iod_stream_t *s = &l->stream;
  for (uint64_t now, end = iod_clock_ms() + LAST_MS; (now = iod_clock_ms()) < end;) {
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    iod_stream_flush(s);
    if (!iod_stream_open(s) || !s->output.pending || poll(&p, 1, (int)(end - now)) <= 0) return;
    s->writable = true;
  }
}

void iod_links_close(iod_server_t *server) {
  iod_link_t *root = server->links.root;
  if (root) finish_output(root);
  server->links.root = NULL;
  if (root) iod_stream_close(&root->stream);
  while (server->links.workers) iod_stream_close(&server->links.workers->stream);
}

void iod_links_abandon(iod_links_t *links) {
  for (int i = 0; i < IOD_LINKS; i++) {
    int fd = atomic_exchange(&links->fds[i], 0) - 1;
    if (fd >= 0) close(fd);
  }
}
