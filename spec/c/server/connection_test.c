/* Raw connections without Ruby: a C application on several threads, real sockets. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/connection.h"
#include "../../../ext/iodine/server/server.h"
#include "../test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 4, BATCH = 3 };

static iod_server_t *server;
static iod_listener_t *listener;
static pthread_t threads[THREADS];
static _Atomic int opened, closed, drained, shut, calls, overlaps, released, abandoned;
static _Atomic bool slow, subscribes;

static void on_released(iod_release_job_t *job) {
  (void)job;
  atomic_fetch_add(&released, 1);
}

static void on_abandoned(iod_connection_t *c) {
  (void)c;
  atomic_fetch_add(&abandoned, 1);
}

/* ---- the application: an echo; tag: how many threads are in the strand ---- */

static _Atomic int inside[4096];

/* More than fits into the sockets' buffers, then at once the end of it. */
static void drop(iod_connection_t *c) {
  static char much[8 << 20];
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = much, .length = sizeof much};
  CHECK_INT(iod_connection_write(c, &segment, false), 0);
  iod_connection_close(c);
  iod_connection_drop(c);
  iod_connection_drop(c);
  CHECK(!iod_connection_is_open(c));
}

static void hear(iod_connection_t *c, const iod_message_t *m) {
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = m->bytes, .length = m->length};
  if (atomic_load(&slow)) usleep(2000);
  if (m->length == 1 && m->bytes[0] == 'x') {
    iod_connection_close(c);
    return;
  }
  if (m->length == 1 && m->bytes[0] == 'd') {
    drop(c);
    return;
  }
  if (!iod_connection_is_open(c)) return;
  int result = iod_connection_write(c, &segment, false);
  (void)result;
}

static void subscribe(iod_connection_t *c) {
  iod_subscribing_t how = {.name = IOD_SLICE("news"), .deliver = IOD_DELIVER_TEXT};
  CHECK_INT(iod_pubsub_subscribe(server, &c->subscriber, &how), 0);
}

static void tell(iod_connection_t *c, uint8_t what, const iod_message_t *m) {
  _Atomic int *in = &inside[iod_handle_slot(c->stream) % 4096];
  if (atomic_fetch_add(in, 1) > 0) atomic_fetch_add(&overlaps, 1);
  switch (what) {
  case IOD_TELL_OPEN:
    if (atomic_load(&subscribes)) subscribe(c);
    atomic_fetch_add(&opened, 1);
    iod_connection_resume(c);
    break;
  case IOD_TELL_MESSAGE: hear(c, m); break;
  case IOD_TELL_CALL: atomic_fetch_add(&calls, 1); break;
  case IOD_TELL_DRAINED: atomic_fetch_add(&drained, 1); break;
  case IOD_TELL_SHUTDOWN: atomic_fetch_add(&shut, 1); break;
  case IOD_TELL_CLOSE: atomic_fetch_add(&closed, 1); break;
  }
  atomic_fetch_sub(in, 1);
}

static void run_connection(iod_connection_t *c) {
  iod_message_t *message;
  for (int i = 0; i < BATCH; i++) {
    uint8_t what = iod_connection_take(c, &message);
    if (!what) break;
    tell(c, what, message);
    iod_message_free(message);
  }
  iod_connection_rest(c);
}

static void *application_thread(void *unused) {
  iod_crew_thread_t thread;
  iod_crew_thread_init(server, &thread);
  while (!atomic_load(&server->crew.halted)) {
    for (iod_job_t *job; (job = iod_crew_take(server, &thread)); iod_crew_done(server)) {
      if (job->kind == IOD_JOB_CONNECTION)
        run_connection((iod_connection_t *)job);
      else if (job->kind == IOD_JOB_RELEASE)
        on_released((iod_release_job_t *)job);
      else
        iod_free(job);
    }
    if (!iod_crew_quick_turn(server)) iod_crew_idle(server, &thread);
  }
  iod_crew_thread_deinit(server, &thread);
  return unused;
}

