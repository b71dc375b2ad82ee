#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/reactor/loop.h"
#include "../../../ext/iodine/reactor/tls.h"
#include "../certificate.h"
#include "../test.h"
#include "tls_peer.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 3 << 20 };

/* ---- our side: a stream that keeps what it is told ---- */

static char seen[64 * 1024];
static size_t seen_length, prefix_left;
static int eofs, closes, shakes, shake_result;
static iod_tls_t *prefix_tls;
static bool echoes;
static char big[BIG], got[BIG + 4096];

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  if (prefix_left > 0) { /* some other protocol comes first */
    size_t n = length < prefix_left ? length : prefix_left;
    prefix_left -= n;
    if (prefix_left == 0) CHECK_INT(iod_stream_secure(s, prefix_tls), 0);
    return n;
  }
  size_t room = sizeof seen - seen_length;
  memcpy(seen + seen_length, bytes, length < room ? length : room);
  seen_length += length < room ? length : room;
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = bytes, .length = length};
  if (echoes) (void)!iod_stream_send(s, &segment, 1);
  return length;
}
static void on_eof(iod_stream_t *s) {
  eofs++;
  iod_stream_finish(s);
}
static void on_handshake(iod_stream_t *s, int result, const char *why) {
  shakes++;
  shake_result = result;
  CHECK((result == 0) == (why == NULL));
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = "in clear", .length = 8};
  if (result == IOD_E_PLAIN && iod_stream_send(s, &segment, 1) == 0) iod_stream_finish(s);
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
                                     .on_close = on_close};

static iod_loop_t loop;
static int released;
static void on_release(void *context, void *token) { (void)context, (void)token, released++; }

static void forget(void) {
  seen_length = prefix_left = 0;
  eofs = closes = shakes = shake_result = released = 0;
  echoes = true;
}

static int begin(void) {
  forget();
  int result = iod_loop_init(&loop, sizeof(iod_stream_t));
  if (result == 0) loop.releaser.release = on_release;
  return result;
}

static void turn(int max_ms) { tls_peer_turn(&loop, max_ms); }

/* ---- the client ---- */

static bool open_client(tls_peer_t *c, iod_tls_t *tls, int version) {
  int end = tls_peer_open(c, &loop, TLS_client_method(), version);
  if (end < 0) return false;
  iod_loop_lock(&loop);
  c->stream = iod_loop_open(&loop, end, &ops);
  bool ok = c->stream && (!tls || iod_stream_secure(c->stream, tls) == 0);
  iod_loop_unlock(&loop);
  return ok;
}

/* ---- set-ups ---- */

static certificate_t authority, first, second;

static iod_tls_t *new_tls(const certificate_t *trust, const char *protocol) {
  char sentence[IOD_TLS_SENTENCE_ROOM];
  if (!authority.key) {
    authority = certificate_new("DNS:authority", NULL, NULL);
    first = certificate_new("DNS:a.test,DNS:*.wild.test", &authority, NULL);
    second = certificate_new("DNS:b.test", &authority, NULL);
  }
  iod_tls_certificate_t list[] = {{.chain = first.chain, .key = first.key_pem, .chain_label = "a.pem"},
                                  {.chain = second.chain, .key = second.key_pem, .chain_label = "b.pem"}};
  const char *protocols[] = {protocol};
  iod_tls_options_t options = {.certificates = list,
                               .certificate_count = 2,
                               .trust = trust ? trust->chain : (iod_slice_t){0},
                               .protocols = protocols,
                               .protocol_count = protocol ? 1 : 0};
  return iod_tls_new(&options, sentence);
}

