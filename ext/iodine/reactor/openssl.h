/* Private to the openssl_*.c files: what an iod_tls_t consists of. OpenSSL 1.1.0 to 3.x, LibreSSL 2.7.4 or later. */
#ifndef IOD_REACTOR_OPENSSL_H
#define IOD_REACTOR_OPENSSL_H

#include "tls.h"

#include <openssl/opensslv.h>
#include <openssl/ssl.h>
#include <stdint.h>

/* Where the name that a client asks for is known before its ticket is looked at. Elsewhere there are no tickets. */
#if OPENSSL_VERSION_NUMBER >= 0x10101000L && !defined(LIBRESSL_VERSION_NUMBER)
#define IOD_OPENSSL_HELLO 1
#else
#define IOD_OPENSSL_HELLO 0
#endif

enum { IOD_TLS_BINDING = 32 };

/* One certificate: what makes a ticket of one worthless for another is in `binding`. */
typedef struct iod_tls_identity {
  SSL_CTX *context;
  uint8_t binding[IOD_TLS_BINDING];
} iod_tls_identity_t;

typedef struct iod_tls_name {
  char *text; /* lower case; "*.example.com" stands for one more label */
  size_t length;
  iod_tls_identity_t *identity;
} iod_tls_name_t;

struct iod_tls {
  _Atomic size_t references;
  bool client;                    /* then it has one identity, and no names */
  iod_tls_identity_t *identities; /* the first is the default */
  size_t identity_count;
  iod_tls_name_t *names;
  size_t name_count;
  char *protocols; /* ALPN's wire form */
  size_t protocols_length;
};

/* ---- openssl_names.c ---- */
enum { IOD_TLS_NAME_MAX = 255 };
/* Lower case, without the root's dot; false for what can't be a host name. */
bool iod_tls_name_normalize(char out[IOD_TLS_NAME_MAX + 1], const char *name, size_t length);
/* Adds what the certificate is served for. 0, IOD_E_NOMEM. */
IOD_MUST_USE int iod_tls_names_add(iod_tls_t *tls, iod_tls_identity_t *identity, const char *server_name,
                                   X509 *certificate);
void iod_tls_names_free(iod_tls_t *tls);
iod_tls_identity_t *iod_tls_names_find(const iod_tls_t *tls, const char *name, size_t length); /* or the default */
void iod_tls_names_install(iod_tls_t *tls, SSL_CTX *context);

/* ---- openssl_peer.c: whom a client speaks to ---- */
/* Before the handshake. 0, IOD_E_NOMEM, IOD_E_SYSTEM: no host has such a name. */
IOD_MUST_USE int iod_tls_peer_expect(SSL *ssl, const char *name);
/* After a handshake that failed: true with a sentence if that was for the server's certificate. */
bool iod_tls_peer_refused(const SSL *ssl, char sentence[IOD_TLS_SENTENCE_ROOM]);

/* ---- openssl_tickets.c ---- */
void iod_tls_tickets_install(SSL_CTX *context);

/* ---- openssl_setup.c ---- */
const char *iod_tls_reason(void); /* OpenSSL's words for the first error it keeps; forgets all */

#endif
