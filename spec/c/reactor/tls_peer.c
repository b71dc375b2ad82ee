#include "tls_peer.h"

#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/reactor/socket.h"
#include "../test.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* OpenSSL's allocations fail in their turn, too. */
static void *take(size_t size, const char *file, int line) {
  (void)file, (void)line;
  return iod_alloc(size);
}
static void *take_again(void *memory, size_t size, const char *file, int line) {
  (void)file, (void)line;
  return iod_realloc(memory, size);
}
static void give(void *memory, const char *file, int line) {
  (void)file, (void)line;
  iod_free(memory);
}
__attribute__((constructor)) static void use_seam(void) { (void)CRYPTO_set_mem_functions(take, take_again, give); }

void tls_peer_turn(iod_loop_t *loop, int max_ms) {
  if (!iod_loop_claim(loop)) abort();
  (void)!iod_loop_poll(loop, max_ms);
  iod_loop_lock(loop);
  iod_loop_turn(loop);
  iod_loop_unlock(loop);
  iod_loop_yield(loop);
}

static bool set_up(tls_peer_t *p, const SSL_METHOD *method, int version) {
  p->context = SSL_CTX_new(method);
  if (!p->context) return false;
  SSL_CTX_set_max_proto_version(p->context, version);
  p->ssl = SSL_new(p->context);
  p->in = BIO_new(BIO_s_mem());
  p->out = BIO_new(BIO_s_mem());
  if (p->ssl && p->in && p->out) {
    SSL_set_bio(p->ssl, p->in, p->out);
    return true;
  }
  BIO_free(p->in);
  BIO_free(p->out);
  return false;
}

int tls_peer_open(tls_peer_t *p, iod_loop_t *loop, const SSL_METHOD *method, int version) {
  int ends[2];
  *p = (tls_peer_t){.loop = loop, .fd = -1};
  if (!set_up(p, method, version)) return -1;
  if (method == TLS_client_method())
    SSL_set_connect_state(p->ssl);
  else
    SSL_set_accept_state(p->ssl);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK_INT(iod_socket_prepare(ends[0]) | iod_socket_prepare(ends[1]), 0);
  p->fd = ends[1];
  return ends[0];
}

void tls_peer_close(tls_peer_t *p) {
  SSL_free(p->ssl);
  SSL_CTX_free(p->context);
  if (p->fd >= 0) close(p->fd);
  p->fd = -1;
}

bool tls_peer_carry_out(tls_peer_t *p) {
  char bytes[4096];
  size_t most = p->step ? p->step : sizeof bytes;
  if (p->stop && most > p->stop - p->carried) most = p->stop - p->carried;
  int n = most ? BIO_read(p->out, bytes, (int)most) : 0;
  if (n <= 0) return false;
  p->carried += (size_t)n;
  return send(p->fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

bool tls_peer_carry_in(tls_peer_t *p) {
  char bytes[16384];
  ssize_t n;
  if (p->deaf) return true;
  while ((n = recv(p->fd, bytes, sizeof bytes, 0)) > 0) BIO_write(p->in, bytes, (int)n);
  if (n == 0) BIO_set_mem_eof_return(p->in, 0);
  return n != 0;
}

bool tls_peer_carry(tls_peer_t *p) {
  bool more = tls_peer_carry_out(p);
  tls_peer_turn(p->loop, 0);
  tls_peer_turn(p->loop, 0);
  return tls_peer_carry_in(p) && more;
}

int tls_peer_shake(tls_peer_t *p) {
  for (int i = 0; i < 4000; i++) {
    ERR_clear_error();
    int done = SSL_do_handshake(p->ssl), error = SSL_get_error(p->ssl, done);
    while (tls_peer_carry(p)) {}
    if (done == 1) return 1;
    if (error != SSL_ERROR_WANT_READ) return 0;
    if (p->stop && p->carried == p->stop) return 0;
  }
  return 0;
}

size_t tls_peer_hear(tls_peer_t *p, char *out, size_t want) {
  size_t length = 0;
  for (int idle = 0; length < want && idle < 100; idle++) {
    ERR_clear_error();
    int n = SSL_read(p->ssl, out + length, (int)(want - length));
    if (n > 0) length += (size_t)n, idle = 0;
    if (n <= 0 && SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ) break;
    tls_peer_carry(p);
  }
  return length;
}

void tls_peer_tell(tls_peer_t *p, const char *text) {
  SSL_write(p->ssl, text, (int)strlen(text));
  while (tls_peer_carry(p)) {}
}
