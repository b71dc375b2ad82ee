#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/reactor/loop.h"
#include "../../../ext/iodine/reactor/socket.h"
#include "../../../ext/iodine/reactor/tls.h"
#include "../certificate.h"
#include "../test.h"
#include "tls_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 1 << 20 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- our side: a client that keeps what it is told ---- */

static char seen[BIG], got[BIG], why_not[IOD_TLS_SENTENCE_ROOM];
static size_t seen_length;
static int eofs, closes, shakes, shake_result, connects;

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  (void)s;
  size_t room = sizeof seen - seen_length, n = length < room ? length : room;
  memcpy(seen + seen_length, bytes, n);
  seen_length += n;
  return length;
}
static void on_eof(iod_stream_t *s) {
  eofs++;
  iod_stream_finish(s);
}
static void on_handshake(iod_stream_t *s, int result, const char *why) {
  (void)s;
  shakes++;
  shake_result = result;
  CHECK((result == 0) == (why == NULL));
  snprintf(why_not, sizeof why_not, "%s", why ? why : "");
  CHECK_INT(ERR_peek_error(), 0); /* nothing is left behind for others that use OpenSSL in this thread */
}
static void on_connect(iod_stream_t *s, int error) {
  (void)s;
  connects += error == 0;
}
static void nothing(iod_stream_t *s) { (void)s; }
static void on_timeout(iod_stream_t *s) { iod_stream_close(s); }
static void on_close(iod_stream_t *s) { (void)s, closes++; }
static const iod_stream_ops_t ops = {.on_data = on_data,
                                     .on_eof = on_eof,
                                     .on_hangup = nothing,
                                     .on_written = nothing,
                                     .on_timeout = on_timeout,
                                     .on_handshake = on_handshake,
                                     .on_connect = on_connect,
                                     .on_close = on_close};

static iod_loop_t loop;

static int begin(void) {
  seen_length = 0;
  eofs = closes = shakes = shake_result = connects = 0;
  why_not[0] = 0;
  return iod_loop_init(&loop, sizeof(iod_stream_t));
}

static void turn(int max_ms) { tls_peer_turn(&loop, max_ms); }

static int send_bytes(iod_stream_t *s, const char *bytes, size_t length) {
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = bytes, .length = length};
  iod_loop_lock(&loop);
  int result = iod_stream_send(s, &segment, 1);
  iod_loop_unlock(&loop);
  return result;
}

/* ---- certificates and set-ups ---- */

static certificate_t authority, server, other, addressed, partial, common, expired, alone, mine;

static void make_certificates(void) {
  if (authority.key) return;
  authority = certificate_new("DNS:authority", NULL, NULL);
  server = certificate_new("DNS:a.test,DNS:*.wild.test", &authority, NULL);
  other = certificate_new("DNS:b.test", &authority, NULL);
  addressed = certificate_new("IP:127.0.0.1,IP:::1,DNS:10.0.0.1", &authority, NULL);
  partial = certificate_new("DNS:a*.part.test", &authority, NULL);
  common = certificate_new("URI:common.test", &authority, NULL); /* its common name: common.test */
  expired = certificate_expired("DNS:a.test", &authority);
  alone = certificate_new("DNS:a.test", NULL, NULL);
  mine = certificate_new("DNS:client", &authority, NULL);
}

__attribute__((destructor)) static void free_certificates(void) {
  certificate_t *all[] = {&authority, &server, &other, &addressed, &partial, &common, &expired, &alone, &mine};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) certificate_free(all[i]);
}

static iod_slice_t chain_of(const certificate_t *certificate) {
  return certificate ? certificate->chain : (iod_slice_t){0};
}

static iod_tls_t *new_tls(const certificate_t *trust, const certificate_t *own, const char *protocol) {
  char sentence[IOD_TLS_SENTENCE_ROOM];
  make_certificates();
  iod_tls_certificate_t certificate = {.chain = chain_of(own), .key = own ? own->key_pem : (iod_slice_t){0}};
  iod_tls_options_t options = {.certificates = &certificate,
                               .certificate_count = own != NULL,
                               .trust = chain_of(trust),
                               .protocols = &protocol,
                               .protocol_count = protocol != NULL};
  return iod_tls_client_new(&options, sentence);
}

