/* The whole server without Ruby: a C application on one thread, real sockets. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/server.h"
#include "../test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 300 * 1024 };

static iod_server_t *server;
static iod_listener_t *listener;
static pthread_t application;
static char big[BIG];
static _Atomic int released, timers_fired, calls_made;
static iod_release_job_t release_job;

static void on_released(iod_release_job_t *job) {
  (void)job;
  atomic_fetch_add(&released, 1);
}

/* ---- the application ---- */

static void respond(iod_request_t *r, const char *body, size_t length, int flags) {
  char head[160];
  int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", length);
  iod_segment_t segments[] = {{.kind = IOD_SEGMENT_BYTES, .bytes = head, .length = (size_t)n},
                              {.kind = IOD_SEGMENT_BYTES, .bytes = body, .length = length}};
  iod_send_t send = {.flags = flags, .status = 200, .body_bytes = length};
  int result = iod_request_send(server, r, &send, segments, 2);
  (void)result;
}

static void respond_shared(iod_request_t *r) {
  char head[] = "HTTP/1.1 200 OK\r\ncontent-length: 307200\r\n\r\n";
  iod_segment_t segments[] = {{.kind = IOD_SEGMENT_BYTES, .bytes = head, .length = sizeof head - 1},
                              {.kind = IOD_SEGMENT_SHARED, .bytes = big, .length = BIG, .release = &release_job}};
  iod_send_t send = {.flags = IOD_SEND_LAST, .status = 200};
  int result = iod_request_send(server, r, &send, segments, 2);
  (void)result;
}

static void respond_streaming(iod_request_t *r) {
  static const _Atomic bool never = false;
  char head[] = "HTTP/1.1 200 OK\r\ncontent-length: 307200\r\n\r\n";
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = head, .length = sizeof head - 1};
  iod_send_t send = {.status = 200};
  int result = iod_request_send(server, r, &send, &segment, 1);
  for (size_t at = 0; result == 0 && at < BIG; at += 1024) {
    segment.bytes = big + at, segment.length = 1024;
    send = (iod_send_t){.flags = at + 1024 == BIG ? IOD_SEND_LAST : 0, .body_bytes = 1024};
    result = iod_request_send(server, r, &send, &segment, 1);
    if (result == 0 && atomic_load(&r->pending) > 32 * 1024) result = iod_request_wait_drained(server, r, 8192, &never);
  }
}

/* ---- pieces that are sent while the state lock is held, and a thread that waits for them ---- */

static _Atomic bool holding, stuck;
static _Atomic int blocked, unblocked;

static void *hold_state_lock(void *unused) {
  iod_server_lock(server);
  atomic_store(&holding, true);
  while (atomic_load(&server->drain_waiters) == 0) usleep(1000);
  iod_server_unlock(server);
  for (int i = 0; i < 2000 && atomic_load(&server->drain_waiters) > 0; i++) usleep(1000);
  atomic_store(&stuck, atomic_load(&server->drain_waiters) > 0);
  iod_server_wake_waiters(server);
  return unused;
}

static void respond_held(iod_request_t *r) {
  char head[] = "HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n";
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = head, .length = sizeof head - 1};
  iod_send_t send = {.status = 200};
  pthread_t holder;
  CHECK_INT(iod_request_send(server, r, &send, &segment, 1), 0);
  CHECK_INT(pthread_create(&holder, NULL, hold_state_lock, NULL), 0);
  while (!atomic_load(&holding)) usleep(1000);
  for (size_t at = 0; at < 65536; at += 1024) {
    segment.bytes = big + at, segment.length = 1024;
    send = (iod_send_t){.body_bytes = 1024};
    CHECK_INT(iod_request_send(server, r, &send, &segment, 1), 0);
  }
  CHECK_INT(iod_request_wait_drained(server, r, 8192, &stuck), 0);
  pthread_join(holder, NULL);
  send = (iod_send_t){.flags = IOD_SEND_LAST};
  CHECK_INT(iod_request_send(server, r, &send, NULL, 0), 0);
}

/* A thread outside the crew that waits for a client that does not read. */
static void *fill(void *argument) {
  static const _Atomic bool never = false;
  iod_request_t *r = argument;
  CHECK_INT(iod_request_wait_drained(server, r, 0, &never), IOD_E_CLOSED);
  atomic_fetch_add(&unblocked, 1);
  iod_request_unref(r);
  return NULL;
}

static pthread_t filler;