static int end(iod_tls_t *tls) {
  iod_loop_deinit(&loop);
  iod_tls_unref(tls);
  return 0;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

__attribute__((destructor)) static void free_certificates(void) {
  certificate_free(&authority);
  certificate_free(&first);
  certificate_free(&second);
}

/* ---- the handshake ---- */

TEST(tls_echo) {
  test_case("handshake and echo with both versions, whole and byte by byte");
  for (size_t step = 0; step < 2; step++) {
    for (int v = 0; v < 2; v++) {
      tls_peer_t c;
      char answer[16] = "";
      CHECK_INT(begin(), 0);
      iod_tls_t *tls = new_tls(NULL, NULL);
      CHECK(open_client(&c, tls, versions[v]));
      c.step = step;
      CHECK_INT(tls_peer_shake(&c), 1);
      CHECK_INT(shakes, 1);
      tls_peer_tell(&c, "hello");
      CHECK_BYTES(answer, tls_peer_hear(&c, answer, 5), "hello");
      const iod_tls_info_t *info = iod_stream_tls_info(c.stream);
      CHECK(info && strcmp(info->version, v ? "TLSv1.3" : "TLSv1.2") == 0 && info->peer.length == 0);
      CHECK(c.stream->input.bytes == NULL && loop.sealed.start == loop.sealed.end);
      SSL_shutdown(c.ssl);
      while (tls_peer_carry(&c)) {}
      CHECK_INT(eofs, 1);
      tls_peer_close(&c);
      end(tls);
    }
  }
}

TEST(tls_cut) {
  test_case("a client that stops after k bytes: nothing but its own connection ends");
  iod_tls_t *tls = new_tls(NULL, NULL);
  for (size_t stop = 1; stop < 500; stop += stop < 12 ? 1 : 13) {
    tls_peer_t c;
    CHECK_INT(begin(), 0);
    CHECK(open_client(&c, tls, TLS1_3_VERSION));
    c.stop = stop;
    tls_peer_shake(&c);
    close(c.fd);
    c.fd = -1;
    for (int i = 0; i < 3; i++) turn(0);
    CHECK_INT(closes, 1);
    tls_peer_close(&c);
    iod_loop_deinit(&loop);
  }
  iod_tls_unref(tls);
}

TEST(tls_garbage) {
  test_case("a handshake with flipped bits fails or succeeds, and an alert is told before the end");
  iod_tls_t *tls = new_tls(NULL, "http/1.1");
  uint32_t random = 1;
  for (int i = 0; i < 150; i++) {
    tls_peer_t c;
    char hello[1024];
    CHECK_INT(begin(), 0);
    CHECK(open_client(&c, tls, versions[i & 1]));
    SSL_set_tlsext_host_name(c.ssl, "a.test");
    SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x08http/1.1", 9);
    SSL_do_handshake(c.ssl);
    int length = BIO_read(c.out, hello, sizeof hello);
    for (int flips = 0; flips < 1 + i % 4; flips++) {
      random = random * 1103515245u + 12345u;
      hello[(random >> 8) % (unsigned)length] ^= (char)(1u << (random >> 28 & 7));
    }
    CHECK(write(c.fd, hello, (size_t)length) == length);
    for (int k = 0; k < 3; k++) turn(0);
    tls_peer_shake(&c);
    tls_peer_close(&c);
    for (int k = 0; k < 3; k++) turn(0);
    CHECK_INT(closes, 1);
    iod_loop_deinit(&loop);
  }
  iod_tls_unref(tls);
}

TEST(tls_plain) {
  test_case("who speaks in clear is answered in clear");
  tls_peer_t c;
  char answer[64];
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  CHECK(write(c.fd, "GET / HTTP/1.1\r\n", 16) == 16);
  for (int i = 0; i < 3; i++) turn(0);
  CHECK_INT(shake_result, IOD_E_PLAIN);
  CHECK_BYTES(answer, (size_t)read(c.fd, answer, sizeof answer), "in clear");
  tls_peer_close(&c);
  end(tls);
}

TEST(tls_behind_prefix) {
  test_case("TLS after the bytes of another protocol, cut anywhere");
  iod_tls_t *tls = new_tls(NULL, NULL);
  for (size_t first_write = 1; first_write < 40; first_write += 3) {
    tls_peer_t c;
    char bytes[2048] = "PROXY TCP4\r\n", answer[8];
    CHECK_INT(begin(), 0);
    prefix_left = 12;
    prefix_tls = tls;
    CHECK(open_client(&c, NULL, TLS1_3_VERSION));
    SSL_do_handshake(c.ssl);
    int length = 12 + BIO_read(c.out, bytes + 12, sizeof bytes - 12);
    CHECK(write(c.fd, bytes, first_write) == (ssize_t)first_write);
    for (int i = 0; i < 2; i++) turn(0);
    CHECK(write(c.fd, bytes + first_write, (size_t)length - first_write) > 0);
    for (int i = 0; i < 3; i++) turn(0);
    tls_peer_carry_in(&c);
    CHECK_INT(tls_peer_shake(&c), 1);
    tls_peer_tell(&c, "hello");
    CHECK_BYTES(answer, tls_peer_hear(&c, answer, 5), "hello");
    tls_peer_close(&c);
    iod_loop_deinit(&loop);
  }
  iod_tls_unref(tls);
}

TEST(tls_before_handshake) {
  test_case("what is sent before the handshake waits for it, and so does the end");
  tls_peer_t c;
  char answer[16];
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .bytes = "go away", .length = 7};
  iod_loop_lock(&loop);
  CHECK_INT(iod_stream_send(c.stream, &segment, 1), 0);
  iod_stream_finish(c.stream);
  iod_loop_unlock(&loop);
  CHECK_INT(tls_peer_shake(&c), 1);
  CHECK_BYTES(answer, tls_peer_hear(&c, answer, sizeof answer), "go away");
  CHECK(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN);
  tls_peer_close(&c);
  end(tls);
}