/* ---- the server ---- */

static bool open_peer(tls_peer_t *p, int version, const certificate_t *certificate) {
  int end = tls_peer_open(p, &loop, TLS_server_method(), version);
  if (end < 0) return false;
  iod_loop_lock(&loop);
  p->stream = iod_loop_open(&loop, end, &ops);
  iod_loop_unlock(&loop);
  make_certificates();
  return p->stream && SSL_use_certificate(p->ssl, certificate->x509) == 1 &&
         SSL_use_PrivateKey(p->ssl, certificate->key) == 1;
}

static int secure(tls_peer_t *p, iod_tls_t *tls, const char *name) {
  iod_loop_lock(&loop);
  int result = iod_stream_secure_client(p->stream, tls, name);
  iod_loop_unlock(&loop);
  return result;
}

static bool open_server(tls_peer_t *p, iod_tls_t *tls, int version, const certificate_t *certificate,
                        const char *name) {
  return open_peer(p, version, certificate) && secure(p, tls, name) == 0;
}

static void end(iod_tls_t *tls) {
  iod_loop_deinit(&loop);
  iod_tls_unref(tls);
}

/* The client speaks first: nothing comes of a handshake before its loop has had a turn. */
static int shake(tls_peer_t *p) {
  turn(0);
  tls_peer_carry_in(p);
  return tls_peer_shake(p);
}

/* ---- the handshake ---- */

TEST(client_tls_echo) {
  test_case("handshake and bytes both ways with both versions, whole and byte by byte");
  for (size_t step = 0; step < 2; step++) {
    for (int v = 0; v < 2; v++) {
      tls_peer_t p;
      char heard[16] = "";
      CHECK_INT(begin(), 0);
      iod_tls_t *tls = new_tls(&authority, NULL, NULL);
      CHECK(open_server(&p, tls, versions[v], &server, "a.test"));
      p.step = step;
      CHECK_INT(send_bytes(p.stream, "early", 5), 0); /* waits */
      CHECK_INT(shake(&p), 1);
      CHECK_BYTES(heard, tls_peer_hear(&p, heard, 5), "early");
      CHECK_INT(shakes, 1);
      CHECK_INT(shake_result, 0);
      tls_peer_tell(&p, "hello");
      CHECK_BYTES(seen, seen_length, "hello");
      CHECK_INT(send_bytes(p.stream, "world", 5), 0);
      CHECK_BYTES(heard, tls_peer_hear(&p, heard, 5), "world");
      const iod_tls_info_t *info = iod_stream_tls_info(p.stream);
      CHECK(info && strcmp(info->version, v ? "TLSv1.3" : "TLSv1.2") == 0);
      unsigned char *der = NULL;
      int length = i2d_X509(server.x509, &der);
      CHECK(info->peer.length == (size_t)length && memcmp(info->peer.at, der, info->peer.length) == 0);
      OPENSSL_free(der);
      CHECK(p.stream->input.bytes == NULL && loop.sealed.start == loop.sealed.end);
      SSL_shutdown(p.ssl);
      while (tls_peer_carry(&p)) {}
      CHECK_INT(eofs, 1);
      tls_peer_close(&p);
      end(tls);
    }
  }
}

TEST(client_tls_close) {
  test_case("our close is said");
  tls_peer_t p;
  char byte;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  CHECK(open_server(&p, tls, TLS1_3_VERSION, &server, "a.test"));
  CHECK_INT(shake(&p), 1);
  iod_loop_lock(&loop);
  iod_stream_close(p.stream);
  iod_loop_unlock(&loop);
  tls_peer_hear(&p, &byte, 1);
  CHECK(SSL_get_shutdown(p.ssl) & SSL_RECEIVED_SHUTDOWN);
  tls_peer_close(&p);
  end(tls);
}

