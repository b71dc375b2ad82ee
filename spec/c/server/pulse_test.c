/* A worker's signs of life: a C application on one thread that can be held, real sockets. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/server/pulse.h"
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

enum { CLIENTS = 20, BEAT = 50 };

static iod_server_t *server;
static iod_listener_t *listener;
static pthread_t application;
static _Atomic bool held, streams;

static void on_released(iod_release_job_t *job) { (void)job; }

static void stream(iod_request_t *r) {
  iod_segment_t segment = iod_segment_bytes("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", 38);
  iod_send_t send = {.status = 200};
  CHECK_INT(iod_request_send(server, r, &send, &segment, 1), 0);
  for (; atomic_load(&streams); usleep(1000)) {
    iod_segment_t piece = iod_segment_bytes("x", 1);
    send = (iod_send_t){.body_bytes = 1};
    CHECK_INT(iod_request_send(server, r, &send, &piece, 1), 0);
  }
}

static void answer(iod_request_t *r) {
  static const char text[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
  while (atomic_load(&held)) usleep(1000);
  if (atomic_load(&streams)) stream(r);
  iod_segment_t segment = iod_segment_bytes(text, sizeof text - 1);
  iod_send_t send = {.flags = IOD_SEND_LAST | IOD_SEND_CLOSE, .status = 200};
  (void)!iod_request_send(server, r, &send, &segment, 1);
  iod_request_unref(r);
}

static void *application_thread(void *unused) {
  iod_crew_thread_t thread;
  iod_crew_thread_init(server, &thread);
  while (!atomic_load(&server->crew.halted)) {
    for (iod_job_t *job; (job = iod_crew_take(server, &thread)); iod_crew_done(server)) answer((iod_request_t *)job);
    if (!iod_crew_quick_turn(server)) iod_crew_idle(server, &thread);
  }
  iod_crew_thread_deinit(server, &thread);
  return unused;
}

static void begin(void) {
  char sentence[IOD_SENTENCE_ROOM];
  iod_settings_t settings = {
      .keep_alive = 60000, .write_timeout = 5000, .limits = {8192, 4096, 4096, 64, 1 << 20}, .backlog = 64};
  server = iod_server_new(3, on_released);
  CHECK(server != NULL);
  server->beat = BEAT;
  CHECK_INT(iod_listener_add(server, true, "127.0.0.1", 0, &settings, NULL, &listener, sentence), 0);
  CHECK_INT(iod_server_open(server, 1), 0);
  CHECK_INT(pthread_create(&application, NULL, application_thread, NULL), 0);
}

static void end(void) {
  atomic_store(&held, false);
  atomic_store(&streams, false);
  iod_crew_halt(server);
  pthread_join(application, NULL);
  iod_server_close(server);
  iod_server_free(server);
}

static int ask(const char *path) {
  char text[2048];
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  a.sin_port = htons((uint16_t)atoi(strrchr(listener->name, ':') + 1));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
  int n = snprintf(text, sizeof text, "GET %s?secret HTTP/1.1\r\nHost: x\r\n\r\n", path);
  CHECK_INT(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
  return fd;
}

static bool is_answered(int fd) {
  char room[256];
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  bool answered = poll(&ready, 1, 15000) > 0 && recv(fd, room, sizeof room, 0) > 0;
  close(fd);
  return answered;
}

static bool is_stuck(void) { return atomic_load(&server->pulse->stuck_since) > 0; }
static bool is_listed(void) { return atomic_load(&server->pulse->listed) > 0; }
static bool is_running(void) { return atomic_load(&server->crew.slot->running) == 1; }

static bool comes_true(bool (*what)(void), bool expected) {
  for (int i = 0; i < 15000 && what() != expected; i++) usleep(1000);
  return what() == expected;
}

static bool has_counted(void) { return atomic_load(&server->pulse->answered) == 1; }

TEST(pulse_beats) {
  begin();
  test_case("an idle worker gives signs of life, in its own slot");
  uint64_t first = atomic_load(&server->pulses[1].beat);
  CHECK(first > 0);
  for (int i = 0; i < 15000 && atomic_load(&server->pulses[1].beat) < first + 200; i++) usleep(1000);
  CHECK(atomic_load(&server->pulses[1].beat) >= first + 200);
  CHECK_INT(atomic_load(&server->pulses[0].beat), 0);
  test_case("so does one whose thread is at work");
  atomic_store(&held, true);
  int fd = ask("/");
  CHECK(comes_true(is_running, true));
  first = atomic_load(&server->pulse->beat);
  for (int i = 0; i < 15000 && atomic_load(&server->pulse->beat) < first + 200; i++) usleep(1000);
  CHECK(atomic_load(&server->pulse->beat) >= first + 200);
  CHECK(!is_stuck());
  atomic_store(&held, false);
  CHECK(is_answered(fd));
  CHECK(comes_true(has_counted, true));
  test_case("who is gone leaves nothing");
  iod_server_vacate(server, 1);
  CHECK_INT(atomic_load(&server->pulses[1].beat), 0);
  end();
}

TEST(pulse_of_a_stuck_worker) {
  int fds[CLIENTS];
  char path[400];
  iod_pulse_request_t requests[IOD_PULSE_REQUESTS];
  begin();
  test_case("its requests are known, the oldest first, cut and without a query");
  atomic_store(&held, true);
  memset(path, 'p', sizeof path);
  memcpy(path, "/long", 5);
  path[sizeof path - 1] = 0;
  fds[0] = ask(path);
  CHECK(comes_true(is_running, true));
  CHECK_INT(iod_pulse_requests(server->pulse, requests), 0);
  for (int i = 1; i < CLIENTS; i++) fds[i] = ask("/next");
  CHECK(comes_true(is_stuck, true));
  CHECK(comes_true(is_listed, true));
  uint32_t count = iod_pulse_requests(server->pulse, requests);
  CHECK(count > 1 && count <= IOD_PULSE_REQUESTS);
  CHECK_INT(strncmp(requests[0].line, "GET /longppp", 12), 0);
  CHECK_INT(strlen(requests[0].line), IOD_PULSE_LINE - 1);
  CHECK_INT(strcmp(requests[1].line, "GET /next"), 0);
  CHECK(requests[0].since > 0 && requests[0].since <= requests[1].since);
  test_case("once it goes on it isn't stuck");
  atomic_store(&held, false);
  for (int i = 0; i < CLIENTS; i++) CHECK(is_answered(fds[i]));
  CHECK(comes_true(is_stuck, false));
  CHECK(comes_true(is_listed, false));
  CHECK_INT(iod_pulse_requests(server->pulse, requests), 0);
  end();
}

TEST(pulse_of_a_stream) {
  begin();
  test_case("who writes isn't stuck, whatever waits");
  atomic_store(&streams, true);
  int first = ask("/stream"), second = ask("/waits");
  CHECK(comes_true(is_running, true));
  for (int i = 0; i < 15000 && atomic_load(&server->jobs.waiting) == 0; i++) usleep(1000);
  uint64_t sent = atomic_load(&server->pulse->sent);
  for (int i = 0; i < 15000 && atomic_load(&server->pulse->sent) < sent + 1000; i++) usleep(1000);
  CHECK(!is_listed());
  atomic_store(&streams, false);
  CHECK(is_answered(first));
  CHECK(is_answered(second));
  end();
}
