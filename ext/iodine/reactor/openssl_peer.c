/* Whom a client speaks to: the name that it asks for (RFC 6066 section 3), and that the certificate has to be for (RFC
 * 9525). */
#include "openssl.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* The subject's common name is free text, and has long stopped to count. */
static void set_flags(X509_VERIFY_PARAM *rules) {
  unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
#ifdef X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
  flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
#endif
  X509_VERIFY_PARAM_set_hostflags(rules, flags);
}

/* 4, 16, or 0: it isn't one. */
static size_t address_of(const char *name, unsigned char out[16]) {
  if (inet_pton(AF_INET, name, out) == 1) return 4;
  return inet_pton(AF_INET6, name, out) == 1 ? 16 : 0;
}

int iod_tls_peer_expect(SSL *ssl, const char *name) {
  unsigned char address[16];
  char host[IOD_TLS_NAME_MAX + 1];
  X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
  size_t length = address_of(name, address);
  set_flags(rules);
  if (length) return X509_VERIFY_PARAM_set1_ip(rules, address, length) ? 0 : IOD_E_NOMEM; /* is no server_name */
  /* OpenSSL would take a name that begins with a dot for all below it, and an empty one for any. */
  if (!iod_tls_name_normalize(host, name, strlen(name)) || host[0] == '.') return IOD_E_SYSTEM;
  return SSL_set_tlsext_host_name(ssl, host) && X509_VERIFY_PARAM_set1_host(rules, host, 0) ? 0 : IOD_E_NOMEM;
}

bool iod_tls_peer_refused(const SSL *ssl, char sentence[IOD_TLS_SENTENCE_ROOM]) {
  long result = SSL_get_verify_result(ssl);
  if (result == X509_V_OK) return false;
  snprintf(sentence, IOD_TLS_SENTENCE_ROOM, "the server's certificate is refused: %s",
           X509_verify_cert_error_string(result));
  return true;
}
