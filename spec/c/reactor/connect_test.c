#include "../../../ext/iodine/reactor/loop.h"
#include "../../../ext/iodine/reactor/socket.h"
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a stream that keeps what it is told ---- */

enum { NEVER = -1 };

static char seen[256];
static size_t seen_length;
static int connects, connect_error, eofs, closes, timeouts, hangups;

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  (void)s;
  memcpy(seen + seen_length, bytes, length);
  seen_length += length;
  return length;
}
static void on_connect(iod_stream_t *s, int error) {
  connects++;
  connect_error = error;
  CHECK(!s->connecting);
}
static void on_eof(iod_stream_t *s) {
  eofs++;
  iod_stream_finish(s);
}
static void on_hangup(iod_stream_t *s) { (void)s, hangups++; }
static void on_written(iod_stream_t *s) { (void)s; }
static void on_timeout(iod_stream_t *s) {
  timeouts++;
  iod_stream_close(s);
}
static void on_close(iod_stream_t *s) { (void)s, closes++; }
static const iod_stream_ops_t ops = {.on_data = on_data,
                                     .on_eof = on_eof,
                                     .on_hangup = on_hangup,
                                     .on_written = on_written,
                                     .on_timeout = on_timeout,
                                     .on_connect = on_connect,
                                     .on_close = on_close};

static iod_loop_t loop;

static int begin(void) {
  seen_length = 0;
  connects = eofs = closes = timeouts = hangups = 0;
  connect_error = NEVER;
  return iod_loop_init(&loop, sizeof(iod_stream_t));
}

static void turn(int max_ms) {
  if (!iod_loop_claim(&loop)) abort();
  CHECK(iod_loop_poll(&loop, max_ms) >= 0);
  iod_loop_lock(&loop);
  iod_loop_turn(&loop);
  iod_loop_unlock(&loop);
  iod_loop_yield(&loop);
}

/* Turns until that is so, or nothing comes for a while. */
#define TURN_UNTIL(condition)                                                                                          \
  for (int turns = 0; !(condition) && turns < 50; turns++) turn(100)

static iod_stream_t *connect_stream(int fd) {
  CHECK(fd >= 0);
  iod_loop_lock(&loop);
  iod_stream_t *s = iod_loop_connect(&loop, fd, &ops);
  iod_loop_unlock(&loop);
  return s;
}

static int send_text(iod_stream_t *s, const char *text) {
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = text, .length = strlen(text)};
  iod_loop_lock(&loop);
  int result = iod_stream_send(s, &segment, 1);
  iod_loop_unlock(&loop);
  return result;
}

/* ---- what it connects to ---- */

static uint16_t port;
static char path[64];

static int listen_tcp(const char *address) {
  char name[IOD_ADDRESS_ROOM], sentence[IOD_SENTENCE_ROOM];
  int fd = iod_socket_listen_tcp(address, 0, 1, name, sentence);
  port = fd < 0 ? 0 : (uint16_t)atoi(strrchr(name, ':') + 1);
  return fd;
}

static int listen_unix(void) {
  char sentence[IOD_SENTENCE_ROOM];
  snprintf(path, sizeof path, "/tmp/iodine-connect-%d", (int)getpid());
  return iod_socket_listen_unix(path, 0600, 1, sentence);
}

static int connect_tcp(const char *address) {
  iod_peer_t peer;
  char sentence[IOD_SENTENCE_ROOM];
  int fd = iod_socket_connect_tcp(address, port, &peer, sentence);
  if (fd >= 0) CHECK_BYTES(peer.ip, peer.ip_length, address);
  return fd;
}

static int connect_unix(void) {
  iod_peer_t peer;
  char sentence[IOD_SENTENCE_ROOM];
  return iod_socket_connect_unix(path, &peer, sentence);
}

/* The other end, once it is there; blocking. */
static int accept_one(int listener) {
  struct pollfd p = {.fd = listener, .events = POLLIN};
  CHECK_INT(poll(&p, 1, 5000), 1);
  return accept(listener, NULL, NULL);
}

static void hear(int fd, const char *text) {
  char got[64] = "";
  CHECK_BYTES(got, (size_t)recv(fd, got, strlen(text), MSG_WAITALL), text);
}

