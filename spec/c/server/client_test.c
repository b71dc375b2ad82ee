/* Connections that we open, without Ruby: a C application on several threads, real sockets. The servers are these
 * tests. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/protocol/websocket_frame.h"
#include "../../../ext/iodine/protocol/websocket_handshake.h"
#include "../../../ext/iodine/server/client.h"
#include "../../../ext/iodine/server/server.h"
#include "../test.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 2, PATIENCE = 10000 };

/* ---- the application: greets, and keeps what it hears ---- */

static iod_server_t *server;
static pthread_t threads[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char heard[256];
static size_t heard_length;
static _Atomic int opened, closed, texts, hidden;
static iod_connection_t *last; /* counted: the one that was opened last */

static void on_released(iod_release_job_t *job) { (void)job; }

static void on_open(iod_connection_t *c) {
  pthread_mutex_lock(&lock);
  if (last) iod_connection_unref(last);
  iod_connection_ref(last = c);
  pthread_mutex_unlock(&lock);
  iod_segment_t segment = iod_segment_bytes("hello", 5);
  (void)!iod_connection_write(c, &segment, true);
  iod_connection_resume(c);
  atomic_fetch_add(&opened, 1);
}

static void on_message(const iod_message_t *m) {
  pthread_mutex_lock(&lock);
  if (heard_length + m->length <= sizeof heard) memcpy(heard + heard_length, m->bytes, m->length);
  heard_length += m->length;
  pthread_mutex_unlock(&lock);
  if (m->text) atomic_fetch_add(&texts, 1);
}

static void tell(iod_connection_t *c, uint8_t what, const iod_message_t *m) {
  switch (what) {
  case IOD_TELL_OPEN: on_open(c); break;
  case IOD_TELL_MESSAGE: on_message(m); break;
  case IOD_TELL_CLOSE: atomic_fetch_add(c->opened ? &closed : &hidden, 1); break;
  }
}

static void run_connection(iod_connection_t *c) {
  iod_message_t *message;
  for (uint8_t what; (what = iod_connection_take(c, &message)); iod_message_free(message)) tell(c, what, message);
  iod_connection_rest(c);
}

static void *application_thread(void *unused) {
  iod_crew_thread_t thread;
  iod_crew_thread_init(server, &thread);
  while (!atomic_load(&server->crew.halted)) {
    for (iod_job_t *job; (job = iod_crew_take(server, &thread)); iod_crew_done(server)) {
      if (job->kind == IOD_JOB_CONNECTION)
        run_connection((iod_connection_t *)job);
      else
        iod_free(job);
    }
    if (!iod_crew_quick_turn(server)) iod_crew_idle(server, &thread);
  }
  iod_crew_thread_deinit(server, &thread);
  return unused;
}

static void begin(void) {
  atomic_store(&opened, 0), atomic_store(&closed, 0), atomic_store(&texts, 0), atomic_store(&hidden, 0);
  heard_length = 0;
  server = iod_server_new(1, on_released);
  CHECK_INT(iod_server_open(server, 0), 0);
  for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, application_thread, NULL), 0);
}

static void end(void) {
  iod_crew_halt(server);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  iod_server_close(server);
  iod_server_free(server);
  if (last) iod_connection_unref(last);
  last = NULL;
}

static bool comes_to(_Atomic int *counter, int value) {
  for (int i = 0; i < 10000 && atomic_load(counter) != value; i++) usleep(1000);
  return atomic_load(counter) == value;
}

static bool hears(const char *text) {
  bool same = false;
  for (int i = 0; i < 10000 && !same; i++) {
    pthread_mutex_lock(&lock);
    same = heard_length == strlen(text) && memcmp(heard, text, heard_length) == 0;
    pthread_mutex_unlock(&lock);
    if (!same) usleep(1000);
  }
  return same;
}

/* ---- clients ---- */

static uint16_t port;
static char path[64];

static iod_client_t *new_client(const char *const *addresses, size_t count, const iod_websocket_request_t *request,
                                uint32_t patience) {
  iod_client_options_t options = {.label = "the test's server",
                                  .addresses = addresses,
                                  .address_count = count,
                                  .local = count && addresses[0][0] == '/',
                                  .port = port,
                                  .request = request,
                                  .patience = patience,
                                  .write_timeout = 5000,
                                  .max_message = 1024,
                                  .max_pending = 1 << 20};
  return iod_client_new(&options);
}

