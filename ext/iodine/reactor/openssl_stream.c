/* The transport of a stream that speaks TLS. OpenSSL reads from the socket through a BIO and writes to the loop's
 * buffer of sealed records; what one call of it left there goes out in one send. What the socket doesn't take stays
 * with the session, and counts as pending output. */
#include "../base/alloc.h"
#include "loop.h"
#include "openssl.h"
#include "stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

enum {
  RECORD = 16 * 1024,
  RECORDS = IOD_GATHERED / RECORD, /* records for one send to a peer that keeps up; one for who doesn't */
  HANDSHAKES = 8,                  /* steps of handshakes in one turn: each may cost a signature */
  MAX_WAITING = 128 * 1024,        /* sealed bytes for a peer that doesn't read, whom OpenSSL answers all the same */
};

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

typedef struct session {
  SSL *ssl;
  iod_tls_t *tls;
  const iod_tls_info_t *info;
  iod_buffer_t early;   /* was read before TLS began */
  iod_buffer_t waiting; /* sealed, and not taken by the socket */
  unsigned records;     /* for the next send */
  bool begun;           /* the first byte came */
  bool plain;           /* and it was none of TLS's */
  bool eof;
  bool broken; /* nothing can be said any more */
} session_t;

static session_t *session_of(const iod_stream_t *s) { return s->session; }

/* ---- information ---- */

const iod_tls_info_t *iod_tls_info_ref(const iod_tls_info_t *info) {
  if (info) atomic_fetch_add(&((iod_tls_info_t *)info)->references, 1);
  return info;
}

void iod_tls_info_unref(const iod_tls_info_t *info) {
  if (info && atomic_fetch_sub(&((iod_tls_info_t *)info)->references, 1) == 1) iod_free((iod_tls_info_t *)info);
}

const iod_tls_info_t *iod_stream_tls_info(const iod_stream_t *s) { return s->session ? session_of(s)->info : NULL; }

static X509 *peer_certificate(const SSL *ssl) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  return SSL_get1_peer_certificate(ssl);
#else
  return SSL_get_peer_certificate(ssl);
#endif
}

static const iod_tls_info_t *info_new(const SSL *ssl) {
  const unsigned char *protocol;
  unsigned protocol_length;
  X509 *peer = peer_certificate(ssl);
  int peer_length = peer ? i2d_X509(peer, NULL) : 0;
  SSL_get0_alpn_selected(ssl, &protocol, &protocol_length);
  iod_tls_info_t *info = peer_length < 0 ? NULL : iod_alloc(sizeof *info + protocol_length + (size_t)peer_length);
  if (info) {
    unsigned char *at = (unsigned char *)(info + 1);
    *info = (iod_tls_info_t){.references = 1, .version = SSL_get_version(ssl), .cipher = SSL_get_cipher_name(ssl)};
    if (protocol_length) memcpy(at, protocol, protocol_length);
    info->protocol = (iod_slice_t){(char *)at, protocol_length};
    at += protocol_length;
    info->peer = (iod_slice_t){(char *)at, (size_t)peer_length};
    if (peer) i2d_X509(peer, &at);
  }
  X509_free(peer);
  return info;
}

/* ---- OpenSSL's view of the socket ---- */

static int take_early(session_t *t, char *out, int room) {
  size_t n = iod_buffer_length(&t->early);
  if (n > (size_t)room) n = (size_t)room;
  memcpy(out, iod_buffer_head(&t->early), n);
  iod_buffer_consume(&t->early, n);
  if (iod_buffer_length(&t->early) == 0) iod_buffer_deinit(&t->early);
  return (int)n;
}

static int take_from_socket(iod_stream_t *s, BIO *bio, char *out, int room) {
  ssize_t n;
  if (s->drained) {
    BIO_set_retry_read(bio);
    return -1;
  }
  do n = recv(s->fd, out, (size_t)room, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    s->drained = true;
    BIO_set_retry_read(bio);
    return -1;
  }
  s->drained = n < room && !s->peer_closed; /* not when a FIN is behind it */
  if (n <= 0)
    session_of(s)->eof = true;
  else
    iod_loop_received(s, (size_t)n);
  return (int)n;
}