TEST(tls_many) {
  test_case("many handshakes at once: a turn makes some of them, all come to their end");
  enum { MANY = 40 };
  static tls_peer_t clients[MANY];
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  for (int i = 0; i < MANY; i++) {
    CHECK(open_client(&clients[i], tls, TLS1_3_VERSION));
    SSL_do_handshake(clients[i].ssl);
    tls_peer_carry_out(&clients[i]);
  }
  turn(0);
  CHECK(loop.shaken > 0 && loop.ready != NULL);
  for (int i = 0; i < MANY; i++) CHECK_INT(tls_peer_shake(&clients[i]), 1);
  CHECK_INT(shakes, MANY);
  for (int i = 0; i < MANY; i++) tls_peer_close(&clients[i]);
  end(tls);
}

/* ---- names, protocols, certificates of clients ---- */

static long serial_for(iod_tls_t *tls, const char *name) {
  tls_peer_t c;
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  if (name) SSL_set_tlsext_host_name(c.ssl, name);
  CHECK_INT(tls_peer_shake(&c), 1);
  X509 *x509 = SSL_get_peer_certificate(c.ssl);
  long serial = x509 ? ASN1_INTEGER_get(X509_get_serialNumber(x509)) : -1;
  X509_free(x509);
  tls_peer_close(&c);
  return serial;
}

TEST(tls_names) {
  test_case("the certificate for a name: exact, one label for a star, any case, else the first");
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  long one = ASN1_INTEGER_get(X509_get_serialNumber(first.x509));
  long two = ASN1_INTEGER_get(X509_get_serialNumber(second.x509));
  CHECK_INT(serial_for(tls, "b.test"), two);
  CHECK_INT(serial_for(tls, "B.TEST"), two);
  CHECK_INT(serial_for(tls, "a.test"), one);
  CHECK_INT(serial_for(tls, "x.wild.test"), one);
  CHECK_INT(serial_for(tls, "x.b.test"), one);
  CHECK_INT(serial_for(tls, "unknown.test"), one);
  CHECK_INT(serial_for(tls, NULL), one);
  end(tls);
}

TEST(tls_names_given) {
  test_case("a given name is what counts, not those in the certificate");
  char sentence[IOD_TLS_SENTENCE_ROOM];
  iod_tls_unref(new_tls(NULL, NULL)); /* the certificates are there then */
  CHECK_INT(begin(), 0);
  iod_tls_certificate_t list[] = {{.chain = first.chain, .key = first.key_pem, .server_name = "c.test"},
                                  {.chain = second.chain, .key = second.key_pem, .server_name = "*.D.test."}};
  iod_tls_t *tls = iod_tls_new(&(iod_tls_options_t){.certificates = list, .certificate_count = 2}, sentence);
  long one = ASN1_INTEGER_get(X509_get_serialNumber(first.x509));
  long two = ASN1_INTEGER_get(X509_get_serialNumber(second.x509));
  CHECK_INT(serial_for(tls, "x.d.test"), two);
  CHECK_INT(serial_for(tls, "x.y.d.test"), one);
  CHECK_INT(serial_for(tls, "d.test"), one);
  CHECK_INT(serial_for(tls, "b.test"), one);
  end(tls);
}

static int shake_with_alpn(iod_tls_t *tls, const char *offer, char *chosen) {
  tls_peer_t c;
  const unsigned char *at;
  unsigned length;
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  if (offer) SSL_set_alpn_protos(c.ssl, (const unsigned char *)offer, (unsigned)strlen(offer));
  int done = tls_peer_shake(&c);
  SSL_get0_alpn_selected(c.ssl, &at, &length);
  snprintf(chosen, 16, "%.*s", (int)length, (const char *)at);
  if (done && length) CHECK(iod_stream_tls_info(c.stream)->protocol.length == length);
  tls_peer_close(&c);
  return done;
}