static void open_connection(iod_client_t *client, iod_connection_kind_t kind) {
  iod_connection_t *c = iod_connection_new(server, kind);
  CHECK(client && c);
  iod_client_connect(server, client, c);
  iod_client_unref(client);
}

static void open_raw(const char *const *addresses, size_t count, uint32_t patience) {
  open_connection(new_client(addresses, count, NULL, patience), IOD_CONNECTION_RAW);
}

static const char *const LOOPBACK[] = {"127.0.0.1"};

static void open_websocket(uint32_t patience) {
  iod_websocket_request_t request = {
      .host = IOD_SLICE("a.test"), .target = IOD_SLICE("/chat"), .protocols = IOD_SLICE("chat")};
  open_connection(new_client(LOOPBACK, 1, &request, patience), IOD_CONNECTION_WEBSOCKET);
}

/* ---- the servers ---- */

static int listen_tcp(void) {
  char name[IOD_ADDRESS_ROOM], sentence[IOD_SENTENCE_ROOM];
  int fd = iod_socket_listen_tcp("127.0.0.1", 0, 8, name, sentence);
  port = (uint16_t)atoi(strrchr(name, ':') + 1);
  return fd;
}

static int listen_unix(void) {
  char sentence[IOD_SENTENCE_ROOM];
  snprintf(path, sizeof path, "/tmp/iodine-client-%d", (int)getpid());
  return iod_socket_listen_unix(path, 0600, 8, sentence);
}

/* The other end, once it is there; blocking. */
static int accept_one(int listener) {
  struct pollfd p = {.fd = listener, .events = POLLIN};
  CHECK_INT(poll(&p, 1, PATIENCE), 1);
  return accept(listener, NULL, NULL);
}