static void say(int fd, const char *text) { CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text)); }

/* ---- it is connected ---- */

/* A talk over a stream that begins to connect: what is sent before it is connected waits. */
static void talk(int listener, int fd) {
  CHECK_INT(begin(), 0);
  iod_stream_t *s = connect_stream(fd);
  CHECK(s->connecting && !s->readable && !s->writable);
  CHECK_INT(send_text(s, "first, "), 0);
  CHECK_INT(send_text(s, "second"), 0);
  CHECK_INT(s->output.pending, 13);
  TURN_UNTIL(connects);
  CHECK_INT(connect_error, 0);
  int peer = accept_one(listener);
  hear(peer, "first, second");
  CHECK_INT(s->output.pending, 0);
  CHECK_INT(send_text(s, "third"), 0);
  hear(peer, "third");
  say(peer, "answer");
  TURN_UNTIL(seen_length == 6);
  CHECK_BYTES(seen, seen_length, "answer");
  close(peer);
  TURN_UNTIL(closes);
  CHECK_INT(connects, 1);
  CHECK_INT(eofs, 1);
  CHECK_INT(closes, 1);
  CHECK_INT(timeouts, 0);
  iod_loop_deinit(&loop);
}

TEST(connect_tcp_v4) {
  test_case("TCP over IPv4: told once, then everything goes both ways");
  int listener = listen_tcp("127.0.0.1");
  talk(listener, connect_tcp("127.0.0.1"));
  close(listener);
}

TEST(connect_tcp_v6) {
  test_case("TCP over IPv6, where there is one");
  int listener = listen_tcp("::1");
  if (listener < 0) return;
  talk(listener, connect_tcp("::1"));
  close(listener);
}

TEST(connect_unix_path) {
  test_case("a Unix socket is connected at once, but told in the loop's turn");
  int listener = listen_unix();
  talk(listener, connect_unix());
  close(listener);
  unlink(path);
}

TEST(connect_options) {
  test_case("a socket that connects is non-blocking and close-on-exec");
  int listener = listen_tcp("127.0.0.1"), fd = connect_tcp("127.0.0.1");
  char byte;
  CHECK(recv(fd, &byte, 1, 0) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  CHECK_INT(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  close(fd);
  close(listener);
}

TEST(connect_peer_first) {
  test_case("the peer speaks and hangs up before it is told: connected, its words, its end");
  int listener = listen_tcp("127.0.0.1");
  CHECK_INT(begin(), 0);
  connect_stream(connect_tcp("127.0.0.1"));
  int peer = accept_one(listener);
  say(peer, "hello");
  close(peer);
  TURN_UNTIL(closes);
  CHECK_INT(connect_error, 0);
  CHECK_BYTES(seen, seen_length, "hello");
  CHECK_INT(eofs, 1);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);
  close(listener);
}

TEST(connect_fin_first) {
  test_case("a poller may tell of the peer's FIN before it tells that the socket is connected");
  for (int paused = 0; paused < 2; paused++) {
    int listener = listen_tcp("127.0.0.1");
    CHECK_INT(begin(), 0);
    iod_stream_t *s = connect_stream(connect_tcp("127.0.0.1"));
    int peer = accept_one(listener);
    say(peer, "hello");
    close(peer);
    s->paused = paused;
    iod_loop_lock(&loop);
    iod_stream_event(s, IOD_READABLE | IOD_PEER_CLOSED);
    CHECK_INT(connects + hangups + (int)seen_length, 0);
    iod_stream_event(s, IOD_WRITABLE);
    iod_loop_unlock(&loop);
    CHECK_INT(connects, 1);
    CHECK_INT(hangups, paused);
    CHECK_INT(eofs, !paused);
    if (!paused) CHECK_BYTES(seen, seen_length, "hello");
    iod_loop_deinit(&loop);
    close(listener);
  }
}

TEST(connect_paused) {
  test_case("a paused stream is told that it is connected, and reads when it is resumed");
  int listener = listen_tcp("127.0.0.1");
  CHECK_INT(begin(), 0);
  iod_stream_t *s = connect_stream(connect_tcp("127.0.0.1"));
  s->paused = true;
  iod_loop_lock(&loop);
  iod_stream_resume(s);
  s->paused = true;
  iod_loop_unlock(&loop);
  int peer = accept_one(listener);
  say(peer, "hello");
  TURN_UNTIL(connects);
  turn(0);
  CHECK_INT(seen_length, 0);
  iod_loop_lock(&loop);
  iod_stream_resume(s);
  iod_loop_unlock(&loop);
  TURN_UNTIL(seen_length);
  CHECK_BYTES(seen, seen_length, "hello");
  iod_loop_deinit(&loop);
  close(peer);
  close(listener);
}

TEST(connect_finish) {
  test_case("finished while it connects: what waits is sent first; with nothing to send it closes at once");
  int listener = listen_tcp("127.0.0.1");
  CHECK_INT(begin(), 0);
  iod_stream_t *s = connect_stream(connect_tcp("127.0.0.1"));
  CHECK_INT(send_text(s, "last words"), 0);
  iod_loop_lock(&loop);
  iod_stream_finish(s);
  iod_loop_unlock(&loop);
  CHECK_INT(closes, 0);
  TURN_UNTIL(connects);
  int peer = accept_one(listener);
  hear(peer, "last words");
  close(peer);
  TURN_UNTIL(closes);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);

  CHECK_INT(begin(), 0);
  s = connect_stream(connect_tcp("127.0.0.1"));
  iod_loop_lock(&loop);
  iod_stream_finish(s);
  iod_loop_unlock(&loop);
  CHECK_INT(connects, 0);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);
  close(listener);
}

