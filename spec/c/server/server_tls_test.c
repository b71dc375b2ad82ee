/* The server over TLS, without Ruby: a C application on one thread, OpenSSL's client over real sockets. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/server.h"
#include "../certificate.h"
#include "../test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 2 << 20 };

static iod_server_t *server;
static iod_listener_t *listener;
static pthread_t application;
static iod_tls_t *tls;
static certificate_t certificate;
static char big[BIG], heard[BIG + 4096];
static char left_behind[64]; /* what a hijacker read last */

/* ---- the application ---- */

static void respond(iod_request_t *r, const char *body, size_t length) {
  char head[160];
  int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", length);
  iod_segment_t segments[] = {{.kind = IOD_SEGMENT_BYTES, .bytes = head, .length = (size_t)n},
                              {.kind = IOD_SEGMENT_BYTES, .bytes = body, .length = length}};
  iod_send_t send = {.flags = IOD_SEND_LAST | (r->keep_alive ? 0 : IOD_SEND_CLOSE), .status = 200};
  (void)!iod_request_send(server, r, &send, segments, 2);
}

static size_t read_all(int fd, char *room, size_t size) {
  size_t length = 0;
  for (ssize_t n; length < size && (n = read(fd, room + length, size - length)) > 0;) length += (size_t)n;
  return length;
}

static bool write_all(int fd, const char *bytes, size_t length) {
  for (ssize_t n; length > 0; bytes += n, length -= (size_t)n)
    if ((n = send(fd, bytes, length, MSG_NOSIGNAL)) <= 0) return false;
  return true;
}

static void *echo(void *argument) {
  int fd = (int)(intptr_t)argument;
  char bytes[64];
  for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) write_all(fd, bytes, (size_t)n);
  write_all(fd, "over", 4);
  close(fd);
  return NULL;
}

/* Says much, then that it is all, then listens. */
static void *pour(void *argument) {
  int fd = (int)(intptr_t)argument;
  write_all(fd, big, BIG);
  shutdown(fd, SHUT_WR);
  left_behind[read_all(fd, left_behind, sizeof left_behind - 1)] = 0;
  close(fd);
  return NULL;
}

static void *pour_and_go(void *argument) {
  int fd = (int)(intptr_t)argument;
  write_all(fd, big, BIG);
  close(fd);
  return NULL;
}

static pthread_t hijacker;

static void hijack(iod_request_t *r, void *(*body)(void *)) {
  char *early;
  size_t early_length;
  int fd = iod_request_hijack(server, r, &early, &early_length);
  CHECK(fd >= 0 && early_length == 0);
  fcntl(fd, F_SETFL, 0);
  CHECK_INT(pthread_create(&hijacker, NULL, body, (void *)(intptr_t)fd), 0);
}

static void run_request(iod_request_t *r) {
  iod_slice_t path = iod_request_slice(r, r->head.path);
  if (iod_slice_equal(path, IOD_SLICE("/echo")))
    hijack(r, echo);
  else if (iod_slice_equal(path, IOD_SLICE("/pour")))
    hijack(r, pour);
  else if (iod_slice_equal(path, IOD_SLICE("/pour-and-go")))
    hijack(r, pour_and_go);
  else if (iod_slice_equal(path, IOD_SLICE("/version")))
    respond(r, r->secure->version, strlen(r->secure->version));
  else if (r->body.length > 0 && r->body.bytes)
    respond(r, r->body.bytes, r->body.length);
  else
    respond(r, path.at, path.length);
  iod_request_unref(r);
}

static void *application_thread(void *unused) {
  iod_crew_thread_t thread;
  iod_crew_thread_init(server, &thread);
  while (!atomic_load(&server->crew.halted)) {
    for (iod_job_t *job; (job = iod_crew_take(server, &thread)); iod_crew_done(server))
      run_request((iod_request_t *)job);
    if (!iod_crew_quick_turn(server)) iod_crew_idle(server, &thread);
  }
  iod_crew_thread_deinit(server, &thread);
  return unused;
}

/* ---- life ---- */

static void on_released(iod_release_job_t *job) { (void)job; }

static iod_tls_t *new_tls(const certificate_t *c) {
  char sentence[IOD_TLS_SENTENCE_ROOM];
  iod_tls_certificate_t given = {.chain = c->chain, .key = c->key_pem};
  return iod_tls_new(&(iod_tls_options_t){.certificates = &given, .certificate_count = 1}, sentence);
}