TEST(client_tls_big) {
  test_case("a megabyte each way, through buffers that are smaller");
  tls_peer_t p;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  CHECK(open_server(&p, tls, TLS1_3_VERSION, &server, "a.test"));
  CHECK_INT(shake(&p), 1);
  char *big = malloc(BIG);
  for (size_t i = 0; i < BIG; i++) big[i] = (char)(i * 7 >> 3);
  CHECK_INT(send_bytes(p.stream, big, BIG), 0);
  CHECK(p.stream->output.pending > 0);
  CHECK_INT(tls_peer_hear(&p, got, BIG), BIG);
  CHECK(memcmp(got, big, BIG) == 0);
  CHECK_INT(p.stream->output.pending, 0);
  CHECK_INT(SSL_write(p.ssl, big, BIG), BIG);
  while (tls_peer_carry(&p)) {}
  CHECK(seen_length == BIG && memcmp(seen, big, BIG) == 0);
  free(big);
  tls_peer_close(&p);
  end(tls);
}

TEST(client_tls_connecting) {
  test_case("on a stream that is still connecting the handshake waits, and what is sent waits for both");
  char name[IOD_ADDRESS_ROOM], sentence[IOD_SENTENCE_ROOM], heard[16];
  iod_peer_t peer;
  tls_peer_t p;
  int listener = iod_socket_listen_tcp("127.0.0.1", 0, 1, name, sentence);
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  CHECK(open_peer(&p, TLS1_3_VERSION, &server));
  close(p.fd); /* TCP takes the pair's place */
  int fd = iod_socket_connect_tcp("127.0.0.1", (uint16_t)atoi(strrchr(name, ':') + 1), &peer, sentence);
  iod_loop_lock(&loop);
  p.stream = iod_loop_connect(&loop, fd, &ops);
  iod_loop_unlock(&loop);
  CHECK_INT(secure(&p, tls, "a.test"), 0);
  CHECK_INT(send_bytes(p.stream, "hello", 5), 0);
  CHECK(p.stream->connecting && !p.stream->in_ready);
  struct pollfd ready = {.fd = listener, .events = POLLIN};
  CHECK_INT(poll(&ready, 1, 5000), 1);
  p.fd = accept(listener, NULL, NULL);
  CHECK_INT(iod_socket_prepare(p.fd), 0);
  CHECK_INT(shake(&p), 1);
  CHECK_BYTES(heard, tls_peer_hear(&p, heard, 5), "hello");
  CHECK_INT(connects, 1);
  CHECK_INT(shakes, 1);
  tls_peer_close(&p);
  close(listener);
  end(tls);
}

/* ---- whom it speaks to ---- */

static const struct {
  const char *name;
  const certificate_t *certificate, *trust;
  const char *asked;   /* what the server is told; NULL: nothing */
  const char *why_not; /* NULL: accepted */
} PEERS[] = {
    {"a.test", &server, &authority, "a.test", NULL},
    {"A.Test.", &server, &authority, "a.test", NULL},
    {"x.wild.test", &server, &authority, "x.wild.test", NULL},
    {"wild.test", &server, &authority, "wild.test", "ostname mismatch"},
    {"x.y.wild.test", &server, &authority, "x.y.wild.test", "ostname mismatch"},
    {"b.test", &server, &authority, "b.test", "ostname mismatch"},
    {"b.test", &other, &authority, "b.test", NULL},
    {"abc.part.test", &partial, &authority, "abc.part.test", "ostname mismatch"},
    {"common.test", &common, &authority, "common.test", "ostname mismatch"},
    {"127.0.0.1", &addressed, &authority, NULL, NULL},
    {"::1", &addressed, &authority, NULL, NULL},
    {"127.0.0.2", &addressed, &authority, NULL, "IP address mismatch"},
    {"10.0.0.1", &addressed, &authority, NULL, "IP address mismatch"},
    {"127.0.0.1", &server, &authority, NULL, "IP address mismatch"},
    {"a.test", &expired, &authority, "a.test", "certificate has expired"},
    {"a.test", &alone, &authority, "a.test", "signed certificate"},
    {"a.test", &alone, &alone, "a.test", NULL},
    {"a.test", &server, &alone, "a.test", "unable to get local issuer certificate"},
    {"a.test", &server, &server, "a.test", NULL}, /* trusted by itself, though it has an issuer */
    {"a.test", &server, &other, "a.test", NULL},  /* whose file has the authority too */
    {"a.test", &server, NULL, "a.test", "unable to get local issuer certificate"},
};