static void begin(size_t max_pending) {
  char sentence[IOD_SENTENCE_ROOM];
  iod_settings_t settings = {
      .write_timeout = 5000, .backlog = 64, .mode = 0600, .raw = true, .max_pending = max_pending};
  atomic_store(&opened, 0), atomic_store(&closed, 0), atomic_store(&drained, 0), atomic_store(&shut, 0);
  atomic_store(&calls, 0), atomic_store(&overlaps, 0), atomic_store(&abandoned, 0), atomic_store(&slow, false);
  server = iod_server_new(1, on_released);
  CHECK(server != NULL);
  server->abandoned = on_abandoned;
  CHECK_INT(iod_listener_add(server, true, "127.0.0.1", 0, &settings, NULL, &listener, sentence), 0);
  CHECK_INT(iod_server_open(server, 0), 0);
  for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, application_thread, NULL), 0);
}

static void end(void) {
  iod_crew_halt(server);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  iod_server_close(server);
  iod_server_free(server);
}

/* ---- the client ---- */

static int join_server(int fd) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  a.sin_port = htons((uint16_t)atoi(strrchr(listener->name, ':') + 1));
  CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
  return fd;
}

static int dial(void) { return join_server(socket(AF_INET, SOCK_STREAM, 0)); }

static bool say(int fd, const char *bytes, size_t length) {
  return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* Reads `length` bytes that equal these. */
static bool hears(int fd, const char *bytes, size_t length) {
  char room[4096];
  while (length > 0) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 15000) <= 0) return false;
    ssize_t n = recv(fd, room, length < sizeof room ? length : sizeof room, 0);
    if (n <= 0 || memcmp(room, bytes, (size_t)n) != 0) return false;
    bytes += n;
    length -= (size_t)n;
  }
  return true;
}

static bool hears_end(int fd) {
  char byte;
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  return poll(&ready, 1, 15000) > 0 && recv(fd, &byte, 1, 0) <= 0;
}

static bool comes_to(_Atomic int *counter, int value) {
  for (int i = 0; i < 5000 && atomic_load(counter) != value; i++) usleep(1000);
  return atomic_load(counter) == value;
}

/* ---- the tests ---- */

TEST(connection_echoes) {
  enum { CLIENTS = 16, ROUNDS = 50 };
  int fds[CLIENTS];
  char text[64];
  begin(1 << 20);
  test_case("many clients and threads: each strand by one thread at a time, in order");
  for (int i = 0; i < CLIENTS; i++) fds[i] = dial();
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i % 26);
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < CLIENTS; i++) CHECK(say(fds[i], text, sizeof text));
  for (int i = 0; i < CLIENTS; i++)
    for (int round = 0; round < ROUNDS; round++) CHECK(hears(fds[i], text, sizeof text));
  CHECK_INT(atomic_load(&overlaps), 0);
  CHECK_INT(atomic_load(&opened), CLIENTS);
  CHECK(atomic_load(&drained) > 0);

  test_case("every way to close is told once");
  for (int i = 0; i < CLIENTS; i++) {
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (i % 4 == 0) CHECK(say(fds[i], "x", 1) && hears_end(fds[i]));
    if (i % 4 == 1) CHECK(say(fds[i], text, sizeof text) && shutdown(fds[i], SHUT_WR) == 0);
    if (i % 4 == 1) CHECK(hears(fds[i], text, sizeof text) && hears_end(fds[i]));
    if (i % 4 == 2) setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fds[i]);
  }
  CHECK(comes_to(&closed, CLIENTS));
  end();
  CHECK_INT(atomic_load(&closed), CLIENTS);
  CHECK_INT(atomic_load(&abandoned), 0);
}

TEST(connection_waits_for_the_application) {
  enum { SIZE = 2 << 20 };
  char *sent = malloc(SIZE);
  begin(64 << 20);
  test_case("a client faster than the application is made to wait, and loses nothing");
  for (size_t i = 0; i < SIZE; i++) sent[i] = (char)(i * 7 + i / 251);
  atomic_store(&slow, true);
  int fd = dial();
  size_t out = 0, in = 0;
  while (in < SIZE) {
    char room[16384];
    struct pollfd ready = {.fd = fd, .events = (short)(POLLIN | (out < SIZE ? POLLOUT : 0))};
    if (poll(&ready, 1, 15000) <= 0) break;
    if (ready.revents & POLLOUT) out += (size_t)send(fd, sent + out, SIZE - out < 8192 ? SIZE - out : 8192, 0);
    if (!(ready.revents & POLLIN)) continue;
    ssize_t n = recv(fd, room, sizeof room, 0);
    if (n <= 0 || memcmp(room, sent + in, (size_t)n) != 0) break;
    in += (size_t)n;
  }
  CHECK_INT(in, SIZE);
  close(fd);
  CHECK(comes_to(&closed, 1));
  end();
  free(sent);
}

