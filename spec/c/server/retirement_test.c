/* A server whose place others take: an HTTP and a raw listener, a C application on one thread, real sockets. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/connection.h"
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

enum { LINES = 32, HOUR = 3600 * 1000 };

static iod_server_t *server;
static iod_listener_t *http, *raw;
static pthread_t application;
static _Atomic int opened, shut, closed;
static _Atomic bool begun, held; /* a request of /held waits for its answer */

static void on_released(iod_release_job_t *job) { (void)job; }

/* ---- the application ---- */

/* As it promises in its head, which is made before it may have to wait. */
static void answer(iod_request_t *r) {
  bool keep = atomic_load(&r->keep_alive);
  char text[160];
  int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n%s\r\nok",
                   keep ? "" : "connection: close\r\n");
  if (iod_slice_equal(iod_request_slice(r, r->head.path), IOD_SLICE("/held"))) {
    atomic_store(&begun, true);
    while (atomic_load(&held)) usleep(1000);
  }
  iod_segment_t segment = iod_segment_bytes(text, (size_t)n);
  iod_send_t send = {.flags = IOD_SEND_LAST | (keep ? 0 : IOD_SEND_CLOSE), .status = 200, .body_bytes = 2};
  CHECK_INT(iod_request_send(server, r, &send, &segment, 1), 0);
  iod_request_unref(r);
}

static void run_connection(iod_connection_t *c) {
  iod_message_t *message;
  for (uint8_t what; (what = iod_connection_take(c, &message));) {
    iod_message_free(message);
    if (what == IOD_TELL_OPEN) atomic_fetch_add(&opened, 1), iod_connection_resume(c);
    if (what == IOD_TELL_SHUTDOWN) atomic_fetch_add(&shut, 1);
    if (what == IOD_TELL_CLOSE) atomic_fetch_add(&closed, 1);
  }
  iod_connection_rest(c);
}

static void *application_thread(void *unused) {
  iod_crew_thread_t thread;
  iod_crew_thread_init(server, &thread);
  while (!atomic_load(&server->crew.halted)) {
    for (iod_job_t *job; (job = iod_crew_take(server, &thread)); iod_crew_done(server)) {
      if (job->kind == IOD_JOB_REQUEST)
        answer((iod_request_t *)job);
      else
        run_connection((iod_connection_t *)job);
    }
    if (!iod_crew_quick_turn(server)) iod_crew_idle(server, &thread);
  }
  iod_crew_thread_deinit(server, &thread);
  return unused;
}

static iod_listener_t *listen_for(bool is_raw) {
  char sentence[IOD_SENTENCE_ROOM];
  iod_listener_t *listener = NULL;
  iod_settings_t settings = {.keep_alive = is_raw ? 0 : 60000,
                             .write_timeout = 5000,
                             .limits = {8192, 4096, 4096, 64, 1 << 20},
                             .backlog = 64,
                             .raw = is_raw,
                             .max_pending = 1 << 20};
  CHECK_INT(iod_listener_add(server, true, "127.0.0.1", 0, &settings, NULL, &listener, sentence), 0);
  return listener;
}

static void begin(void) {
  atomic_store(&opened, 0), atomic_store(&shut, 0), atomic_store(&closed, 0);
  atomic_store(&begun, false), atomic_store(&held, false);
  server = iod_server_new(1, on_released);
  CHECK(server != NULL);
  http = listen_for(false);
  raw = listen_for(true);
  CHECK_INT(iod_server_open(server, 0), 0);
  CHECK_INT(pthread_create(&application, NULL, application_thread, NULL), 0);
}

static void end(void) {
  iod_crew_halt(server);
  pthread_join(application, NULL);
  iod_server_close(server);
  iod_server_free(server);
}

/* ---- the client ---- */

static int dial(const char *name) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  a.sin_port = htons((uint16_t)atoi(strrchr(name, ':') + 1));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
  close(fd);
  return -1;
}