/* ---- it is not ---- */

static void fails_with(int error) {
  TURN_UNTIL(closes);
  turn(0);
  CHECK_INT(connects, 1);
  CHECK_INT(connect_error, error);
  CHECK_INT(closes, 1);
  CHECK_INT(eofs + timeouts + hangups + (int)seen_length, 0);
  CHECK_INT(loop.stream_count, 0);
}

TEST(connect_refused) {
  test_case("nobody listens: refused, also with something to send, and also when paused");
  for (int how = 0; how < 3; how++) {
    close(listen_tcp("127.0.0.1"));
    CHECK_INT(begin(), 0);
    iod_stream_t *s = connect_stream(connect_tcp("127.0.0.1"));
    if (how == 1) CHECK_INT(send_text(s, "hello"), 0);
    if (how == 2) s->paused = true;
    fails_with(ECONNREFUSED);
    iod_loop_deinit(&loop);
  }
}

TEST(connect_reset) {
  test_case("accepted and reset before it is told");
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  int listener = listen_tcp("127.0.0.1");
  CHECK_INT(begin(), 0);
  connect_stream(connect_tcp("127.0.0.1"));
  int peer = accept_one(listener);
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(peer);
  fails_with(ECONNRESET);
  iod_loop_deinit(&loop);
  close(listener);
}

/* A connection that gets no answer: the listener's queue is full. */
static int connect_to_full(int *fillers, int most) {
  for (int i = 0; i < most; i++) {
    fillers[i] = connect_tcp("127.0.0.1");
    struct pollfd p = {.fd = fillers[i], .events = POLLOUT};
    if (poll(&p, 1, 100) > 0) continue;
    int fd = fillers[i];
    fillers[i] = -1;
    return fd;
  }
  return -1;
}

TEST(connect_timeout) {
  enum { FILLERS = 8 };
  test_case("no answer: the deadline is told, and nothing else");
  int listener = listen_tcp("127.0.0.1"), fillers[FILLERS] = {-1, -1, -1, -1, -1, -1, -1, -1};
  CHECK_INT(begin(), 0);
  iod_stream_t *s = connect_stream(connect_to_full(fillers, FILLERS));
  iod_loop_lock(&loop);
  iod_stream_deadline(s, loop.now + 20);
  iod_loop_unlock(&loop);
  TURN_UNTIL(closes);
  CHECK_INT(connects, 0);
  CHECK_INT(timeouts, 1);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);
  for (int i = 0; i < FILLERS; i++)
    if (fillers[i] >= 0) close(fillers[i]);
  close(listener);
}