TEST(connection_piles_up) {
  static char block[65536];
  begin(256 * 1024);
  test_case("a client that doesn't read is closed, and the others are not");
  int fd = dial(), other = dial();
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  for (int i = 0; i < 2000 && atomic_load(&closed) == 0; i++) {
    if (poll(&ready, 1, 10) > 0) (void)!send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  CHECK(comes_to(&closed, 1));
  CHECK(say(other, "hello", 5) && hears(other, "hello", 5));
  close(fd), close(other);
  CHECK(comes_to(&closed, 2));
  end();
}

/* A client whose kernel takes a megabyte at once, and who reads nothing before all is there. */
static int dial_wide(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), size = 4 << 20;
  CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
  return join_server(fd);
}

static bool hears_as_much(int fd, size_t length) {
  static char room[65536];
  for (ssize_t n; length > 0; length -= (size_t)n) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 15000) <= 0) return false;
    if ((n = recv(fd, room, length < sizeof room ? length : sizeof room, 0)) <= 0) return false;
  }
  return true;
}

TEST(connection_is_published_to) {
  enum { SIZE = 64 * 1024, COUNT = 14 };
  char *text = malloc(SIZE);
  memset(text, 'p', SIZE);
  begin(100 * 1024);
  test_case("a burst of many times what may pile up closes nobody whose socket takes it");
  atomic_store(&subscribes, true);
  int fd = dial_wide();
  CHECK(comes_to(&opened, 1));
  iod_server_lock(server); /* so that it is gathered until all was published */
  for (int i = 0; i < COUNT; i++) {
    iod_publication_t *p = iod_publication_new(IOD_SLICE("news"), (iod_slice_t){text, SIZE}, true);
    iod_pubsub_deliver(server, p);
    iod_publication_unref(p);
  }
  iod_server_unlock(server);
  CHECK(hears_as_much(fd, (size_t)SIZE * COUNT));
  close(fd);
  CHECK(comes_to(&closed, 1));
  atomic_store(&subscribes, false);
  end();
  free(text);
}

TEST(connection_is_dropped) {
  begin(64 << 20);
  test_case("at once, though it was to close after what is pending; the others go on");
  int other = dial();
  for (int i = 0; i < 8; i++) {
    int fd = dial();
    CHECK(say(fd, "d", 1));
    CHECK(comes_to(&closed, i + 1));
    close(fd);
  }
  CHECK(say(other, "hello", 5) && hears(other, "hello", 5));
  close(other);
  CHECK(comes_to(&closed, 9));
  end();
}

TEST(connection_ends) {
  begin(1 << 20);
  test_case("a drain tells each, lets the last go out and closes");
  int fds[8];
  for (int i = 0; i < 8; i++) fds[i] = dial();
  CHECK(comes_to(&opened, 8));
  for (int i = 0; i < 8; i++) CHECK(say(fds[i], "hello", 5) && hears(fds[i], "hello", 5));
  iod_server_drain(server);
  for (int i = 0; i < 8; i++) CHECK(hears_end(fds[i]));
  CHECK(comes_to(&closed, 8));
  CHECK_INT(atomic_load(&shut), 8);
  for (int i = 0; i < 1000 && iod_server_busy(server); i++) usleep(1000);
  CHECK_INT(iod_server_busy(server), 0);
  for (int i = 0; i < 8; i++) close(fds[i]);
  end();

  begin(1 << 20);
  test_case("what nobody is told of any more is abandoned");
  for (int i = 0; i < 8; i++) fds[i] = dial();
  CHECK(comes_to(&opened, 8));
  end();
  CHECK_INT(atomic_load(&abandoned), 8 - atomic_load(&closed));
  for (int i = 0; i < 8; i++) close(fds[i]);
}

