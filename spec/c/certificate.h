/* Certificates for tests, made when they are asked for. */
#ifndef IOD_SPEC_CERTIFICATE_H
#define IOD_SPEC_CERTIFICATE_H

#include "../../ext/iodine/base/slice.h"

#include <openssl/ssl.h>

typedef struct certificate {
  X509 *x509;
  EVP_PKEY *key;
  iod_slice_t chain, key_pem; /* PEM */
} certificate_t;

/* names: as in subjectAltName, "DNS:a.test,DNS:*.b.test"; signed by `issuer`, or by itself; password: of the key, or
 * NULL. Kept until certificate_free. */
certificate_t certificate_new(const char *names, const certificate_t *issuer, const char *password);
certificate_t certificate_expired(const char *names, const certificate_t *issuer); /* an hour ago */
void certificate_free(certificate_t *certificate);

#endif