static void say(int fd, const char *bytes, size_t length) {
  CHECK(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

/* Reads all of it, up to the end or 10 s of silence. */
static size_t read_some(int fd, char *room, size_t length) {
  size_t in = 0;
  struct pollfd p = {.fd = fd, .events = POLLIN};
  for (ssize_t n; in < length && poll(&p, 1, PATIENCE) == 1; in += (size_t)n)
    if ((n = recv(fd, room + in, length - in, 0)) <= 0) break;
  return in;
}

static bool gets(int fd, const char *bytes) {
  char room[256];
  return read_some(fd, room, strlen(bytes)) == strlen(bytes) && memcmp(room, bytes, strlen(bytes)) == 0;
}

static bool gets_end(int fd) {
  char byte;
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, PATIENCE) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* ---- raw ---- */

static void talk(int peer) {
  CHECK(gets(peer, "hello"));
  say(peer, "how are you?", 12);
  CHECK(hears("how are you?"));
  CHECK_INT(atomic_load(&opened), 1);
  CHECK_INT(atomic_load(&closed), 0);
  close(peer);
  CHECK(comes_to(&closed, 1));
  CHECK_INT(atomic_load(&hidden), 0);
}

TEST(client_raw) {
  test_case("raw over TCP: opened, heard, closed by the peer");
  int listener = listen_tcp();
  begin();
  open_raw(LOOPBACK, 1, PATIENCE);
  talk(accept_one(listener));
  CHECK_BYTES(last->remote->ip, last->remote->ip_length, "127.0.0.1");
  end();

  test_case("closed by us, after what was written");
  begin();
  open_raw(LOOPBACK, 1, PATIENCE);
  int peer = accept_one(listener);
  CHECK(comes_to(&opened, 1));
  iod_connection_close(last);
  CHECK(gets(peer, "hello") && gets_end(peer));
  CHECK(comes_to(&closed, 1));
  close(peer);
  close(listener);
  end();
}

TEST(client_unix) {
  test_case("raw over a Unix socket");
  int listener = listen_unix();
  const char *addresses[] = {path};
  begin();
  open_raw(addresses, 1, PATIENCE);
  talk(accept_one(listener));
  end();
  close(listener);
  unlink(path);
}

TEST(client_addresses) {
  test_case("addresses are tried one after another: refused, not to be reached, no address, then the right one");
  static const char *const addresses[] = {"127.0.0.2", "255.255.255.255", "a.test", "127.0.0.1"};
  int listener = listen_tcp();
  begin();
  open_raw(addresses, 4, PATIENCE);
  talk(accept_one(listener));
  end();
  close(listener);
}

/* CLOSE alone was told. */
static void never_opens(void) {
  CHECK(comes_to(&hidden, 1));
  CHECK_INT(atomic_load(&opened), 0);
  CHECK_INT(atomic_load(&closed), 0);
  for (int i = 0; i < 10000 && atomic_load(&server->untold) > 0; i++) usleep(1000);
  CHECK_INT(atomic_load(&server->untold), 0);
}

TEST(client_refused) {
  static const char *const addresses[] = {"127.0.0.2", "127.0.0.1"}, *const nowhere[] = {"/nowhere/socket"};
  test_case("all addresses refuse");
  close(listen_tcp());
  begin();
  open_raw(addresses, 2, PATIENCE);
  never_opens();
  end();
  test_case("no such Unix socket");
  begin();
  open_raw(nowhere, 1, PATIENCE);
  never_opens();
  end();
  test_case("no address at all");
  begin();
  open_raw(NULL, 0, PATIENCE);
  never_opens();
  end();
}

/* Fills the queue of a listener until a connection gets no answer. */
static size_t fill(int *fillers, size_t most) {
  size_t count = 0;
  for (struct pollfd p = {.events = POLLOUT}; count < most; count++) {
    iod_peer_t peer;
    char sentence[IOD_SENTENCE_ROOM];
    fillers[count] = p.fd = iod_socket_connect_tcp("127.0.0.1", port, &peer, sentence);
    if (poll(&p, 1, 100) == 0) return count + 1;
  }
  return count;
}

TEST(client_timeout) {
  enum { FILLERS = 32 };
  int fillers[FILLERS], listener = listen_tcp();
  size_t count = fill(fillers, FILLERS);
  test_case("nobody answers: the next address gets its share of the time, then it is over");
  static const char *const addresses[] = {"127.0.0.1", "127.0.0.1"};
  begin();
  open_raw(addresses, 2, 60);
  never_opens();
  end();
  for (size_t i = 0; i < count; i++) close(fillers[i]);
  close(listener);
}

TEST(client_drain) {
  enum { FILLERS = 32 };
  int fillers[FILLERS], listener = listen_tcp();
  size_t count = fill(fillers, FILLERS);
  test_case("a drain ends what isn't open yet, and what comes later never opens");
  begin();
  open_raw(LOOPBACK, 1, PATIENCE);
  iod_server_drain(server);
  never_opens();
  CHECK_INT(iod_server_busy(server), 0);
  open_raw(LOOPBACK, 1, PATIENCE);
  CHECK(comes_to(&hidden, 2));
  CHECK_INT(atomic_load(&opened), 0);
  end();
  test_case("so does the end of the server");
  begin();
  open_raw(LOOPBACK, 1, PATIENCE);
  CHECK_INT(iod_server_connections(server), 1);
  CHECK_INT(iod_server_busy(server), 0);
  end();
  for (size_t i = 0; i < count; i++) close(fillers[i]);
  close(listener);
}

/* ---- WebSockets ---- */

/* Reads a request's head; its key is kept. */
static char request[1024], key[IOD_WEBSOCKET_KEY_LENGTH + 1];

static void read_request(int fd) {
  size_t length = 0;
  while (length < sizeof request - 1 && read_some(fd, request + length, 1) == 1) {
    request[++length] = 0;
    if (length >= 4 && memcmp(request + length - 4, "\r\n\r\n", 4) == 0) break;
  }
  const char *line = strstr(request, "\r\nSec-WebSocket-Key: ");
  CHECK(line != NULL);
  if (line) snprintf(key, sizeof key, "%s", line + 21);
}

static size_t answer_of(char *out, const char *lines) {
  char accept_key[IOD_WEBSOCKET_ACCEPT_LENGTH];
  iod_websocket_accept(accept_key, (iod_slice_t){key, IOD_WEBSOCKET_KEY_LENGTH});
  return (size_t)sprintf(out,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %.*s\r\n%s\r\n",
                         IOD_WEBSOCKET_ACCEPT_LENGTH, accept_key, lines);
}

/* A masked frame with this payload. */
static void check_frame(int fd, uint8_t opcode, const char *payload) {
  char bytes[64];
  iod_websocket_frame_t frame = {0};
  size_t length = strlen(payload), head = 6;
  CHECK_INT(read_some(fd, bytes, head + length), head + length);
  CHECK_INT(iod_websocket_frame_parse(bytes, head + length, (iod_websocket_peer_t){.client = true}, &frame), head);
  CHECK_INT(frame.opcode, opcode);
  CHECK(frame.final && frame.length == length);
  iod_websocket_mask(bytes + head, bytes + head, length, frame.mask, 0);
  CHECK_BYTES(bytes + head, length, payload);
}

TEST(client_websocket) {
  test_case("a WebSocket: its request, frames right behind the answer, masked ones from us, the close");
  char answer[512];
  int listener = listen_tcp();
  begin();
  open_websocket(PATIENCE);
  int peer = accept_one(listener);
  read_request(peer);
  CHECK(strncmp(request, "GET /chat HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\n", 54) == 0);
  size_t length = answer_of(answer, "Sec-WebSocket-Protocol: chat\r\n");
  memcpy(answer + length, "\x81\x03one\x82\x03two", 10);
  say(peer, answer, length + 10);
  CHECK(hears("onetwo"));
  CHECK_INT(atomic_load(&texts), 1);
  check_frame(peer, IOD_WEBSOCKET_TEXT, "hello");
  say(peer, "\x89\x02hi", 4);
  check_frame(peer, IOD_WEBSOCKET_PONG, "hi");
  say(peer, "\x88\x02\x03\xe8", 4);
  check_frame(peer, IOD_WEBSOCKET_CLOSE, "\x03\xe8");
  CHECK(gets_end(peer));
  CHECK(comes_to(&closed, 1));
  CHECK_INT(last->close_code, 1000);
  close(peer);
  close(listener);
  end();
}

static void publish(const char *message, bool text) {
  iod_publication_t *p = iod_publication_new(IOD_SLICE("news"), (iod_slice_t){message, strlen(message)}, text);
  iod_server_lock(server);
  iod_pubsub_deliver(server, p);
  iod_server_unlock(server);
  iod_server_flush(server);
  iod_publication_unref(p);
}

TEST(client_websocket_subscribed) {
  test_case("what is published goes to a server in masked frames");
  enum { PEERS = 2 };
  char answer[512];
  int listener = listen_tcp(), peers[PEERS];
  begin();
  for (int i = 0; i < PEERS; i++) {
    open_websocket(PATIENCE);
    peers[i] = accept_one(listener);
    read_request(peers[i]);
    say(peers[i], answer, answer_of(answer, ""));
    check_frame(peers[i], IOD_WEBSOCKET_TEXT, "hello");
    CHECK(comes_to(&opened, i + 1));
    iod_subscribing_t how = {.name = IOD_SLICE("news"), .deliver = IOD_DELIVER_TEXT};
    CHECK_INT(iod_pubsub_subscribe(server, &last->subscriber, &how), 0);
  }
  publish("first", true);
  publish("\xff", true);
  publish("last", true);
  for (int i = 0; i < PEERS; i++) {
    check_frame(peers[i], IOD_WEBSOCKET_TEXT, "first");
    check_frame(peers[i], IOD_WEBSOCKET_BINARY, "\xff");
    check_frame(peers[i], IOD_WEBSOCKET_TEXT, "last");
    close(peers[i]);
  }
  CHECK(comes_to(&closed, PEERS));
  close(listener);
  end();
}

TEST(client_websocket_cut) {
  test_case("an answer that comes byte by byte, each key another one");
  char answer[512], first[sizeof key];
  int listener = listen_tcp();
  begin();
  for (int i = 0; i < 2; i++) {
    open_websocket(PATIENCE);
    int peer = accept_one(listener);
    read_request(peer);
    CHECK(i == 0 || strcmp(first, key) != 0);
    memcpy(first, key, sizeof key);
    size_t length = answer_of(answer, "");
    for (size_t at = 0; at < length; at++) say(peer, answer + at, 1);
    check_frame(peer, IOD_WEBSOCKET_TEXT, "hello");
    close(peer);
    CHECK(comes_to(&closed, i + 1));
    CHECK_INT(last->close_code, 1006);
  }
  close(listener);
  end();
}

TEST(client_websocket_refused) {
  static const char *const answers[] = {"HTTP/1.1 403 Forbidden\r\n\r\n",
                                        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\n", "220 mail ready\r\n", ""};
  int listener = listen_tcp();
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    test_case(answers[i]);
    begin();
    open_websocket(PATIENCE);
    int peer = accept_one(listener);
    read_request(peer);
    say(peer, answers[i], strlen(answers[i]));
    if (!*answers[i]) shutdown(peer, SHUT_WR);
    never_opens();
    CHECK(gets_end(peer));
    close(peer);
    end();
  }
  test_case("a reset instead of an answer");
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  begin();
  open_websocket(PATIENCE);
  int peer = accept_one(listener);
  read_request(peer);
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(peer);
  never_opens();
  end();
  close(listener);
}

TEST(client_websocket_silence) {
  test_case("no answer to the request");
  int listener = listen_tcp();
  begin();
  open_websocket(60);
  int peer = accept_one(listener);
  read_request(peer);
  never_opens();
  CHECK(gets_end(peer));
  close(peer);
  close(listener);
  end();
}

/* ---- attached ---- */

TEST(client_attached) {
  test_case("a socket of the application's own");
  int ends[2];
  iod_peer_t remote;
  begin();
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK_INT(iod_socket_adopt(ends[0], &remote), 0);
  iod_client_t *client = new_client(NULL, 0, NULL, PATIENCE);
  say(ends[1], "early ", 6);
  iod_client_attach(server, client, iod_connection_new(server, IOD_CONNECTION_RAW), ends[0], &remote);
  CHECK(gets(ends[1], "hello"));
  say(ends[1], "late", 4);
  CHECK(hears("early late"));
  close(ends[1]);
  CHECK(comes_to(&closed, 1));

  test_case("while the server drains it is closed");
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  iod_server_drain(server);
  iod_client_attach(server, client, iod_connection_new(server, IOD_CONNECTION_RAW), ends[0], &remote);
  CHECK(gets_end(ends[1]));
  CHECK(comes_to(&hidden, 1));
  close(ends[1]);
  iod_client_unref(client);
  end();
}

/* ---- without memory ---- */

static void make_client(void) {
  iod_websocket_request_t r = {.host = IOD_SLICE("a.test"), .protocols = IOD_SLICE("chat")};
  iod_client_unref(new_client(LOOPBACK, 1, &r, PATIENCE));
}

TEST(client_without_memory) {
  test_case("each allocation of a client may fail");
  test_each_allocation_fails(make_client);

  test_case("allocations fail while it connects: it opens, or it is told that it doesn't");
  char answer[512];
  int listener = listen_tcp(), tried = 0;
  begin();
  for (int k = 0; k < 40; k++) {
    iod_websocket_request_t r = {.host = IOD_SLICE("a.test")};
    iod_client_t *client = new_client(LOOPBACK, 1, &r, 500);
    iod_connection_t *c = iod_connection_new(server, IOD_CONNECTION_WEBSOCKET);
    __atomic_store_n(&iod_alloc_countdown, k / 4, __ATOMIC_SEQ_CST);
    iod_client_connect(server, client, c);
    struct pollfd p = {.fd = listener, .events = POLLIN};
    int peer = poll(&p, 1, 1000) == 1 ? accept(listener, NULL, NULL) : -1;
    if (peer >= 0 && poll(&(struct pollfd){.fd = peer, .events = POLLIN}, 1, 1000) == 1) {
      char byte;
      if (recv(peer, &byte, 1, MSG_PEEK) == 1) {
        read_request(peer);
        size_t length = answer_of(answer, "");
        (void)!send(peer, answer, length, MSG_NOSIGNAL);
      }
    }
    __atomic_store_n(&iod_alloc_countdown, -1, __ATOMIC_SEQ_CST);
    if (peer >= 0) close(peer);
    iod_client_unref(client);
    tried++;
  }
  for (int i = 0; i < 10000 && atomic_load(&server->untold) > 0; i++) usleep(1000);
  CHECK_INT(atomic_load(&server->untold), 0);
  CHECK_INT(atomic_load(&closed) + atomic_load(&hidden), tried);
  CHECK_INT(atomic_load(&closed), atomic_load(&opened));
  close(listener);
  end();
}