static void respond_filled(iod_request_t *r) {
  char head[] = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n";
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = head, .length = sizeof head - 1};
  iod_send_t send = {.status = 200};
  int result = iod_request_send(server, r, &send, &segment, 1);
  segment.bytes = big, segment.length = BIG;
  while (result == 0 && atomic_load(&r->pending) == 0) result = iod_request_send(server, r, &send, &segment, 1);
  CHECK_INT(result, 0);
  atomic_fetch_add(&r->references, 1);
  CHECK_INT(pthread_create(&filler, NULL, fill, r), 0);
}

static void block(void) {
  atomic_fetch_add(&blocked, 1);
  while (atomic_load(&unblocked) < atomic_load(&blocked)) usleep(1000);
}

static void hijack(iod_request_t *r) {
  char *early = NULL;
  size_t length = 0;
  int fd = iod_request_hijack(server, r, &early, &length);
  if (fd < 0) return;
  if (length == 0 || write(fd, early, length) == (ssize_t)length) length = (size_t)write(fd, " hijacked", 9);
  iod_free(early);
  close(fd);
}

static void run_request(iod_request_t *r) {
  iod_slice_t path = iod_request_slice(r, r->head.path);
  if (iod_slice_equal(path, IOD_SLICE("/shared")))
    respond_shared(r);
  else if (iod_slice_equal(path, IOD_SLICE("/stream")))
    respond_streaming(r);
  else if (iod_slice_equal(path, IOD_SLICE("/hijack")))
    hijack(r);
  else if (iod_slice_equal(path, IOD_SLICE("/held")))
    respond_held(r);
  else if (iod_slice_equal(path, IOD_SLICE("/filled")))
    respond_filled(r);
  else if (iod_slice_equal(path, IOD_SLICE("/block")))
    block();
  else if (r->body.length > 0 && !r->body.file)
    respond(r, r->body.bytes, r->body.length, IOD_SEND_LAST);
  else
    respond(r, path.at, path.length, IOD_SEND_LAST | (r->keep_alive ? 0 : IOD_SEND_CLOSE));
  iod_request_unref(r);
}

static void run_job(iod_job_t *job) {
  if (job->kind == IOD_JOB_REQUEST) {
    run_request((iod_request_t *)job);
  } else if (job->kind == IOD_JOB_RELEASE) {
    on_released((iod_release_job_t *)job);
  } else {
    atomic_fetch_add(job->kind == IOD_JOB_TIMER ? &timers_fired : &calls_made, 1);
    iod_free(job);
  }
}

static void *application_thread(void *unused) {
  iod_crew_thread_t thread;
  iod_crew_thread_init(server, &thread);
  while (!atomic_load(&server->crew.halted)) {
    for (iod_job_t *job; (job = iod_crew_take(server, &thread)); iod_crew_done(server)) run_job(job);
    if (!iod_crew_quick_turn(server)) iod_crew_idle(server, &thread);
  }
  iod_crew_thread_deinit(server, &thread);
  return unused;
}

/* ---- life ---- */

static void begin(uint32_t head_timeout) {
  char sentence[IOD_SENTENCE_ROOM];
  iod_settings_t settings = {.keep_alive = 5000,
                             .head_timeout = head_timeout,
                             .body_timeout = 5000,
                             .write_timeout = 5000,
                             .limits = {8192, 4096, 4096, 64, 1 << 20},
                             .backlog = 64,
                             .mode = 0600};
  memset(big, 'b', sizeof big);
  atomic_store(&released, 0);
  server = iod_server_new(1, on_released);
  CHECK(server != NULL);
  CHECK_INT(iod_listener_add(server, true, "127.0.0.1", 0, &settings, NULL, &listener, sentence), 0);
  CHECK_INT(iod_server_open(server, 0), 0);
  CHECK_INT(pthread_create(&application, NULL, application_thread, NULL), 0);
}

static void end(void) {
  iod_server_drain(server);
  iod_crew_halt(server);
  pthread_join(application, NULL);
  iod_server_close(server);
  iod_server_free(server);
}

/* ---- the client ---- */

static int dial(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  a.sin_port = htons((uint16_t)atoi(strrchr(listener->name, ':') + 1));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
  return fd;
}

static void say(int fd, const char *text) {
  ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
  (void)n; /* the server may have closed already */
}

/* What comes until the end, a pause of fifteen seconds or `most` bytes. */
static size_t hear(int fd, char *room, size_t most) {
  size_t length = 0;
  while (length < most) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 15000) <= 0) break;
    ssize_t n = recv(fd, room + length, most - length, 0);
    if (n <= 0) break;
    length += (size_t)n;
  }
  return length;
}

static char heard[BIG + 4096];

static const char *ask(const char *text) {
  int fd = dial();
  say(fd, text);
  heard[hear(fd, heard, sizeof heard - 1)] = 0;
  close(fd);
  return heard;
}