static void begin(uint32_t max_clients) {
  char sentence[IOD_SENTENCE_ROOM];
  signal(SIGPIPE, SIG_IGN); /* of OpenSSL's client */
  certificate = certificate_new("DNS:localhost", NULL, NULL);
  tls = new_tls(&certificate);
  iod_settings_t settings = {.keep_alive = 5000,
                             .head_timeout = 5000,
                             .body_timeout = 5000,
                             .write_timeout = 5000,
                             .limits = {8192, 4096, 4096, 64, 1 << 20},
                             .max_clients = max_clients,
                             .backlog = 64,
                             .tls = tls};
  for (size_t i = 0; i < BIG; i++) big[i] = (char)(i * 13 >> 4);
  server = iod_server_new(1, on_released);
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
  iod_tls_unref(tls);
  certificate_free(&certificate);
}

/* ---- the client ---- */

typedef struct client {
  SSL_CTX *context;
  SSL *ssl;
  int fd;
} client_t;

static client_t dial(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  client_t c = {.context = SSL_CTX_new(TLS_client_method()), .fd = socket(AF_INET, SOCK_STREAM, 0)};
  a.sin_port = htons((uint16_t)atoi(strrchr(listener->name, ':') + 1));
  CHECK(connect(c.fd, (struct sockaddr *)&a, sizeof a) == 0);
  setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 15}, sizeof(struct timeval));
  c.ssl = SSL_new(c.context);
  SSL_set_fd(c.ssl, c.fd);
  return c;
}

static client_t connect_tls(void) {
  client_t c = dial();
  CHECK_INT(SSL_connect(c.ssl), 1);
  return c;
}

static void hang_up(client_t *c) {
  SSL_free(c->ssl);
  SSL_CTX_free(c->context);
  close(c->fd);
}

static void say(client_t *c, const char *text) { CHECK(SSL_write(c->ssl, text, (int)strlen(text)) > 0); }

/* What comes until the end or `most` bytes. */
static const char *hear(client_t *c, size_t most) {
  size_t length = 0;
  for (int n; length < most && (n = SSL_read(c->ssl, heard + length, (int)(most - length))) > 0;) length += (size_t)n;
  heard[length] = 0;
  return heard;
}

static bool ended(const client_t *c) { return SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN; }

static bool ends_with(const char *text, const char *tail) {
  size_t n = strlen(text), t = strlen(tail);
  return n >= t && strcmp(text + n - t, tail) == 0;
}

#define HOST  "Host: x\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