static char asked_for[300];

static int on_server_name(SSL *ssl, int *alert, void *unused) {
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  (void)alert, (void)unused;
  snprintf(asked_for, sizeof asked_for, "%s", name ? name : "");
  return SSL_TLSEXT_ERR_OK;
}

static void check_refused(tls_peer_t *p, const char *part) {
  char heard[16];
  CHECK_INT(shake_result, IOD_E_CLOSED);
  if (!CHECK(strstr(why_not, part) != NULL)) printf("  \"%s\" has no \"%s\"\n", why_not, part);
  CHECK_INT(tls_peer_hear(p, heard, sizeof heard), 0); /* what was to be sent isn't */
  CHECK_INT(send_bytes(p->stream, "more", 4), IOD_E_CLOSED);
  CHECK_INT(seen_length, 0);
  close(p->fd);
  p->fd = -1;
  turn(0);
  CHECK_INT(closes, 1);
}

static void check_peer(size_t i, int version) {
  tls_peer_t p;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(PEERS[i].trust, NULL, NULL);
  asked_for[0] = 0;
  CHECK(open_server(&p, tls, version, PEERS[i].certificate, PEERS[i].name));
  SSL_CTX_set_tlsext_servername_callback(p.context, on_server_name);
  CHECK_INT(send_bytes(p.stream, "secret", 6), 0);
  int done = shake(&p);
  turn(0);
  CHECK_BYTES(asked_for, strlen(asked_for), PEERS[i].asked ? PEERS[i].asked : "");
  CHECK_INT(shakes, 1);
  if (PEERS[i].why_not)
    check_refused(&p, PEERS[i].why_not);
  else
    CHECK(done && shake_result == 0 && closes == 0);
  tls_peer_close(&p);
  end(tls);
}

TEST(client_tls_peers) {
  (void)!setenv("SSL_CERT_FILE", "/dev/null", 1); /* the system's store has no test authority in any case */
  make_certificates();
  for (size_t i = 0; i < sizeof PEERS / sizeof *PEERS; i++) {
    for (int v = 0; v < 2; v++) {
      char name[300];
      snprintf(name, sizeof name, "%s, case %zu", PEERS[i].name, i);
      test_case(name);
      check_peer(i, versions[v]);
    }
  }
  unsetenv("SSL_CERT_FILE");
}

TEST(client_tls_names) {
  test_case("what can't be a host's name is refused, as any name would do for the certificate then");
  static const char *const names[] = {"", ".", ".a.test", "a test", "a.test\n", "\x7f"};
  char long_name[300];
  memset(long_name, 'a', sizeof long_name);
  long_name[256] = 0;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  tls_peer_t p;
  CHECK(open_peer(&p, TLS1_3_VERSION, &server));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) CHECK_INT(secure(&p, tls, names[i]), IOD_E_SYSTEM);
  CHECK_INT(secure(&p, tls, long_name), IOD_E_SYSTEM);
  CHECK(p.stream->transport == NULL);
  tls_peer_close(&p);
  end(tls);
}

TEST(client_tls_sides) {
  test_case("a set-up of one side is none of the other");
  char sentence[IOD_TLS_SENTENCE_ROOM];
  CHECK_INT(begin(), 0);
  iod_tls_t *client = new_tls(&authority, NULL, NULL);
  iod_tls_certificate_t certificate = {.chain = server.chain, .key = server.key_pem};
  iod_tls_t *serving =
      iod_tls_new(&(iod_tls_options_t){.certificates = &certificate, .certificate_count = 1}, sentence);
  tls_peer_t p;
  CHECK(serving && open_peer(&p, TLS1_3_VERSION, &server));
  iod_loop_lock(&loop);
  CHECK_INT(iod_stream_secure(p.stream, client), IOD_E_SYSTEM);
  CHECK_INT(iod_stream_secure_client(p.stream, serving, "a.test"), IOD_E_SYSTEM);
  iod_loop_unlock(&loop);
  tls_peer_close(&p);
  iod_tls_unref(serving);
  end(client);
}