TEST(tls_alpn) {
  test_case("a protocol that both speak is chosen; without a common one there is no connection");
  char chosen[16];
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, "http/1.1");
  CHECK_INT(shake_with_alpn(tls, "\x02h2\x08http/1.1", chosen), 1);
  CHECK_BYTES(chosen, strlen(chosen), "http/1.1");
  CHECK_INT(shake_with_alpn(tls, NULL, chosen), 1);
  CHECK_INT(shake_with_alpn(tls, "\x02h2", chosen), 0);
  end(tls);
}

static int shake_with_certificate(iod_tls_t *tls, int version, const certificate_t *mine) {
  tls_peer_t c;
  char byte;
  CHECK(open_client(&c, tls, version));
  if (mine) CHECK(SSL_use_certificate(c.ssl, mine->x509) && SSL_use_PrivateKey(c.ssl, mine->key));
  shakes = 0;
  int done = tls_peer_shake(&c) && shakes == 1 && shake_result == 0;
  if (done) {
    const iod_tls_info_t *info = iod_tls_info_ref(iod_stream_tls_info(c.stream));
    unsigned char *der = NULL;
    int length = i2d_X509(mine->x509, &der);
    CHECK(info->peer.length == (size_t)length && memcmp(info->peer.at, der, info->peer.length) == 0);
    OPENSSL_free(der);
    iod_tls_info_unref(info);
  } else {
    tls_peer_hear(&c, &byte, 1);
    CHECK_INT(seen_length, 0);
  }
  tls_peer_close(&c);
  return done;
}

TEST(tls_trust) {
  test_case("clients need a certificate of a trusted authority");
  iod_tls_unref(new_tls(NULL, NULL));
  certificate_t good = certificate_new("DNS:client", &authority, NULL),
                other = certificate_new("DNS:other", NULL, NULL);
  for (int v = 0; v < 2; v++) {
    CHECK_INT(begin(), 0);
    iod_tls_t *tls = new_tls(&authority, NULL);
    CHECK_INT(shake_with_certificate(tls, versions[v], &good), 1);
    CHECK_INT(shake_with_certificate(tls, versions[v], &other), 0);
    CHECK_INT(shake_with_certificate(tls, versions[v], NULL), 0);
    end(tls);
  }
  certificate_free(&good);
  certificate_free(&other);
}

/* ---- tickets ---- */

static SSL_SESSION *session_of(iod_tls_t *tls, int version, const char *name) {
  tls_peer_t c;
  char answer[8];
  CHECK(open_client(&c, tls, version));
  SSL_set_tlsext_host_name(c.ssl, name);
  CHECK_INT(tls_peer_shake(&c), 1);
  tls_peer_tell(&c, "hello");
  tls_peer_hear(&c, answer, 5); /* TLS 1.3's tickets come with it */
  SSL_SESSION *session = SSL_get1_session(c.ssl);
  SSL_set_shutdown(c.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  tls_peer_close(&c);
  return session;
}

static bool resumes(iod_tls_t *tls, int version, SSL_SESSION *session, const char *name) {
  tls_peer_t c;
  CHECK(open_client(&c, tls, version));
  SSL_set_tlsext_host_name(c.ssl, name);
  SSL_set_session(c.ssl, session);
  bool done = tls_peer_shake(&c) == 1;
  bool reused = done && SSL_session_reused(c.ssl);
  SSL_set_shutdown(c.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* else the session counts as broken */
  tls_peer_close(&c);
  return reused;
}

TEST(tls_tickets) {
  test_case("a ticket is good for its name, certificate and authorities, also after these were loaded anew");
  for (int v = 0; v < 2; v++) {
    CHECK_INT(begin(), 0);
    iod_tls_t *tls = new_tls(NULL, NULL), *again = new_tls(NULL, NULL), *asking = new_tls(&authority, NULL);
    SSL_SESSION *session = session_of(tls, versions[v], "a.test");
    CHECK(resumes(tls, versions[v], session, "a.test"));
    CHECK(resumes(again, versions[v], session, "a.test"));
    CHECK(!resumes(tls, versions[v], session, "b.test"));
    CHECK(!resumes(tls, versions[v], session, "x.wild.test"));
    CHECK(!resumes(asking, versions[v], session, "a.test"));
    SSL_SESSION_free(session);
    iod_tls_unref(again);
    iod_tls_unref(asking);
    end(tls);
  }
}

/* ---- what a peer may try later ---- */

TEST(tls_renegotiation) {
  test_case("renegotiation is refused");
  tls_peer_t c;
  char answer[8];
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_2_VERSION));
  CHECK_INT(tls_peer_shake(&c), 1);
  CHECK(SSL_renegotiate(c.ssl));
  SSL_do_handshake(c.ssl);
  while (tls_peer_carry(&c)) {}
  CHECK(tls_peer_hear(&c, answer, 1) == 0);
  CHECK_INT(shakes, 1);
  CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION);
  tls_peer_close(&c);
  end(tls);
}