static bool ends_with(const char *text, const char *tail) {
  size_t n = strlen(text), t = strlen(tail);
  return n >= t && strcmp(text + n - t, tail) == 0;
}

#define HOST  "Host: x\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

TEST(server_answers) {
  begin(5000);
  test_case("a request, a body, the server's own refusals");
  CHECK(ends_with(ask("GET /here HTTP/1.1\r\n" CLOSE), "/here"));
  CHECK(ends_with(ask("POST / HTTP/1.1\r\nContent-Length: 5\r\n" HOST "Connection: close\r\n\r\nhello"), "hello"));
  CHECK(ends_with(ask("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nok"), "ok"));
  CHECK(strncmp(ask("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 ", 13) == 0);
  CHECK(strncmp(ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 9999999\r\n\r\n"), "HTTP/1.1 413 ", 13) == 0);
  CHECK(strncmp(ask("OPTIONS * HTTP/1.1\r\n" CLOSE), "HTTP/1.1 204 ", 13) == 0);

  test_case("an expectation is answered before the body comes");
  int fd = dial();
  say(fd, "POST / HTTP/1.1\r\n" HOST "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  heard[hear(fd, heard, 25)] = 0;
  CHECK(strcmp(heard, "HTTP/1.1 100 Continue\r\n\r\n") == 0);
  say(fd, "ok");
  heard[hear(fd, heard, sizeof heard - 1)] = 0;
  CHECK(ends_with(heard, "ok"));
  close(fd);
  end();
}

TEST(server_cuts) {
  static const char request[] =
      "POST /a HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\nGET /b HTTP/1.1\r\n" CLOSE;
  begin(5000);
  test_case("two requests, cut at every byte");
  char *whole = strdup(ask(request));
  CHECK(ends_with(whole, "/b"));
  for (size_t cut = 1; cut < sizeof request - 1; cut++) {
    int fd = dial(), one = 1;
    setsockopt(fd, IPPROTO_TCP, 1, &one, sizeof one);
    CHECK(send(fd, request, cut, MSG_NOSIGNAL) == (ssize_t)cut);
    usleep(200);
    say(fd, request + cut);
    heard[hear(fd, heard, sizeof heard - 1)] = 0;
    CHECK(strcmp(heard, whole) == 0);
    close(fd);
  }
  free(whole);
  end();
}

TEST(server_pipelines) {
  enum { DEPTH = 1000 };
  begin(5000);
  test_case("a thousand requests at once, answered in order");
  int fd = dial();
  char *row = malloc(DEPTH * 64), *at = row, *expected = malloc(DEPTH * 64), *e = expected;
  for (int i = 0; i < DEPTH; i++) {
    at += sprintf(at, "GET /%04d HTTP/1.1\r\n%s\r\n", i, HOST);
    e += sprintf(e, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n/%04d", i);
  }
  say(fd, row);
  size_t length = hear(fd, heard, (size_t)(e - expected));
  CHECK(length == (size_t)(e - expected) && memcmp(heard, expected, length) == 0);
  close(fd);
  free(row), free(expected);
  end();
}

TEST(server_bodies) {
  begin(5000);
  test_case("borrowed memory comes back once, also for a client that hangs up");
  const char *answer = ask("GET /shared HTTP/1.1\r\n" CLOSE);
  CHECK_INT(strlen(answer), BIG + 43);
  int fd = dial();
  say(fd, "GET /shared HTTP/1.1\r\n" HOST "\r\n");
  usleep(20000);
  close(fd);
  for (int i = 0; i < 200 && atomic_load(&released) < 2; i++) usleep(10000);
  CHECK_INT(atomic_load(&released), 2);

  test_case("a writer waits for its client, and goes on when the client is gone");
  CHECK_INT(strlen(ask("GET /stream HTTP/1.1\r\n" CLOSE)), BIG + 43);
  fd = dial();
  say(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
  usleep(20000);
  close(fd);
  CHECK(ends_with(ask("GET /after HTTP/1.1\r\n" CLOSE), "/after"));

  test_case("a hijacked socket comes with what was read past its request");
  CHECK(ends_with(ask("GET /hijack HTTP/1.1\r\n" HOST "\r\nearly"), "early hijacked"));
  end();
}

static bool eventually(bool (*condition)(void)) {
  for (int i = 0; i < 500 && !condition(); i++) usleep(10000);
  return condition();
}

static bool is_blocked(void) { return atomic_load(&blocked) == 1; }
static bool has_three_jobs(void) { return atomic_load(&server->jobs.waiting) == 3; }
static bool has_one_job(void) { return atomic_load(&server->jobs.waiting) == 1; }
static bool has_waiter(void) { return atomic_load(&server->drain_waiters) == 1; }
static bool is_idle(void) { return iod_server_busy(server) == 0; }

TEST(server_drops_what_nobody_waits_for) {
  begin(5000);
  test_case("a client that hangs up leaves nothing in the queue, wherever its request was in it");
  atomic_store(&blocked, 0), atomic_store(&unblocked, 0);
  int fds[4];
  for (int i = 0; i < 4; i++) {
    fds[i] = dial();
    say(fds[i], i == 0 ? "GET /block HTTP/1.1\r\n" HOST "\r\n" : "GET /kept HTTP/1.1\r\n" CLOSE);
    if (i == 0) CHECK(eventually(is_blocked));
  }
  CHECK(eventually(has_three_jobs));
  struct linger none = {.l_onoff = 1};
  for (int i = 1; i < 4; i += 2) {
    setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fds[i]);
  }
  CHECK(eventually(has_one_job));
  atomic_store(&unblocked, 1);
  heard[hear(fds[2], heard, sizeof heard - 1)] = 0;
  CHECK(ends_with(heard, "/kept"));
  close(fds[0]), close(fds[2]);
  end();
}

static bool is_unanswered(int fd) { return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 0; }

static size_t hear_status(int fd, const char *status) {
  size_t length = hear(fd, heard, 13);
  CHECK(length == 13 && memcmp(heard, status, 13) == 0);
  return hear(fd, heard, sizeof heard - 1);
}

TEST(server_gives_up) {
  enum { QUEUED = 3 };
  begin(5000);
  listener->settings.queue_timeout = 50;
  listener->settings.request_timeout = 300;
  test_case("503 for who waited too long, while the application is busy; 504 for the one that it has");
  atomic_store(&blocked, 0), atomic_store(&unblocked, 0);
  int busy = dial(), fds[QUEUED];
  say(busy, "GET /block HTTP/1.1\r\n" HOST "\r\n");
  CHECK(eventually(is_blocked));
  for (int i = 0; i < QUEUED; i++) say(fds[i] = dial(), "GET /late HTTP/1.1\r\n" CLOSE);
  for (int i = 0; i < QUEUED; i++) CHECK(hear_status(fds[i], "HTTP/1.1 503 ") > 0);
  CHECK(is_unanswered(busy));
  CHECK(hear_status(busy, "HTTP/1.1 504 ") > 0);
  CHECK_INT(atomic_load(&server->jobs.waiting), 0);
  atomic_store(&unblocked, 1);
  CHECK(ends_with(ask("GET /after HTTP/1.1\r\n" CLOSE), "/after"));
  close(busy);
  for (int i = 0; i < QUEUED; i++) close(fds[i]);

  test_case("503 at once for a request too many, and again on the same connection");
  listener->settings.queue_timeout = listener->settings.request_timeout = 0;
  listener->settings.max_queue = 1;
  atomic_store(&blocked, 0), atomic_store(&unblocked, 0);
  say(busy = dial(), "GET /block HTTP/1.1\r\n" HOST "\r\n");
  CHECK(eventually(is_blocked));
  say(fds[0] = dial(), "GET /kept HTTP/1.1\r\n" CLOSE);
  CHECK(eventually(has_one_job));
  say(fds[1] = dial(), "GET /more HTTP/1.1\r\n" HOST "\r\nHEAD /more HTTP/1.1\r\n" CLOSE);
  CHECK(hear_status(fds[1], "HTTP/1.1 503 ") > 150);
  CHECK(is_unanswered(busy) && is_unanswered(fds[0]));
  atomic_store(&unblocked, 1);
  CHECK(hear_status(fds[0], "HTTP/1.1 200 ") > 0);
  for (int i = 0; i < 2; i++) close(fds[i]);
  close(busy);
  end();
}

TEST(server_writers) {
  begin(5000);
  test_case("a writer learns that what it had queued went out at once");
  atomic_store(&holding, false), atomic_store(&stuck, false);
  CHECK_INT(strlen(ask("GET /held HTTP/1.1\r\n" CLOSE)), 65536 + 42);
  CHECK(!atomic_load(&stuck));

  test_case("a writer that waits for its client has left when the server is closed");
  atomic_store(&unblocked, 0);
  int fd = dial();
  say(fd, "GET /filled HTTP/1.1\r\n" HOST "\r\n");
  CHECK(eventually(has_waiter));
  end();
  pthread_join(filler, NULL);
  CHECK_INT(atomic_load(&unblocked), 1);
  close(fd);
}

TEST(server_vacates) {
  test_case("a worker that was killed counts no more");
  bool idle;
  iod_server_t *root = iod_server_new(2, on_released);
  iod_shared_enter(&root->shared, 1);
  CHECK_INT(iod_shared_least(&root->shared, 0, &idle), 0);
  iod_server_vacate(root, 1);
  iod_server_vacate(root, 2); /* no slot: nothing happens */
  CHECK(iod_shared_least(&root->shared, 0, &idle) == UINT32_MAX);
  iod_server_free(root);
}

TEST(server_lingers) {
  begin(5000);
  test_case("an answer that unread input could overtake counts as busy until its client closes");
  int fd = dial();
  say(fd, "GET /last HTTP/1.1\r\n" CLOSE "GET /more HTTP/1.1\r\n" HOST "\r\n");
  heard[hear(fd, heard, sizeof heard - 1)] = 0;
  CHECK(ends_with(heard, "/last"));
  CHECK_INT(iod_server_busy(server), 1);
  close(fd);
  CHECK(eventually(is_idle));
  end();
}

TEST(server_timers) {
  begin(5000);
  test_case("timers fire once, cancelled ones don't, calls are made");
  atomic_store(&timers_fired, 0), atomic_store(&calls_made, 0);
  CHECK_INT(iod_server_timer_add(server, 1, 5), 0);
  CHECK_INT(iod_server_timer_add(server, 2, 10000), 0);
  iod_server_timer_cancel(server, 2);
  CHECK_INT(iod_server_call(server), 0);
  for (int i = 0; i < 200 && (atomic_load(&timers_fired) == 0 || atomic_load(&calls_made) == 0); i++) usleep(10000);
  CHECK_INT(atomic_load(&timers_fired), 1);
  CHECK_INT(atomic_load(&calls_made), 1);
  end();
}

TEST(server_times_out) {
  begin(50);
  test_case("half a head gets 408, and its neighbour an answer");
  int fd = dial();
  say(fd, "GET / HT");
  CHECK(ends_with(ask("GET /meanwhile HTTP/1.1\r\n" CLOSE), "/meanwhile"));
  heard[hear(fd, heard, sizeof heard - 1)] = 0;
  CHECK(strncmp(heard, "HTTP/1.1 408 ", 13) == 0);
  close(fd);
  end();
}

#ifdef IOD_TEST_ALLOC
TEST(server_without_memory) {
  enum { TRIES = 24 };
  begin(5000);
  test_case("whatever allocation fails, the next request is answered");
  static const char *const requests[] = {"GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" CLOSE,
                                         "POST / HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 3\r\n\r\nabc",
                                         "GET /shared HTTP/1.1\r\n" CLOSE, "GET /x HTT"};
  for (long k = 0; k < TRIES; k++) {
    int fd = dial();
    __atomic_store_n(&iod_alloc_countdown, k % 8, __ATOMIC_SEQ_CST);
    say(fd, requests[k % 4]);
    if (k % 4 != 3) hear(fd, heard, sizeof heard);
    __atomic_store_n(&iod_alloc_countdown, -1, __ATOMIC_SEQ_CST);
    close(fd);
    CHECK(ends_with(ask("GET /well HTTP/1.1\r\n" CLOSE), "/well"));
  }
  end();
}

TEST(server_without_memory_for_a_deadline) {
  enum { FULL = 16 /* timers, before their heap grows */, TRIES = 12 };
  static const char *const requests[] = {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n",
                                         "GET / HTTP/1.1\r\nbad\r\n\r\n", "GET /shared HTTP/1.1\r\n" HOST "\r\n"};
  test_case("a connection closes that can't have one");
  for (long k = 0; k < TRIES; k++) {
    int fds[FULL + 1];
    begin(5000);
    listener->settings.keep_alive = 0;
    for (int i = 0; i <= FULL; i++) fds[i] = dial();
    for (int i = 0; i < FULL; i++) say(fds[i], "GET /ha");
    for (int i = 0; i < 500 && iod_server_busy(server) < FULL; i++) usleep(1000);
    __atomic_store_n(&iod_alloc_countdown, k / 3, __ATOMIC_SEQ_CST);
    say(fds[FULL], requests[k % 3]);
    struct pollfd ready = {.fd = fds[FULL], .events = POLLIN};
    poll(&ready, 1, 100);
    __atomic_store_n(&iod_alloc_countdown, -1, __ATOMIC_SEQ_CST);
    for (int i = 0; i <= FULL; i++) close(fds[i]);
    CHECK(ends_with(ask("GET /well HTTP/1.1\r\n" CLOSE), "/well"));
    end();
  }
}
#endif