/* No record begins so: with a method, where a client is to speak; with another type, where a server is. */
static bool is_plain(const session_t *t, unsigned char first) {
  return t->tls->client ? first < SSL3_RT_CHANGE_CIPHER_SPEC || first > SSL3_RT_APPLICATION_DATA
                        : (unsigned)(first - 'A') < 26u;
}

static int bio_read(BIO *bio, char *out, int room) {
  iod_stream_t *s = BIO_get_data(bio);
  session_t *t = s->session;
  BIO_clear_retry_flags(bio);
  if (room <= 0) return 0;
  int n = iod_buffer_length(&t->early) ? take_early(t, out, room) : take_from_socket(s, bio, out, room);
  if (n > 0 && !t->begun) {
    t->begun = true;
    t->plain = is_plain(t, (unsigned char)*out);
  }
  return n;
}

static int bio_write(BIO *bio, const char *bytes, int length) {
  iod_stream_t *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (length <= 0) return 0;
  return iod_buffer_append(&s->loop->sealed, bytes, (size_t)length) ? -1 : length;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_method(void) {
  method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "iodine stream");
  if (!method) return;
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
}

/* ---- writing ---- */

/* Sends bytes: how many the socket took, or IOD_E_CLOSED. */
static ssize_t send_some(const iod_stream_t *s, const char *bytes, size_t length) {
  ssize_t n;
  do n = send(s->fd, bytes, length, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : IOD_E_CLOSED;
  iod_loop_sent(s, (size_t)n);
  return n;
}

static int send_waiting(iod_stream_t *s) {
  session_t *t = s->session;
  size_t length = iod_buffer_length(&t->waiting);
  if (length == 0) return 1;
  ssize_t n = send_some(s, iod_buffer_head(&t->waiting), length);
  if (n < 0) return (int)n;
  iod_buffer_consume(&t->waiting, (size_t)n);
  s->output.pending -= (size_t)n;
  if ((size_t)n < length) return 0;
  iod_buffer_deinit(&t->waiting);
  return 1;
}

/* Sends what OpenSSL has sealed, behind what waits. 1: all of it; 0: the rest waits; IOD_E_CLOSED, IOD_E_NOMEM. */
static int send_sealed(iod_stream_t *s) {
  session_t *t = s->session;
  iod_buffer_t *sealed = &s->loop->sealed;
  size_t length = iod_buffer_length(sealed);
  if (length == 0) return 1;
  bool direct = iod_buffer_length(&t->waiting) == 0 && s->writable;
  ssize_t n = direct ? send_some(s, iod_buffer_head(sealed), length) : 0;
  size_t rest = n < 0 ? 0 : length - (size_t)n;
  int result = n < 0 ? (int)n : rest == 0;
  if (rest > 0)
    result = iod_buffer_length(&t->waiting) + rest > MAX_WAITING
                 ? IOD_E_CLOSED
                 : iod_buffer_append(&t->waiting, iod_buffer_head(sealed) + n, rest);
  if (rest > 0 && result == 0) s->output.pending += rest;
  iod_buffer_clear(sealed);
  t->records = result == 1 ? RECORDS : 1;
  return result;
}

static int seal(iod_stream_t *s, const char *bytes, size_t length) {
  session_t *t = s->session;
  ERR_clear_error();
  if (SSL_write(t->ssl, bytes, (int)length) == (int)length) return 0;
  iod_buffer_clear(&s->loop->sealed);
  t->broken = true;
  return IOD_E_CLOSED;
}

static ssize_t send_directly(iod_stream_t *s, const char *bytes, size_t length) {
  session_t *t = s->session;
  size_t most = t->records * (size_t)RECORD;
  if (s->handshaking) return 0;
  if (length > most) length = most;
  int result = seal(s, bytes, length);
  if (result == 0) result = send_sealed(s);
  return result < 0 ? result : (ssize_t)length;
}

static int write_output(iod_stream_t *s, size_t budget) {
  session_t *t = s->session;
  size_t written = 0;
  int result = send_waiting(s);
  if (result <= 0 || s->handshaking) return result;
  if (!s->loop->gathered && !(s->loop->gathered = iod_alloc(IOD_GATHERED))) return IOD_E_NOMEM;
  while (s->output.first) {
    const char *at;
    if (written >= budget) return 2;
    ssize_t n = iod_output_gather(&s->output, s->loop->gathered, t->records * (size_t)RECORD, &at);
    if (n < 0) return (int)n;
    result = seal(s, at, (size_t)n);
    if (result < 0) return result;
    iod_output_advance(&s->output, (size_t)n, &s->loop->releaser);
    written += (size_t)n;
    result = send_sealed(s);
    if (result <= 0) return result;
  }
  return 1;
}

/* The last words: as much as the socket takes at once. */
static void send_last(iod_stream_t *s) {
  iod_buffer_t *sealed = &s->loop->sealed;
  if (iod_buffer_length(sealed)) (void)send_some(s, iod_buffer_head(sealed), iod_buffer_length(sealed));
  iod_buffer_clear(sealed);
}

static void goodbye(iod_stream_t *s) {
  session_t *t = s->session;
  if (t->broken || s->handshaking || iod_buffer_length(&t->waiting) > 0) return;
  t->broken = true;
  ERR_clear_error();
  if (SSL_shutdown(t->ssl) < 0) iod_buffer_clear(&s->loop->sealed);
  send_last(s);
}

/* ---- reading ---- */

static void release(iod_stream_t *s) {
  session_t *t = s->session;
  s->transport = NULL;
  s->session = NULL;
  s->handshaking = false;
  SSL_free(t->ssl);
  iod_tls_unref(t->tls);
  iod_tls_info_unref(t->info);
  iod_buffer_deinit(&t->early);
  iod_buffer_deinit(&t->waiting);
  iod_free(t);
}

static const char not_tls[] = "the peer does not speak TLS";

/* The peer broke the rules: the alert goes out, if the socket takes it, and the connection ends in a way that lets it
 * arrive. */
static ssize_t end(iod_stream_t *s, bool shaking, const char *why) {
  session_t *t = s->session;
  if (t->broken || t->eof || iod_buffer_length(&t->waiting)) iod_buffer_clear(&s->loop->sealed);
  send_last(s);
  t->broken = true;
  s->handshaking = false;
  if (shaking) s->ops->on_handshake(s, IOD_E_CLOSED, why);
  if (s->fd < 0 || t->eof || s->closing) return IOD_E_CLOSED;
  iod_output_clear(&s->output, &s->loop->releaser);
  iod_stream_finish(s);
  return IOD_E_AGAIN;
}

/* Why a handshake failed; in `room`, or a static string. */
static const char *reason(const session_t *t, char room[IOD_TLS_SENTENCE_ROOM]) {
  const char *said = iod_tls_reason();
  if (t->plain) return not_tls;
  if (t->eof) return "the peer hung up";
  return t->tls->client && iod_tls_peer_refused(t->ssl, room) ? room : said;
}

static ssize_t speak_plain(iod_stream_t *s) {
  iod_buffer_clear(&s->loop->sealed);
  ERR_clear_error();
  release(s);
  s->ops->on_handshake(s, IOD_E_PLAIN, not_tls);
  return IOD_E_AGAIN;
}

/* After a call that gave no bytes. */
static ssize_t look_at(iod_stream_t *s, int returned, bool *filled) {
  char why[IOD_TLS_SENTENCE_ROOM];
  session_t *t = s->session;
  int error = SSL_get_error(t->ssl, returned);
  *filled = false;
  if (t->plain && s->handshaking && !t->tls->client) return speak_plain(s);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error == SSL_ERROR_WANT_READ) {
    if (s->drained) s->readable = false;
    return send_sealed(s) < 0 ? IOD_E_CLOSED : IOD_E_AGAIN;
  }
  if (t->eof && !s->handshaking) return 0; /* no close_notify: an HTTP request says by itself where it ends */
  return end(s, s->handshaking, reason(t, why));
}

