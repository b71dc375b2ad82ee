/* The other end of a stream that speaks TLS: OpenSSL over memory, whose bytes are carried to the stream's socket and
 * back in steps. */
#ifndef IOD_SPEC_TLS_PEER_H
#define IOD_SPEC_TLS_PEER_H

#include "../../../ext/iodine/reactor/loop.h"

#include <openssl/ssl.h>

typedef struct tls_peer {
  SSL_CTX *context;
  SSL *ssl;
  BIO *in, *out;
  iod_loop_t *loop;
  iod_stream_t *stream; /* the one it speaks to: for the test */
  int fd;
  size_t step;          /* bytes for one write; 0: all */
  size_t carried, stop; /* so many are carried, then no more; 0: no stop */
  bool deaf;            /* does not read */
} tls_peer_t;

void tls_peer_turn(iod_loop_t *loop, int max_ms);

/* method: TLS_client_method() or TLS_server_method(); version: the highest. The socket for the stream, or -1: without
 * memory. */
int tls_peer_open(tls_peer_t *peer, iod_loop_t *loop, const SSL_METHOD *method, int version);
void tls_peer_close(tls_peer_t *peer);

/* To the stream: false when there was nothing to carry. From it: false when it has closed. Both, with turns of the loop
 * between: true when there is more to do. */
bool tls_peer_carry_out(tls_peer_t *peer);
bool tls_peer_carry_in(tls_peer_t *peer);
bool tls_peer_carry(tls_peer_t *peer);

int tls_peer_shake(tls_peer_t *peer);                           /* 1, or 0 when it failed */
size_t tls_peer_hear(tls_peer_t *peer, char *out, size_t want); /* reads up to `want` bytes */
void tls_peer_tell(tls_peer_t *peer, const char *text);

#endif