static void write_file(const char *path, iod_slice_t bytes) {
  FILE *f = fopen(path, "w");
  CHECK(f && fwrite(bytes.at, 1, bytes.length, f) == bytes.length && fclose(f) == 0);
}

TEST(client_tls_system_store) {
  test_case("without authorities of its own a client trusts the system's store");
  char path[64];
  snprintf(path, sizeof path, "/tmp/iodine-authorities-%d", (int)getpid());
  make_certificates();
  write_file(path, authority.chain);
  (void)!setenv("SSL_CERT_FILE", path, 1);
  tls_peer_t p;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL, NULL);
  CHECK(open_server(&p, tls, TLS1_3_VERSION, &server, "a.test"));
  CHECK_INT(shake(&p), 1);
  CHECK_INT(shake_result, 0);
  tls_peer_close(&p);
  end(tls);
  unsetenv("SSL_CERT_FILE");
  unlink(path);
}

/* ---- our own certificate, protocols ---- */

static int accept_any(int good, X509_STORE_CTX *store) {
  (void)good, (void)store;
  return 1;
}

/* 1: the server took us and has our certificate; 0: it did not. */
static int shake_with_certificate(iod_tls_t *tls, int version) {
  tls_peer_t p;
  char byte;
  CHECK(open_server(&p, tls, version, &server, "a.test"));
  SSL_set_verify(p.ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
  int done = shake(&p);
  X509 *x509 = SSL_get_peer_certificate(p.ssl);
  if (done) CHECK(x509 && X509_cmp(x509, mine.x509) == 0);
  if (!done) CHECK_INT(tls_peer_hear(&p, &byte, 1), 0);
  X509_free(x509);
  tls_peer_close(&p);
  return done;
}

TEST(client_tls_own_certificate) {
  test_case("a server that asks gets our certificate; without one it refuses us, and the connection ends");
  for (int v = 0; v < 2; v++) {
    CHECK_INT(begin(), 0);
    iod_tls_t *with = new_tls(&authority, &mine, NULL), *without = new_tls(&authority, NULL, NULL);
    CHECK_INT(shake_with_certificate(with, versions[v]), 1);
    CHECK_INT(closes, 0);
    CHECK_INT(shake_with_certificate(without, versions[v]), 0);
    for (int i = 0; i < 3; i++) turn(0);
    CHECK(closes > 0);
    iod_tls_unref(without);
    end(with);
  }
}

static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *offered,
                  unsigned length, void *wanted) {
  static const unsigned char name[] = "\x03"
                                      "foo";
  (void)ssl;
  CHECK(length == 4 && memcmp(offered, name, 4) == 0);
  *out = name + 1;
  *out_length = 3;
  return wanted ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

TEST(client_tls_alpn) {
  test_case("what is offered may be chosen, left alone, or refused");
  enum { CHOSEN, LEFT_ALONE, REFUSED };
  for (int how = CHOSEN; how <= REFUSED; how++) {
    tls_peer_t p;
    CHECK_INT(begin(), 0);
    iod_tls_t *tls = new_tls(&authority, NULL, "foo");
    CHECK(open_server(&p, tls, TLS1_3_VERSION, &server, "a.test"));
    if (how != LEFT_ALONE) SSL_CTX_set_alpn_select_cb(p.context, choose, how == CHOSEN ? &p : NULL);
    CHECK_INT(shake(&p), how != REFUSED);
    turn(0);
    CHECK_INT(shakes, 1);
    CHECK_INT(shake_result, how == REFUSED ? IOD_E_CLOSED : 0);
    const iod_tls_info_t *info = how == REFUSED ? NULL : iod_stream_tls_info(p.stream);
    if (info) CHECK_BYTES(info->protocol.at, info->protocol.length, how == CHOSEN ? "foo" : "");
    if (!info) CHECK(strstr(why_not, "no application protocol") != NULL);
    tls_peer_close(&p);
    end(tls);
  }
}

/* ---- what comes of others ---- */

TEST(client_tls_plain) {
  static const char *const answers[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail\r\n", "SSH-2.0-x\r\n",
                                        "\x80\x01\x02\x03\x04"};
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    test_case(answers[i]);
    tls_peer_t p;
    char hello[4096];
    CHECK_INT(begin(), 0);
    iod_tls_t *tls = new_tls(&authority, NULL, NULL);
    CHECK(open_server(&p, tls, TLS1_3_VERSION, &server, "a.test"));
    CHECK_INT(send_bytes(p.stream, "secret", 6), 0);
    turn(0);
    CHECK(recv(p.fd, hello, sizeof hello, 0) > 0);
    CHECK(write(p.fd, answers[i], strlen(answers[i])) == (ssize_t)strlen(answers[i]));
    for (int k = 0; k < 3; k++) turn(0);
    CHECK_INT(shakes, 1);
    CHECK_INT(shake_result, IOD_E_CLOSED);
    CHECK_BYTES(why_not, strlen(why_not), "the peer does not speak TLS");
    CHECK_INT(seen_length, 0);
    ssize_t n = recv(p.fd, hello, sizeof hello, 0);
    CHECK(n <= 0 || !memmem(hello, (size_t)n, "secret", 6));
    tls_peer_close(&p);
    for (int k = 0; k < 3; k++) turn(0);
    CHECK_INT(closes, 1);
    end(tls);
  }
}