static ssize_t shake_hands(iod_stream_t *s, bool *filled) {
  iod_loop_t *loop = s->loop;
  session_t *t = s->session;
  if (loop->shaken_in != atomic_load(&loop->turns)) {
    loop->shaken_in = atomic_load(&loop->turns);
    loop->shaken = 0;
  }
  if (++loop->shaken > HANDSHAKES) {
    iod_loop_ready(loop, s);
    return IOD_E_AGAIN;
  }
  ERR_clear_error();
  int done = SSL_do_handshake(t->ssl);
  if (done != 1) return look_at(s, done, filled);
  t->info = info_new(t->ssl);
  s->handshaking = false;
  if (!t->info || send_sealed(s) < 0) return IOD_E_CLOSED;
  s->ops->on_handshake(s, 0, NULL);
  if (s->fd >= 0 && s->output.pending) iod_stream_flush(s);
  return s->fd < 0 || s->lingering || s->paused ? IOD_E_AGAIN : 1;
}

static ssize_t receive(iod_stream_t *s, char *at, size_t room, bool *filled) {
  session_t *t = s->session;
  if (s->handshaking) {
    ssize_t done = shake_hands(s, filled);
    if (done != 1) return done;
  }
  ERR_clear_error();
  int n = SSL_read(t->ssl, at, (int)room);
  if (n <= 0) return look_at(s, n, filled);
  if (iod_buffer_length(&s->loop->sealed) && send_sealed(s) < 0) return IOD_E_CLOSED;
  *filled = !s->drained || SSL_has_pending(t->ssl);
  return n;
}