TEST(connection_without_memory) {
  begin(1 << 20);
  test_case("allocations fail, one after the other: what can't be served is closed and told so, and nothing is left");
  for (int k = 0; k < 60; k++) {
    __atomic_store_n(&iod_alloc_countdown, k / 4, __ATOMIC_SEQ_CST);
    int fd = dial();
    if (say(fd, "hello", 5)) (void)hears(fd, "hello", 5);
    __atomic_store_n(&iod_alloc_countdown, -1, __ATOMIC_SEQ_CST);
    close(fd);
  }
  for (int i = 0; i < 5000 && atomic_load(&server->untold) > 0; i++) usleep(1000);
  CHECK_INT(atomic_load(&server->untold), 0);
  CHECK_INT(atomic_load(&closed), atomic_load(&opened));
  int fd = dial();
  CHECK(say(fd, "hello", 5) && hears(fd, "hello", 5));
  close(fd);
  end();
}

/* ---- the strand alone ---- */

TEST(connection_strand) {
  iod_message_t *m;
  server = iod_server_new(1, on_released);
  CHECK_INT(iod_server_open(server, 0), 0);
  iod_connection_t *c = iod_connection_new(server, IOD_CONNECTION_RAW);
  test_case("signals first, once each, then what is queued, in order");
  iod_connection_tell(c, IOD_TELL_OPEN);
  CHECK_INT(iod_connection_tell_message(c, IOD_SLICE("one"), false, NULL), 0);
  CHECK_INT(iod_connection_call(c), 0);
  CHECK_INT(iod_connection_tell_message(c, IOD_SLICE("two"), true, NULL), 0);
  for (int i = 0; i < 3; i++) iod_connection_tell(c, IOD_TELL_DRAINED);
  CHECK(iod_jobs_take(&server->jobs) == &c->strand.job);
  CHECK(iod_jobs_take(&server->jobs) == NULL);
  static const uint8_t order[] = {IOD_TELL_OPEN, IOD_TELL_DRAINED, IOD_TELL_MESSAGE,
                                  IOD_TELL_CALL, IOD_TELL_MESSAGE, 0};
  for (size_t i = 0; i < sizeof order; i++) {
    CHECK_INT(iod_connection_take(c, &m), order[i]);
    if (i == 2) CHECK_BYTES(m->bytes, m->length, "one");
    if (i == 4) CHECK(m->text);
    iod_message_free(m);
  }

  test_case("that all is out is not told when more waits meanwhile");
  atomic_store(&c->sent, 1);
  iod_connection_tell(c, IOD_TELL_DRAINED);
  CHECK_INT(iod_connection_take(c, &m), 0);
  atomic_store(&c->sent, 0);
  CHECK_INT(iod_connection_take(c, &m), 0);
  iod_connection_tell(c, IOD_TELL_DRAINED);
  CHECK_INT(iod_connection_take(c, &m), IOD_TELL_DRAINED);

  test_case("only what is wanted is queued");
  iod_connection_rest(c);
  atomic_store(&c->wants, 0);
  iod_connection_tell(c, IOD_TELL_PING);
  CHECK_INT(iod_connection_tell_message(c, IOD_SLICE("x"), false, NULL), 0);
  CHECK(iod_jobs_take(&server->jobs) == NULL);
  CHECK(iod_connection_end(c, IOD_TELL_SHUTDOWN));

  test_case("too much is said to be so, and the close is the last");
  atomic_store(&c->wants, UINT8_MAX);
  int said = 0, result = 0;
  while (said < 5000 && result == 0) result = (said++, iod_connection_tell_message(c, IOD_SLICE("m"), false, NULL));
  CHECK_INT(result, IOD_E_FULL);
  iod_connection_closed(c);
  CHECK_INT(iod_connection_call(c), 0);
  CHECK(iod_jobs_take(&server->jobs) == &c->strand.job);
  for (; said >= 0; said--) {
    CHECK(iod_connection_take(c, &m) & (IOD_TELL_MESSAGE | IOD_TELL_CALL));
    iod_message_free(m);
  }
  iod_connection_ref(c);
  CHECK_INT(iod_connection_take(c, &m), IOD_TELL_CLOSE);
  CHECK_INT(iod_connection_call(c), IOD_E_CLOSED);
  iod_connection_rest(c);
  CHECK_INT(atomic_load(&server->untold), 0);
  iod_connection_unref(c);
  iod_server_close(server);
  iod_server_free(server);
}
