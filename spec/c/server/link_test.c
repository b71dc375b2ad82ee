/* A link whose other end is the test's: torn and malformed frames, processes that are slow, stopped or killed. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/clock.h"
#include "../test.h"
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 1 << 29 /* a pid that no process has */, MB = 1 << 20 };

static size_t frame(char *out, uint8_t type, uint8_t flags, const char *channel, const char *message) {
  iod_cluster_frame_t f = {.type = type, .flags = flags, .channel = slice(channel), .message = slice(message)};
  iod_cluster_frame_write(out, &f);
  return (size_t)iod_cluster_frame_length(&f);
}

static void say(int fd, const char *bytes, size_t length) {
  CHECK(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

static void say_frame(int fd, uint8_t type, const char *channel, const char *message) {
  char bytes[256];
  say(fd, bytes, frame(bytes, type, 0, channel, message));
}

/* What has come, without waiting for more: frames as "type channel=message ". */
static const char *read_frames(int fd) {
  static char bytes[1 << 16], text[1 << 12];
  size_t needed, length = 0;
  ssize_t n;
  text[0] = 0;
  while ((n = recv(fd, bytes + length, sizeof bytes - length, MSG_DONTWAIT)) > 0) length += (size_t)n;
  iod_cluster_frame_t f;
  const char *at = bytes;
  for (int64_t one; (one = iod_cluster_frame_parse(at, length, &f, &needed)) > 0; at += one, length -= (size_t)one)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%d %.*s=%.*s ", f.type, (int)f.channel.length,
             f.channel.at, (int)f.message.length, f.message.at);
  CHECK_INT(length, 0);
  return text;
}

#define READS(fd, expected)                                                                                            \
  do {                                                                                                                 \
    const char *text = read_frames(fd);                                                                                \
    CHECK_BYTES(text, strlen(text), expected);                                                                         \
  } while (0)

static bool is_closed(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void publish_large(iod_server_t *server, iod_scope_t scope, size_t length) {
  iod_publication_t *p;
  char *bytes = iod_alloc_zero(length);
  p = iod_publication_new(slice("a"), (iod_slice_t){bytes, length}, false);
  CHECK_INT(iod_server_publish(server, p, scope), 0);
  iod_free(bytes);
}

static void later(iod_server_t *server, uint64_t ms) {
  for (uint64_t until = iod_clock_ms() + ms; iod_clock_ms() < until; processes_settle()) usleep(10000);
  process_turn(server);
  processes_settle();
}

/* ---- frames ---- */

TEST(link_frames_in_pieces) {
  char bytes[256];
  size_t length = frame(bytes, IOD_CLUSTER_PUBLISH, 0, "a", "first");
  length += frame(bytes + length, IOD_CLUSTER_PUBLISH, 0, "a", "second");
  test_case("cut at every place");
  for (size_t cut = 0; cut <= length; cut++) {
    iod_server_t *root = process_open();
    int fd = process_link(root, NOBODY, true), other = process_link(root, NOBODY + 1, true);
    process_watch(root, "a", false, 1);
    say(fd, bytes, cut);
    processes_settle();
    say(fd, bytes + cut, length - cut);
    processes_settle();
    HEARD(root, "1 a=first 1 a=second ");
    READS(other, "1 a=first 1 a=second ");
    close(fd), close(other);
    process_close(root);
  }
  test_case("torn: dropped with its link");
  for (size_t cut = 1; cut < 30; cut++) {
    iod_server_t *root = process_open();
    int fd = process_link(root, NOBODY, true), other = process_link(root, NOBODY + 1, true);
    process_watch(root, "a", false, 1);
    say(fd, bytes, length - cut);
    close(fd);
    processes_settle();
    HEARD(root, "1 a=first ");
    READS(other, "1 a=first ");
    CHECK_INT(root->links.count, 1);
    close(other);
    process_close(root);
  }
}

TEST(link_frames_that_are_none) {
  static const struct {
    const char *name;
    bool from_worker;
    uint8_t type;
    bool closes;
  } cases[] = {
      {"a worker publishes", true, IOD_CLUSTER_PUBLISH, false},
      {"a worker subscribes", true, IOD_CLUSTER_SUBSCRIBE, false},
      {"a worker unsubscribes", true, IOD_CLUSTER_UNSUBSCRIBE, false},
      {"a worker commands", true, IOD_CLUSTER_COMMAND, false},
      {"a worker replies", true, IOD_CLUSTER_REPLY, true},
      {"a worker joins", true, IOD_CLUSTER_JOIN, false},
      {"a worker says what nobody knows", true, 77, true},
      {"the root publishes", false, IOD_CLUSTER_PUBLISH, false},
      {"the root subscribes", false, IOD_CLUSTER_SUBSCRIBE, true},
      {"the root unsubscribes", false, IOD_CLUSTER_UNSUBSCRIBE, true},
      {"the root commands", false, IOD_CLUSTER_COMMAND, true},
      {"the root replies", false, IOD_CLUSTER_REPLY, false},
      {"the root answers a join", false, IOD_CLUSTER_JOIN, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iod_server_t *server = process_open();
    int fd = process_link(server, cases[i].from_worker ? NOBODY : 0, true);
    test_case(cases[i].name);
    say_frame(fd, cases[i].type, "a", "x");
    processes_settle();
    read_frames(fd);
    CHECK_INT(is_closed(fd), cases[i].closes);
    CHECK_INT(server->links.count, !cases[i].closes);
    close(fd);
    process_close(server);
  }
}

/* ---- who joins ---- */

TEST(link_of_a_worker_that_boots) {
  iod_server_t *root = process_open();
  int fd = process_link(root, NOBODY, false);
  test_case("it is sent nothing before it asks");
  process_publish(root, "a", "1", IOD_SCOPE_CLUSTER);
  processes_settle();
  READS(fd, "");
  test_case("then the answer first");
  say_frame(fd, IOD_CLUSTER_JOIN, "", "");
  processes_settle();
  process_publish(root, "a", "2", IOD_SCOPE_CLUSTER);
  processes_settle();
  READS(fd, "6 = 1 a=2 ");
  test_case("asked again, its names are void");
  iod_notices_list(root);
  say_frame(fd, IOD_CLUSTER_SUBSCRIBE, "a", "");
  say_frame(fd, IOD_CLUSTER_JOIN, "", "");
  say_frame(fd, IOD_CLUSTER_SUBSCRIBE, "b", "");
  processes_settle();
  HEARD(root, "listing listed +a -a +b ");
  READS(fd, "6 = ");
  close(fd);
  process_close(root);
}

/* ---- who is killed ---- */

static pid_t fork_sleeper(void) {
  pid_t pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  return pid;
}

static int end_of(pid_t pid) {
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Reads until nothing more comes; how many bytes there were. */
static size_t drain(int fd) {
  static char bytes[MB];
  size_t length = 0;
  for (int idle = 0; idle < 2; idle++, processes_settle())
    for (ssize_t n; (n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0; idle = 0, processes_settle())
      length += (size_t)n;
  return length;
}

TEST(link_of_a_worker_that_does_not_read) {
  enum { LARGE = 2 * MB, MESSAGES = 40, FRAME = LARGE + 25 };
  iod_server_t *root = process_open();
  pid_t pid = fork_sleeper();
  int fd = process_link(root, pid, true), other = process_link(root, NOBODY, true);
  size_t heard = 0;
  int count = 0;
  test_case("publishers wait for it");
  for (; count < MESSAGES && !iod_links_crowded(&root->links); count++) {
    publish_large(root, IOD_SCOPE_SIBLINGS, LARGE);
    heard += drain(other);
  }
  CHECK(count >= 4 && count < 10);
  process_watch(root, "b", false, 1);
  say_frame(other, IOD_CLUSTER_PUBLISH, "b", "x");
  processes_settle();
  HEARD(root, "");
  CHECK_INT(kill(pid, 0), 0);
  test_case("but not for long");
  later(root, IOD_PACE_PATIENCE);
  CHECK(!iod_links_crowded(&root->links));
  HEARD(root, "1 b=x ");
  test_case("it is killed when too much waits for it");
  for (; count < MESSAGES; count++) {
    publish_large(root, IOD_SCOPE_SIBLINGS, LARGE);
    heard += drain(other);
  }
  CHECK_INT(end_of(pid), SIGKILL);
  test_case("nothing more is kept for it, and the others lose nothing");
  CHECK(!iod_links_crowded(&root->links));
  CHECK_INT(heard + drain(other), (size_t)MESSAGES * FRAME);
  close(fd);
  processes_settle();
  CHECK_INT(root->links.count, 1);
  close(other);
  process_close(root);
}

TEST(link_of_a_worker_that_is_slow) {
  enum { LARGE = 4 * MB, MESSAGES = 25, FRAME = LARGE + 25 };
  iod_server_t *root = process_open();
  int fd = process_link(root, NOBODY, true);
  size_t heard = 0;
  bool waited = false;
  test_case("who goes on reading isn't killed, however much it is");
  for (int i = 0; i < MESSAGES; i++) {
    publish_large(root, IOD_SCOPE_SIBLINGS, LARGE);
    waited |= iod_links_crowded(&root->links);
    if (i % 5 == 4) heard += drain(fd);
    CHECK(i % 5 != 4 || !iod_links_crowded(&root->links));
  }
  CHECK(waited);
  CHECK_INT(heard, (size_t)MESSAGES * FRAME);
  close(fd);
  process_close(root);
}

TEST(link_hears_a_worker_out_that_has_died) {
  enum { MESSAGES = 1000 };
  static char bytes[MESSAGES * 64];
  size_t length = 0;
  iod_server_t *root = process_open();
  int fd = process_link(root, NOBODY, true);
  iod_watcher_t *w = process_watch(root, "a", false, 1);
  test_case("also when what it is sent can't be written any more");
  for (int i = 0; i < MESSAGES; i++) length += frame(bytes + length, IOD_CLUSTER_PUBLISH, 0, "a", "x");
  say(fd, bytes, length);
  process_publish(root, "b", "for it", IOD_SCOPE_CLUSTER); /* unread, so that its end is a reset */
  iod_server_lock(root);
  iod_loop_uncork(&root->loop, 1);
  iod_server_unlock(root);
  close(fd);
  process_publish(root, "b", "for it", IOD_SCOPE_CLUSTER);
  processes_settle();
  CHECK_INT(w->strand.count, MESSAGES);
  CHECK_INT(root->links.count, 0);
  process_close(root);
}

TEST(link_of_a_worker_that_has_left_a_process_behind) {
  iod_server_t *root = process_open();
  int fd = process_link(root, NOBODY, true), left = dup(fd);
  say_frame(fd, IOD_CLUSTER_SUBSCRIBE, "a", "");
  close(fd);
  processes_settle();
  test_case("it has no end by itself");
  CHECK_INT(root->links.count, 1);
  say_frame(left, IOD_CLUSTER_PUBLISH, "b", "x");
  process_watch(root, "b", false, 1);
  iod_link_leave(root, NOBODY);
  processes_settle();
  HEARD(root, "1 b=x ");
  CHECK_INT(root->links.count, 0);
  CHECK_INT(root->pubsub.channels.count, 1);
  close(left);
  process_close(root);
}

/* ---- a root that does not read ---- */

TEST(link_of_a_root_that_is_stopped) {
  enum { LARGE = 4 * MB, MESSAGES = 20, FIT = 16 /* a little is in the socket */ };
  static char name[50000];
  iod_server_t *worker = process_open();
  int fd = process_link(worker, 0, true);
  iod_watcher_t *here = process_watch(worker, "a", false, 1);
  test_case("publishers wait for it, but not for long");
  bool crowded = false;
  for (int i = 0; i < 3; i++) {
    publish_large(worker, IOD_SCOPE_CLUSTER, LARGE);
    crowded |= iod_links_crowded(&worker->links);
  }
  CHECK(crowded);
  later(worker, IOD_PACE_PATIENCE);
  CHECK(!iod_links_crowded(&worker->links));
  test_case("what finds no room is lost for the others, not here");
  for (int i = 3; i < MESSAGES; i++) publish_large(worker, IOD_SCOPE_CLUSTER, LARGE);
  CHECK_INT(here->strand.count, MESSAGES);
  CHECK(worker->links.root->stream.output.pending <= IOD_LINK_PENDING_MAX);
  CHECK_INT(worker->links.root->lost, MESSAGES - FIT);
  test_case("names that it can't be told …");
  memset(name, 'n', sizeof name - 1);
  for (int i = 0; i < 100 && !atomic_load(&worker->links.stale); i++)
    process_unwatch(process_watch(worker, name, false, 2));
  CHECK(atomic_load(&worker->links.stale));
  process_watch(worker, "late", false, 3);
  CHECK(drain(fd) > (size_t)FIT * LARGE);
  test_case("… are told when it reads, with what is said then");
  CHECK(!atomic_load(&worker->links.stale));
  CHECK_INT(worker->links.root->lost, 0);
  process_watch(worker, "later", false, 3);
  process_publish(worker, "a", "again", IOD_SCOPE_ROOT);
  processes_settle();
  READS(fd, "2 later= 1 a=again ");
  close(fd);
  process_close(worker);
}

TEST(link_tells_all_names_again) {
  iod_server_t *root = process_open(), *worker = process_open();
  process_tie(root, worker, NOBODY);
  iod_watcher_t *a = process_watch(worker, "a", false, 1);
  processes_settle();
  iod_notices_list(root);
  HEARD(root, "listing +a listed ");
  test_case("if some could not be told");
  atomic_store(&worker->links.stale, true);
  process_unwatch(a);
  process_watch(worker, "b", false, 1);
  process_publish(worker, "c", "x", IOD_SCOPE_CLUSTER);
  processes_settle();
  HEARD(root, "-a +b ");
  CHECK(!atomic_load(&worker->links.stale));
  process_close(worker);
  process_close(root);
}

/* ---- strands that are too long ---- */

/* As if so much waited on other strands, too. */
static void fill_strands(iod_server_t *server) { atomic_fetch_add(&server->pubsub.told, IOD_STRANDS_MAX); }
static void empty_strands(iod_server_t *server) { atomic_fetch_sub(&server->pubsub.told, IOD_STRANDS_MAX); }

TEST(link_of_a_worker_whose_application_is_slow) {
  iod_server_t *root = process_open(), *worker = process_open();
  process_tie(root, worker, NOBODY);
  iod_watcher_t *w = process_watch(worker, "a", false, 1);
  fill_strands(worker);
  test_case("it reads no more than it can keep");
  for (int i = 0; i < 10; i++) process_publish(root, "a", "x", IOD_SCOPE_CLUSTER);
  processes_settle();
  CHECK_INT(w->strand.count, 1);
  CHECK(worker->links.root->stream.paused);
  test_case("nor when a little of it is gone");
  atomic_fetch_sub(&worker->pubsub.told, MB);
  later(worker, 30);
  CHECK_INT(w->strand.count, 1);
  test_case("but when half of it is");
  atomic_fetch_add(&worker->pubsub.told, MB);
  empty_strands(worker);
  later(worker, 30);
  CHECK_INT(w->strand.count, 10);
  CHECK(!worker->links.root->stream.paused);
  process_close(worker);
  process_close(root);
}

TEST(link_of_workers_whose_root_is_slow) {
  iod_server_t *root = process_open();
  int fd = process_link(root, NOBODY, true), other = process_link(root, NOBODY + 1, true);
  iod_watcher_t *w = process_watch(root, "a", false, 1);
  fill_strands(root);
  test_case("it keeps no more than it can, and the others lose nothing");
  for (int i = 0; i < 3; i++) say_frame(fd, IOD_CLUSTER_PUBLISH, "a", i ? "x" : "first");
  processes_settle();
  CHECK_INT(w->strand.count, 1);
  CHECK_INT(root->links.untold, 2);
  READS(other, "1 a=first 1 a=x 1 a=x ");
  test_case("and hears again when half of it is gone");
  empty_strands(root);
  say_frame(fd, IOD_CLUSTER_PUBLISH, "a", "last");
  processes_settle();
  HEARD(root, "1 a=first 1 a=last ");
  CHECK_INT(root->links.untold, 0);
  READS(other, "1 a=last ");
  close(fd), close(other);
  process_close(root);
}

/* ---- the end ---- */

TEST(link_of_a_worker_that_closes) {
  iod_server_t *root = process_open(), *worker = process_open();
  process_tie(root, worker, NOBODY);
  iod_watcher_t *w = process_watch(root, "a", false, 1);
  test_case("what it said last is heard");
  for (int i = 0; i < 100; i++) process_publish(worker, "a", "x", IOD_SCOPE_CLUSTER);
  process_close(worker);
  processes_settle();
  CHECK_INT(w->strand.count, 100);
  test_case("unless nobody reads it within a second");
  worker = process_open();
  int fd = process_link(worker, 0, true);
  publish_large(worker, IOD_SCOPE_CLUSTER, MB);
  process_close(worker);
  close(fd);
  process_close(root);
}

TEST(link_of_a_worker_that_drains) {
  enum { MESSAGES = 1000 };
  static char bytes[MESSAGES * 64];
  size_t length = 0;
  iod_server_t *worker = process_open();
  int fd = process_link(worker, 0, true);
  iod_watcher_t *w = process_watch(worker, "a", false, 1);
  test_case("what had come before is heard first");
  for (int i = 0; i < MESSAGES; i++) length += frame(bytes + length, IOD_CLUSTER_PUBLISH, 0, "a", "x");
  say(fd, bytes, length);
  iod_server_drain(worker);
  CHECK_INT(w->strand.count, MESSAGES);
  CHECK_INT(iod_server_busy(worker), 0);
  test_case("the link stays");
  say_frame(fd, IOD_CLUSTER_PUBLISH, "a", "x");
  processes_settle();
  CHECK_INT(w->strand.count, MESSAGES + 1);
  close(fd);
  test_case("a link that has ended is no matter");
  iod_server_drain(worker);
  CHECK_INT(worker->links.count, 0);
  iod_server_drain(worker);
  process_close(worker);
}

TEST(link_is_not_inherited) {
  iod_server_t *root = process_open();
  int fd = process_link(root, NOBODY, true), gone = process_link(root, NOBODY + 1, true);
  close(gone);
  processes_settle();
  int own = root->links.workers->stream.fd;
  test_case("close-on-exec");
  CHECK(fcntl(own, F_GETFD) & FD_CLOEXEC);
  test_case("a copy of the process has no part in it");
  pid_t pid = fork();
  if (pid == 0) _exit(fcntl(own, F_GETFD) == -1 && root->inherited ? 0 : 1);
  CHECK_INT(end_of(pid), 0);
  int status = 0;
  pid = fork();
  if (pid == 0) {
    iod_publication_t *p = iod_publication_new(slice("a"), slice("x"), true);
    _exit(p && iod_server_publish(root, p, IOD_SCOPE_CLUSTER) == 0 ? 7 : 1);
  }
  CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
  processes_settle();
  READS(fd, "");
  close(fd);
  process_close(root);
}

/* ---- threads that wait ---- */

static _Atomic bool cancelled;

static void *wait_for_links(void *server) {
  iod_links_wait(server, &cancelled);
  return server;
}

TEST(link_makes_publishers_wait) {
  static const struct {
    const char *name;
    bool reads, cancels;
  } cases[] = {{"until it is read", true, false},
               {"until it is clear that it isn't", false, false},
               {"or something else is to be done", false, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iod_server_t *worker = process_open();
    int fd = process_link(worker, 0, true);
    char *bytes = malloc(MB);
    pthread_t thread;
    test_case(cases[i].name);
    atomic_store(&cancelled, false);
    publish_large(worker, IOD_SCOPE_CLUSTER, IOD_PACE_HIGH + 1);
    CHECK(iod_links_crowded(&worker->links));
    CHECK_INT(pthread_create(&thread, NULL, wait_for_links, worker), 0);
    while (cases[i].reads && iod_links_crowded(&worker->links)) {
      if (recv(fd, bytes, MB, MSG_DONTWAIT) < 0) process_turn(worker);
    }
    if (cases[i].cancels) {
      atomic_store(&cancelled, true);
      iod_server_wake_waiters(worker);
    } else if (!cases[i].reads) {
      later(worker, IOD_PACE_PATIENCE);
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    free(bytes);
    close(fd);
    process_close(worker);
  }
}