/* ---- the stream's side ---- */

static void adopt(iod_stream_t *s) {
  session_of(s)->early = s->input;
  s->input = (iod_buffer_t){0};
}

static const iod_transport_t transport = {
    .adopt = adopt,
    .receive = receive,
    .send = send_directly,
    .write = write_output,
    .goodbye = goodbye,
    .release = release,
};

static SSL *ssl_new(iod_stream_t *s, const iod_tls_t *tls) {
  pthread_once(&once, make_method);
  ERR_clear_error();
  BIO *bio = method ? BIO_new(method) : NULL;
  SSL *ssl = bio ? SSL_new(tls->identities->context) : NULL;
  if (!ssl) {
    BIO_free(bio);
    return NULL;
  }
  BIO_set_data(bio, s);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  if (tls->client)
    SSL_set_connect_state(ssl);
  else
    SSL_set_accept_state(ssl);
  return ssl;
}

/* server_name: of a client; else NULL. */
static int secure(iod_stream_t *s, iod_tls_t *tls, const char *server_name) {
  session_t *t = iod_alloc_zero(sizeof *t);
  if (!t) return IOD_E_NOMEM;
  t->ssl = ssl_new(s, tls);
  int result = !t->ssl ? IOD_E_NOMEM : server_name ? iod_tls_peer_expect(t->ssl, server_name) : 0;
  if (result) {
    SSL_free(t->ssl);
    iod_free(t);
    return result;
  }
  t->tls = iod_tls_ref(tls);
  t->records = RECORDS;
  s->session = t;
  s->transport = &transport;
  s->handshaking = s->adopting = true;
  s->readable = !s->connecting;
  if (s->readable) iod_loop_ready(s->loop, s);
  return 0;
}

int iod_stream_secure(iod_stream_t *s, iod_tls_t *tls) { return tls->client ? IOD_E_SYSTEM : secure(s, tls, NULL); }

int iod_stream_secure_client(iod_stream_t *s, iod_tls_t *tls, const char *server_name) {
  return tls->client ? secure(s, tls, server_name) : IOD_E_SYSTEM;
}