TEST(tls_key_updates) {
  test_case("a peer that wants one new key after another and reads nothing is not remembered without limit");
  tls_peer_t c;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  CHECK_INT(tls_peer_shake(&c), 1);
  c.deaf = true;
  CHECK(setsockopt(c.stream->fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)) == 0);
  for (int i = 0; i < 10000 && !closes; i++) {
    SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(c.ssl);
    while (tls_peer_carry(&c)) {}
  }
  CHECK_INT(closes, 1);
  tls_peer_close(&c);
  end(tls);
}

TEST(tls_close) {
  test_case("a close is said, a reset isn't, and a peer's end without a word is an end");
  for (int reset = 0; reset < 2; reset++) {
    tls_peer_t c;
    char byte;
    CHECK_INT(begin(), 0);
    iod_tls_t *tls = new_tls(NULL, NULL);
    CHECK(open_client(&c, tls, TLS1_3_VERSION));
    CHECK_INT(tls_peer_shake(&c), 1);
    iod_loop_lock(&loop);
    reset ? iod_stream_reset(c.stream) : iod_stream_close(c.stream);
    iod_loop_unlock(&loop);
    tls_peer_hear(&c, &byte, 1);
    CHECK_INT((SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN) != 0, !reset);
    tls_peer_close(&c);
    end(tls);
  }
  tls_peer_t c;
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  CHECK_INT(tls_peer_shake(&c), 1);
  shutdown(c.fd, SHUT_WR);
  for (int i = 0; i < 3; i++) turn(0);
  CHECK_INT(eofs, 1);
  tls_peer_close(&c);
  end(tls);
}

/* ---- much output ---- */

static int file_of(const char *bytes, size_t length) {
  FILE *f = tmpfile();
  int fd = dup(fileno(f));
  CHECK(write(fd, bytes, length) == (ssize_t)length);
  fclose(f);
  return fd;
}

static void fill(void) {
  for (size_t i = 0; i < BIG; i++) big[i] = (char)(i * 7 >> 3);
}

/* A head, a piece that is lent, and a file, of BIG bytes in all. */
static int send_big(iod_stream_t *s, size_t lacking) {
  size_t half = BIG / 2, rest = BIG - 100 - half;
  iod_segment_t segments[] = {
      {.kind = IOD_SEGMENT_BYTES, .bytes = big, .length = 100},
      {.kind = IOD_SEGMENT_SHARED, .bytes = big + 100, .length = half, .release = big},
      {.kind = IOD_SEGMENT_FILE, .fd = file_of(big + 100 + half, rest - lacking), .length = rest}};
  iod_loop_lock(&loop);
  int result = iod_stream_send(s, segments, 3);
  iod_loop_unlock(&loop);
  return result;
}

TEST(tls_big) {
  test_case("megabytes to a peer that reads in its own time: all of it, in order");
  tls_peer_t c;
  fill();
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  CHECK_INT(tls_peer_shake(&c), 1);
  CHECK_INT(send_big(c.stream, 0), 0);
  CHECK(c.stream->output.pending > 0 && !c.stream->writable);
  size_t length = tls_peer_hear(&c, got, BIG);
  CHECK(length == BIG && memcmp(got, big, BIG) == 0);
  CHECK_INT(c.stream->output.pending, 0);
  CHECK_INT(released, 1);
  tls_peer_tell(&c, "hello");
  CHECK_BYTES(got, tls_peer_hear(&c, got, 5), "hello");
  tls_peer_close(&c);
  end(tls);
}