TEST(client_tls_cut) {
  test_case("a server that stops after k bytes: the handshake fails, with a reason");
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  for (size_t stop = 1; stop < 1500; stop += stop < 12 ? 1 : 41) {
    for (int v = 0; v < 2; v++) {
      tls_peer_t p;
      CHECK_INT(begin(), 0);
      CHECK(open_server(&p, tls, versions[v], &server, "a.test"));
      p.stop = stop;
      bool done = shake(&p) && shakes == 1 && shake_result == 0;
      close(p.fd);
      p.fd = -1;
      for (int i = 0; i < 3; i++) turn(0);
      CHECK_INT(shakes, 1);
      if (!done && shake_result) CHECK_BYTES(why_not, strlen(why_not), "the peer hung up");
      CHECK_INT(closes, 1);
      tls_peer_close(&p);
      iod_loop_deinit(&loop);
    }
  }
  iod_tls_unref(tls);
}

enum { RECORD_HEAD = 5 }; /* a type, a version that TLS 1.3 ignores, a length */

static bool in_record_head(const char *records, size_t offset) {
  size_t at = 0;
  for (;;) {
    const unsigned char *head = (const unsigned char *)records + at;
    size_t end = at + RECORD_HEAD + ((size_t)head[3] << 8 | head[4]);
    if (offset < end) return offset < at + RECORD_HEAD;
    at = end;
  }
}

TEST(client_tls_garbage) {
  test_case("a server's answer with a flipped bit never leads to a connection");
  iod_tls_t *tls = new_tls(&authority, NULL, "http/1.1");
  uint32_t random = 1;
  for (int i = 0; i < 150; i++) {
    tls_peer_t p;
    char answer[4096];
    CHECK_INT(begin(), 0);
    CHECK(open_server(&p, tls, versions[i & 1], &server, "a.test"));
    turn(0);
    tls_peer_carry_in(&p);
    SSL_do_handshake(p.ssl);
    int length = BIO_read(p.out, answer, sizeof answer);
    CHECK(length > 500);
    size_t offset;
    do random = random * 1103515245u + 12345u, offset = (random >> 8) % (unsigned)length;
    while (in_record_head(answer, offset));
    answer[offset] ^= (char)(1u << (random >> 28 & 7));
    CHECK(write(p.fd, answer, (size_t)length) == length);
    for (int k = 0; k < 3; k++) turn(0);
    tls_peer_shake(&p);
    CHECK(shakes == 0 || shake_result == IOD_E_CLOSED);
    tls_peer_close(&p);
    for (int k = 0; k < 3; k++) turn(0);
    CHECK_INT(shakes, 1);
    CHECK_INT(closes, 1);
    iod_loop_deinit(&loop);
  }
  iod_tls_unref(tls);
}