TEST(connect_closed) {
  test_case("closed while it connects: nothing but the close is told");
  for (int reset = 0; reset < 2; reset++) {
    int listener = listen_tcp("127.0.0.1");
    CHECK_INT(begin(), 0);
    iod_stream_t *s = connect_stream(connect_tcp("127.0.0.1"));
    iod_loop_lock(&loop);
    reset ? iod_stream_reset(s) : iod_stream_close(s);
    iod_loop_unlock(&loop);
    turn(0);
    CHECK_INT(connects, 0);
    CHECK_INT(closes, 1);
    iod_loop_deinit(&loop);
    CHECK_INT(closes, 1);
    close(listener);
  }
}

/* ---- what is known at once ---- */

TEST(connect_sentences) {
  static char long_path[160];
  memset(long_path, 'a', sizeof long_path - 1);
  char sentence[IOD_SENTENCE_ROOM];
  iod_peer_t peer;
  test_case("a name instead of an address");
  CHECK_INT(iod_socket_connect_tcp("localhost", 80, &peer, sentence), IOD_E_SYSTEM);
  CHECK_BYTES(sentence, strlen(sentence), "can't connect to localhost: not a numeric IPv4 or IPv6 address");
  test_case("an address that TCP can't reach");
  CHECK_INT(iod_socket_connect_tcp("255.255.255.255", 80, &peer, sentence), IOD_E_SYSTEM);
  CHECK(strncmp(sentence, "can't connect to 255.255.255.255:80: ", 37) == 0);
  test_case("a path that is too long");
  CHECK_INT(iod_socket_connect_unix(long_path, &peer, sentence), IOD_E_SYSTEM);
  CHECK(strstr(sentence, "a: the path is too long for a Unix socket"));
  test_case("a path where nothing is");
  CHECK_INT(iod_socket_connect_unix("/nowhere/socket", &peer, sentence), IOD_E_SYSTEM);
  CHECK_BYTES(sentence, strlen(sentence), "can't connect to /nowhere/socket: No such file or directory");
  test_case("a socket file that nobody listens on");
  close(listen_unix());
  CHECK_INT(iod_socket_connect_unix(path, &peer, sentence), IOD_E_SYSTEM);
  CHECK(strstr(sentence, ": Connection refused"));
  unlink(path);
}

TEST(connect_adopt) {
  int ends[2], fd;
  iod_peer_t peer;
  test_case("a connected stream is adopted, with its peer");
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK_INT(iod_socket_adopt(ends[0], &peer), 0);
  CHECK_BYTES(peer.ip, peer.ip_length, "127.0.0.1");
  CHECK(fcntl(ends[0], F_GETFL) & O_NONBLOCK && fcntl(ends[0], F_GETFD) & FD_CLOEXEC);
  close(ends[0]), close(ends[1]);
  test_case("what is no connected stream isn't");
  CHECK_INT(iod_socket_adopt(-1, &peer), IOD_E_SYSTEM);
  CHECK_INT(errno, EBADF);
  CHECK(pipe(ends) == 0);
  CHECK_INT(iod_socket_adopt(ends[0], &peer), IOD_E_SYSTEM);
  CHECK_INT(errno, ENOTSOCK);
  close(ends[0]), close(ends[1]);
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
  CHECK_INT(iod_socket_adopt(ends[0], &peer), IOD_E_SYSTEM);
  CHECK_INT(errno, EPROTOTYPE);
  close(ends[0]), close(ends[1]);
  fd = listen_tcp("127.0.0.1");
  CHECK_INT(iod_socket_adopt(fd, &peer), IOD_E_SYSTEM);
  CHECK_INT(errno, ENOTCONN);
  close(fd);
}

/* ---- without memory ---- */

static void life(void) {
  int listener = listen_unix();
  if (begin() == 0) {
    iod_stream_t *s = connect_stream(connect_unix());
    if (s && send_text(s, "hello") == 0) TURN_UNTIL(connects);
    iod_loop_deinit(&loop);
    CHECK_INT(closes, s != NULL);
  }
  close(listener);
  unlink(path);
}

TEST(connect_without_memory) {
  test_case("each allocation may fail");
  test_each_allocation_fails(life);
}