TEST(tls_short_file) {
  test_case("a file that came up short breaks the connection off, without a close that looks like the end");
  tls_peer_t c;
  fill();
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  CHECK_INT(tls_peer_shake(&c), 1);
  (void)!send_big(c.stream, 1000);
  CHECK(tls_peer_hear(&c, got, BIG) < BIG);
  CHECK_INT(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN, 0);
  CHECK_INT(closes, 1);
  tls_peer_close(&c);
  end(tls);
}

TEST(tls_mute) {
  test_case("output that nobody reads goes when the connection is closed");
  tls_peer_t c;
  fill();
  CHECK_INT(begin(), 0);
  iod_tls_t *tls = new_tls(NULL, NULL);
  CHECK(open_client(&c, tls, TLS1_3_VERSION));
  CHECK_INT(tls_peer_shake(&c), 1);
  CHECK_INT(send_big(c.stream, 0), 0);
  end(tls);
  CHECK_INT(closes, 1);
  CHECK_INT(released, 1);
  tls_peer_close(&c);
}

/* ---- set-ups that can't be ---- */

static void refused(iod_tls_certificate_t certificate, iod_slice_t trust, const char *part) {
  char sentence[IOD_TLS_SENTENCE_ROOM] = "";
  iod_tls_options_t options = {
      .certificates = &certificate, .certificate_count = 1, .trust = trust, .trust_label = "ca.pem"};
  iod_tls_t *tls = iod_tls_new(&options, sentence);
  if (!CHECK(!tls && strstr(sentence, part))) printf("  \"%s\" has no \"%s\"\n", sentence, part);
  iod_tls_unref(tls);
}

TEST(tls_errors) {
  test_case("what is wrong is said, with the file and OpenSSL's reason");
  char sentence[IOD_TLS_SENTENCE_ROOM];
  iod_tls_unref(new_tls(NULL, NULL));
  certificate_t locked = certificate_new("DNS:locked", NULL, "secret");
  iod_tls_certificate_t good = {
      .chain = first.chain, .key = first.key_pem, .chain_label = "cert.pem", .key_label = "key.pem"};
  iod_slice_t none = {0}, junk = IOD_SLICE("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  iod_tls_certificate_t bad = good;
  bad.chain = none;
  refused(bad, none, "cert.pem: no certificate can be read from it: no start line");
  bad.chain = junk;
  refused(bad, none, "cert.pem: no certificate can be read from it: ");
  bad = good, bad.key = second.key_pem;
  refused(bad, none, "key.pem: the private key does not fit the certificate of cert.pem: key values mismatch");
  bad = good, bad.key = junk;
  refused(bad, none, "key.pem: no private key can be read from it: ");
  bad = good, bad.chain = locked.chain, bad.key = locked.key_pem;
  refused(bad, none, "key.pem: the private key is encrypted, its password is missing");
  bad.password = "wrong";
  refused(bad, none, "key.pem: no private key can be read from it with this password: ");
  bad.password = "secret";
  iod_tls_t *tls = iod_tls_new(&(iod_tls_options_t){.certificates = &bad, .certificate_count = 1}, sentence);
  CHECK(tls != NULL);
  iod_tls_unref(tls);
  refused(good, junk, "ca.pem: no certificate can be read from it: ");
  refused(good, IOD_SLICE(""), "ca.pem: no certificate can be read from it");
  CHECK(!iod_tls_new(&(iod_tls_options_t){0}, sentence) && strstr(sentence, "needs a certificate"));
  certificate_free(&locked);
}

/* ---- without memory ---- */

static void life(void) {
  tls_peer_t c;
  char answer[8];
  if (begin()) return;
  iod_tls_t *tls = new_tls(NULL, "http/1.1");
  if (tls && open_client(&c, tls, TLS1_3_VERSION)) {
    if (tls_peer_shake(&c) == 1) {
      tls_peer_tell(&c, "hello");
      tls_peer_hear(&c, answer, 5);
    }
  }
  if (tls) tls_peer_close(&c);
  ERR_clear_error();
  end(tls);
}

TEST(tls_without_memory) {
  test_case("allocations of set-up and handshake fail, OpenSSL's as well");
  iod_tls_unref(new_tls(NULL, NULL));
  for (long k = 0; k < 20000; k += 53) {
    iod_alloc_countdown = k;
    life();
    bool none_failed = iod_alloc_countdown >= 0;
    iod_alloc_countdown = -1;
    if (none_failed) break;
  }
  life();
  CHECK_INT(shakes, 1);
}