TEST(client_tls_old) {
  test_case("TLS 1.1 is not spoken");
  tls_peer_t p;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  CHECK(open_server(&p, tls, TLS1_1_VERSION, &server, "a.test"));
  SSL_set_cipher_list(p.ssl, "ALL:@SECLEVEL=0");
  CHECK_INT(shake(&p), 0);
  turn(0);
  CHECK_INT(shake_result, IOD_E_CLOSED);
  tls_peer_close(&p);
  end(tls);
}

TEST(client_tls_renegotiation) {
  test_case("a server that wants to negotiate anew is not obeyed");
  tls_peer_t p;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(&authority, NULL, NULL);
  CHECK(open_server(&p, tls, TLS1_2_VERSION, &server, "a.test"));
  CHECK_INT(shake(&p), 1);
  CHECK(SSL_renegotiate(p.ssl));
  SSL_do_handshake(p.ssl);
  while (tls_peer_carry(&p)) {}
  CHECK(SSL_do_handshake(p.ssl) != 1 || SSL_get_state(p.ssl) == TLS_ST_OK);
  CHECK_INT(shakes, 1);
  tls_peer_close(&p);
  end(tls);
}

/* ---- set-ups that can't be ---- */

static void refused(iod_tls_options_t options, const char *part) {
  char sentence[IOD_TLS_SENTENCE_ROOM] = "";
  options.trust_label = "ca.pem";
  iod_tls_t *tls = iod_tls_client_new(&options, sentence);
  if (!CHECK(!tls && strstr(sentence, part))) printf("  \"%s\" has no \"%s\"\n", sentence, part);
  iod_tls_unref(tls);
}

TEST(client_tls_errors) {
  test_case("what is wrong with a set-up is said");
  iod_slice_t junk = IOD_SLICE("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const char *empty = "";
  make_certificates();
  iod_tls_certificate_t unfit = {
      .chain = mine.chain, .key = server.key_pem, .chain_label = "cert.pem", .key_label = "key.pem"};
  refused((iod_tls_options_t){.trust = junk}, "ca.pem: no certificate can be read from it: ");
  refused((iod_tls_options_t){.trust = IOD_SLICE("")}, "ca.pem: no certificate can be read from it");
  refused((iod_tls_options_t){.certificates = &unfit, .certificate_count = 1},
          "key.pem: the private key does not fit the certificate of cert.pem: ");
  refused((iod_tls_options_t){.protocols = &empty, .protocol_count = 1}, "a protocol's name has 1 to 255 bytes, not 0");
}

/* ---- without memory ---- */

static void life(void) {
  tls_peer_t p;
  char heard[8];
  if (begin()) return;
  iod_tls_t *tls = new_tls(&authority, &mine, "http/1.1");
  if (tls && open_server(&p, tls, TLS1_3_VERSION, &server, "a.test") && shake(&p) == 1) {
    if (closes == 0 && send_bytes(p.stream, "hello", 5) == 0) tls_peer_hear(&p, heard, 5);
  }
  if (tls) tls_peer_close(&p);
  ERR_clear_error();
  end(tls);
}

TEST(client_tls_without_memory) {
  test_case("allocations of set-up and handshake fail, OpenSSL's as well");
  make_certificates();
  for (long k = 0; k < 20000; k += 53) {
    iod_alloc_countdown = k;
    life();
    bool none_failed = iod_alloc_countdown >= 0;
    iod_alloc_countdown = -1;
    if (none_failed) break;
  }
  life();
  CHECK_INT(shakes, 1);
  CHECK_INT(shake_result, 0);
}