TEST(server_tls_answers) {
  begin(0);
  test_case("requests over TLS, one after the other and at once, and a proper end");
  client_t c = connect_tls();
  say(&c, "GET /one HTTP/1.1\r\n" HOST "\r\n");
  CHECK(ends_with(hear(&c, 42), "/one"));
  say(&c, "GET /version HTTP/1.1\r\n" HOST "\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE);
  say(&c, "hello");
  CHECK(strstr(hear(&c, BIG), "TLSv1.3HTTP/1.1 200 OK") && ends_with(heard, "hello"));
  CHECK(ended(&c));
  hang_up(&c);

  test_case("who speaks in clear gets a plain 400");
  c = dial();
  CHECK(write(c.fd, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
  heard[read_all(c.fd, heard, sizeof heard - 1)] = 0;
  CHECK(strncmp(heard, "HTTP/1.1 400 Bad Request\r\n", 26) == 0);
  hang_up(&c);

  test_case("silent clients and half handshakes are in nobody's way");
  client_t silent[30];
  for (int i = 0; i < 30; i++) {
    silent[i] = dial();
    CHECK(write(silent[i].fd, "\x16\x03\x01\x02", (size_t)(i % 5)) >= 0);
  }
  c = connect_tls();
  say(&c, "GET /now HTTP/1.1\r\n" CLOSE);
  CHECK(ends_with(hear(&c, BIG), "/now"));
  hang_up(&c);
  for (int i = 0; i < 30; i++) hang_up(&silent[i]);
  end();
}

TEST(server_tls_refuses) {
  begin(1);
  test_case("one client too many is not worth a handshake");
  client_t first = connect_tls(), second = dial();
  CHECK_INT(SSL_connect(second.ssl), -1);
  say(&first, "GET /first HTTP/1.1\r\n" CLOSE);
  CHECK(ends_with(hear(&first, BIG), "/first"));
  hang_up(&first);
  hang_up(&second);
  end();
}

TEST(server_tls_certificates) {
  begin(0);
  test_case("a new certificate is for the next connection");
  certificate_t other = certificate_new("DNS:other", NULL, NULL);
  iod_tls_t *next = new_tls(&other);
  client_t before = connect_tls();
  CHECK_INT(iod_listener_set_tls(server, "no such listener", next), IOD_E_CLOSED);
  CHECK_INT(iod_listener_set_tls(server, listener->name, next), 0);
  iod_tls_unref(next);
  client_t after = connect_tls();
  X509 *presented = SSL_get_peer_certificate(after.ssl);
  CHECK(presented && X509_cmp(presented, other.x509) == 0);
  X509_free(presented);
  say(&before, "GET /before HTTP/1.1\r\n" CLOSE);
  CHECK(ends_with(hear(&before, BIG), "/before"));
  hang_up(&before);
  hang_up(&after);
  certificate_free(&other);
  end();
}

TEST(server_tls_hijack) {
  begin(0);
  test_case("a hijacked connection: what came early, what comes later, the client's end and the application's");
  client_t c = connect_tls();
  say(&c, "GET /echo HTTP/1.1\r\n" HOST "\r\nearly");
  CHECK(strcmp(hear(&c, 5), "early") == 0);
  say(&c, "later");
  CHECK(strcmp(hear(&c, 5), "later") == 0);
  SSL_shutdown(c.ssl);
  CHECK(strcmp(hear(&c, 16), "over") == 0);
  CHECK(ended(&c));
  pthread_join(hijacker, NULL);
  hang_up(&c);

  test_case("the application's end of its writing alone: the client is still heard");
  c = connect_tls();
  say(&c, "GET /pour HTTP/1.1\r\n" HOST "\r\n");
  usleep(50000); /* nobody reads: it fills up */
  CHECK(memcmp(hear(&c, BIG + 16), big, BIG) == 0 && heard[BIG] == 0);
  CHECK(ended(&c));
  say(&c, "goodbye");
  SSL_shutdown(c.ssl);
  pthread_join(hijacker, NULL);
  CHECK_BYTES(left_behind, strlen(left_behind), "goodbye");
  hang_up(&c);

  test_case("an application that has gone: what it wrote arrives");
  c = connect_tls();
  say(&c, "GET /pour-and-go HTTP/1.1\r\n" HOST "\r\n");
  usleep(50000);
  CHECK(memcmp(hear(&c, BIG + 16), big, BIG) == 0 && heard[BIG] == 0);
  pthread_join(hijacker, NULL);
  hang_up(&c);

  test_case("a client that has gone: the application is told");
  c = connect_tls();
  say(&c, "GET /pour-and-go HTTP/1.1\r\n" HOST "\r\n");
  hear(&c, 1000);
  hang_up(&c);
  pthread_join(hijacker, NULL);
  end();
}

TEST(server_tls_drains) {
  begin(0);
  test_case("who is in the middle of a handshake when the server stops still gets an answer");
  client_t c = dial();
  BIO *out = BIO_new(BIO_s_mem());
  char *hello;
  BIO_up_ref(out);
  SSL_set0_wbio(c.ssl, out);
  SSL_set_connect_state(c.ssl);
  fcntl(c.fd, F_SETFL, O_NONBLOCK);
  CHECK(SSL_do_handshake(c.ssl) < 0);
  fcntl(c.fd, F_SETFL, 0);
  long length = BIO_get_mem_data(out, &hello);
  CHECK(write(c.fd, hello, (size_t)length) == length);
  BIO_free(out);
  struct pollfd answered = {.fd = c.fd, .events = POLLIN};
  CHECK_INT(poll(&answered, 1, 15000), 1);
  iod_server_drain(server);
  CHECK_INT(iod_server_busy(server), 1);
  SSL_set_fd(c.ssl, c.fd);
  CHECK_INT(SSL_connect(c.ssl), 1);
  say(&c, "GET /late HTTP/1.1\r\n" HOST "\r\n");
  CHECK(ends_with(hear(&c, BIG), "/late"));
  CHECK(ended(&c));
  hang_up(&c);
  end();
}