static void ask(int fd, const char *path) {
  char text[100];
  int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
  CHECK_INT(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

/* One answer: does it say that the connection closes? */
static bool answered(int fd, bool closes) {
  char text[512];
  size_t length = 0;
  while (length < sizeof text - 1) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 15000) <= 0) return false;
    ssize_t n = recv(fd, text + length, sizeof text - 1 - length, 0);
    if (n <= 0) return false;
    text[length += (size_t)n] = 0;
    if (strstr(text, "\r\n\r\nok")) return (strstr(text, "connection: close") != NULL) == closes;
  }
  return false;
}

static bool hears_end(int fd) {
  char byte;
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  return poll(&ready, 1, 15000) > 0 && recv(fd, &byte, 1, 0) <= 0;
}

static bool comes_to(_Atomic int *counter, int value) {
  for (int i = 0; i < 15000 && atomic_load(counter) != value; i++) usleep(1000);
  return atomic_load(counter) == value;
}

static bool is_left_alone(void) {
  for (int i = 0; i < 15000 && (iod_server_connections(server) || iod_server_busy(server)); i++) usleep(1000);
  return iod_server_connections(server) == 0 && iod_server_busy(server) == 0;
}

/* ---- the tests ---- */

TEST(retirement_of_kept_connections) {
  begin();
  char name[IOD_ADDRESS_ROOM];
  snprintf(name, sizeof name, "%s", http->name);
  int kept = dial(name), promised = dial(name), idle = dial(name), late = dial(name);
  ask(kept, "/");
  CHECK(answered(kept, false));
  ask(idle, "/");
  CHECK(answered(idle, false));
  ask(late, "/");
  CHECK(answered(late, false));
  atomic_store(&held, true);
  ask(promised, "/held");
  while (!atomic_load(&begun)) usleep(1000);
  iod_server_retire(server, HOUR);

  test_case("no more accepts");
  CHECK_INT(dial(name), -1);
  test_case("what an answer had promised before is kept");
  atomic_store(&held, false);
  CHECK(answered(promised, false));
  ask(promised, "/");
  CHECK(answered(promised, true));
  CHECK(hears_end(promised));
  test_case("a kept connection closes with its next answer");
  ask(kept, "/");
  CHECK(answered(kept, true));
  CHECK(hears_end(kept));
  test_case("at the end idle ones close, and what came until then is answered");
  iod_server_lock(server); /* nothing is read before */
  ask(late, "/");
  iod_server_close_door(server);
  iod_server_unlock(server);
  iod_server_drain(server);
  CHECK(answered(late, true));
  CHECK(hears_end(late));
  CHECK(hears_end(idle));
  CHECK(is_left_alone());
  end();
  close(kept), close(promised), close(idle), close(late);
}

static void open_lines(int fds[LINES]) {
  for (int i = 0; i < LINES; i++) fds[i] = dial(raw->name);
  CHECK(comes_to(&opened, LINES));
}

static void close_lines(const int fds[LINES]) {
  for (int i = 0; i < LINES; i++) {
    CHECK(hears_end(fds[i]));
    close(fds[i]);
  }
  CHECK(comes_to(&closed, LINES));
  CHECK_INT(atomic_load(&shut), LINES);
  CHECK(is_left_alone());
}

TEST(retirement_of_lines) {
  int fds[LINES];
  test_case("they close one after the other, and are told so once");
  begin();
  open_lines(fds);
  iod_server_retire(server, 1500);
  bool some = false;
  for (int n = 0; n < LINES; usleep(1000)) some |= (n = atomic_load(&closed)) > 0 && n < LINES;
  CHECK(some);
  close_lines(fds);
  iod_server_drain(server);
  end();

  test_case("the end closes those that are left");
  begin();
  open_lines(fds);
  iod_server_retire(server, HOUR);
  CHECK(atomic_load(&shut) < LINES);
  iod_server_drain(server);
  close_lines(fds);
  end();

  test_case("without time for it they close at once");
  begin();
  open_lines(fds);
  iod_server_retire(server, 0);
  close_lines(fds);
  end();
}
