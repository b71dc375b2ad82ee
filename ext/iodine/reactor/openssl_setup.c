/* Making an iod_tls_t: certificates, keys, authorities, rules. */
#include "../base/alloc.h"
#include "openssl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* A server's: Mozilla's "intermediate" advice without the finite-field groups, which are slow and known to no client
 * that lacks these. */
static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
#ifdef TLS1_3_VERSION
static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
#endif
static const char curves[] = "X25519:P-256:P-384";

const bool iod_tls_supported = true;

const char *iod_tls_library(void) { return OpenSSL_version(OPENSSL_VERSION); }

const char *iod_tls_reason(void) {
  unsigned long error = ERR_peek_error();
  const char *reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason ? reason : error ? "unknown error" : "no reason given";
}

/* ---- one set-up in the making ---- */

typedef struct making {
  const iod_tls_options_t *options;
  iod_tls_t *tls;
  char *sentence;
  STACK_OF(X509_NAME) * authorities; /* whose certificates clients are asked for */
  X509_STORE *store;                 /* the same, to verify by */
} making_t;

static int fail(const making_t *m, const char *label, const char *what) {
  const char *reason = iod_tls_reason();
  snprintf(m->sentence, IOD_TLS_SENTENCE_ROOM, "%s: %s: %s", label ? label : "TLS", what, reason);
  return IOD_E_SYSTEM;
}

static int out_of_memory(const making_t *m) {
  ERR_clear_error();
  snprintf(m->sentence, IOD_TLS_SENTENCE_ROOM, "no memory for TLS");
  return IOD_E_NOMEM;
}

static BIO *reader(iod_slice_t pem) {
  return BIO_new_mem_buf(pem.at ? pem.at : "", pem.length > INT_MAX ? 0 : (int)pem.length);
}

typedef struct secret {
  const char *password; /* or NULL */
  bool wanted;
} secret_t;

/* Never the terminal, which OpenSSL would ask. */
static int give_password(char *out, int room, int writing, void *argument) {
  secret_t *secret = argument;
  (void)writing;
  secret->wanted = true;
  size_t length = secret->password ? strlen(secret->password) : 0;
  if (!secret->password || room < 0 || length > (size_t)room) return -1;
  memcpy(out, secret->password, length);
  return (int)length;
}

/* PEM ended where another object could have begun: that is how a list ends. */
static bool at_end(void) {
  unsigned long error = ERR_peek_last_error();
  bool end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (end) ERR_clear_error();
  return end;
}

/* ---- certificates ---- */

static int use_chain(const making_t *m, SSL_CTX *context, const iod_tls_certificate_t *given, X509 **leaf) {
  BIO *bio = reader(given->chain);
  if (!bio) return out_of_memory(m);
  int result = 0;
  X509 *next;
  secret_t none = {0};
  *leaf = PEM_read_bio_X509_AUX(bio, NULL, give_password, &none);
  if (!*leaf)
    result = fail(m, given->chain_label, "no certificate can be read from it");
  else if (!SSL_CTX_use_certificate(context, *leaf))
    result = fail(m, given->chain_label, "the certificate can't be used");
  while (result == 0 && (next = PEM_read_bio_X509(bio, NULL, give_password, &none))) {
    if (SSL_CTX_add_extra_chain_cert(context, next)) continue; /* the context's now */
    X509_free(next);
    result = out_of_memory(m);
  }
  if (result == 0 && !at_end()) result = fail(m, given->chain_label, "a certificate of the chain can't be read");
  BIO_free(bio);
  return result;
}

static int refuse_key(const making_t *m, const iod_tls_certificate_t *given, const secret_t *secret) {
  if (secret->wanted && !given->password)
    return fail(m, given->key_label, "the private key is encrypted, its password is missing");
  return fail(m, given->key_label,
              secret->wanted ? "no private key can be read from it with this password"
                             : "no private key can be read from it");
}

static int use_key(const making_t *m, SSL_CTX *context, const iod_tls_certificate_t *given) {
  char sentence[IOD_TLS_SENTENCE_ROOM];
  secret_t secret = {.password = given->password};
  BIO *bio = reader(given->key);
  if (!bio) return out_of_memory(m);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &secret);
  BIO_free(bio);
  if (!key) return refuse_key(m, given, &secret);
  bool used = SSL_CTX_use_PrivateKey(context, key) && SSL_CTX_check_private_key(context);
  EVP_PKEY_free(key);
  if (used) return 0;
  snprintf(sentence, sizeof sentence, "the private key does not fit the certificate of %s",
           given->chain_label ? given->chain_label : "this name");
  return fail(m, given->key_label, sentence);
}

/* Tickets are good for the same certificate and the same authorities only. */
static int set_binding(const making_t *m, iod_tls_identity_t *identity, X509 *leaf) {
  uint8_t of_certificate[EVP_MAX_MD_SIZE], of_trust[EVP_MAX_MD_SIZE], digest[EVP_MAX_MD_SIZE];
  uint8_t both[2 * EVP_MAX_MD_SIZE];
  unsigned first, second, length;
  iod_slice_t trust = m->options->trust;
  if (!X509_digest(leaf, EVP_sha256(), of_certificate, &first) ||
      !EVP_Digest(trust.at ? trust.at : "", trust.length, of_trust, &second, EVP_sha256(), NULL))
    return out_of_memory(m);
  memcpy(both, of_certificate, first);
  memcpy(both + first, of_trust, second);
  if (!EVP_Digest(both, first + second, digest, &length, EVP_sha256(), NULL)) return out_of_memory(m);
  memcpy(identity->binding, digest, sizeof identity->binding);
  return 0;
}

/* ---- rules ---- */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *offered,
                   unsigned offered_length, void *argument) {
  const iod_tls_t *tls = argument;
  const unsigned char *mine = (const unsigned char *)tls->protocols;
  (void)ssl;
  for (size_t i = 0; i < tls->protocols_length; i += mine[i] + 1u) {
    for (unsigned at = 0; at < offered_length; at += offered[at] + 1u) {
      if (mine[i] != offered[at] || offered[at] >= offered_length - at) continue;
      if (memcmp(mine + i + 1, offered + at + 1, mine[i]) != 0) continue;
      *out = mine + i + 1;
      *out_length = mine[i];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 section 3.2 */
}

/* Of both sides. */
static void set_common_rules(SSL_CTX *context) {
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
#if defined(SSL_OP_NO_RENEGOTIATION)
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
#elif defined(SSL_OP_NO_CLIENT_RENEGOTIATION)
  SSL_CTX_set_options(context, SSL_OP_NO_CLIENT_RENEGOTIATION);
#endif
}

static int set_rules(const making_t *m, SSL_CTX *context) {
  set_common_rules(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_SINGLE_ECDH_USE);
#ifdef SSL_OP_PRIORITIZE_CHACHA
  SSL_CTX_set_options(context, SSL_OP_PRIORITIZE_CHACHA); /* for who has no AES in hardware */
#endif
  bool set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) && SSL_CTX_set_cipher_list(context, ciphers);
#ifdef TLS1_3_VERSION
  set = set && SSL_CTX_set_ciphersuites(context, suites);
#endif
  /* A system's policy may know no X25519. */
  set = set && (SSL_CTX_set1_curves_list(context, curves) || SSL_CTX_set1_curves_list(context, "P-256:P-384"));
  if (!set) return fail(m, NULL, "OpenSSL does not know today's ciphers");
  if (m->tls->protocols_length) SSL_CTX_set_alpn_select_cb(context, on_alpn, m->tls);
  iod_tls_tickets_install(context);
  iod_tls_names_install(m->tls, context);
  return 0;
}

static int set_trust(const making_t *m, SSL_CTX *context) {
  if (!m->store) return 0;
  STACK_OF(X509_NAME) *names = SSL_dup_CA_list(m->authorities);
  if (!names || !X509_STORE_up_ref(m->store)) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return out_of_memory(m);
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_cert_store(context, m->store);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  return 0;
}

static int add_identity(const making_t *m, const iod_tls_certificate_t *given) {
  iod_tls_identity_t *identity = &m->tls->identities[m->tls->identity_count];
  X509 *leaf = NULL;
  identity->context = SSL_CTX_new(TLS_server_method());
  if (!identity->context) return out_of_memory(m);
  m->tls->identity_count++;
  int result = set_rules(m, identity->context);
  if (result == 0) result = set_trust(m, identity->context);
  if (result == 0) result = use_chain(m, identity->context, given, &leaf);
  if (result == 0) result = use_key(m, identity->context, given);
  if (result == 0) result = set_binding(m, identity, leaf);
  if (result == 0 && !SSL_CTX_set_session_id_context(identity->context, identity->binding, sizeof identity->binding))
    result = out_of_memory(m);
  if (result == 0 && iod_tls_names_add(m->tls, identity, given->server_name, leaf)) result = out_of_memory(m);
  X509_free(leaf);
  return result;
}

/* ---- what all certificates share ---- */

static int add_authority(making_t *m, X509 *authority) {
  X509_NAME *name = X509_NAME_dup(X509_get_subject_name(authority));
  if (!name || !sk_X509_NAME_push(m->authorities, name)) {
    X509_NAME_free(name);
    return out_of_memory(m);
  }
  return X509_STORE_add_cert(m->store, authority) ? 0 : fail(m, m->options->trust_label, "a certificate can't be used");
}

static int read_trust(making_t *m) {
  if (!m->options->trust.at) return 0;
  BIO *bio = reader(m->options->trust);
  m->authorities = sk_X509_NAME_new_null();
  m->store = X509_STORE_new();
  int result = bio && m->authorities && m->store ? 0 : out_of_memory(m);
  X509 *authority;
  secret_t none = {0};
  while (result == 0 && (authority = PEM_read_bio_X509(bio, NULL, give_password, &none))) {
    result = add_authority(m, authority);
    X509_free(authority);
  }
  bool some = result == 0 && sk_X509_NAME_num(m->authorities) > 0;
  if (result == 0 && (!at_end() || !some))
    result = fail(m, m->options->trust_label, "no certificate can be read from it");
  BIO_free(bio);
  return result;
}

static int set_protocols(const making_t *m) {
  size_t total = 0;
  for (size_t i = 0; i < m->options->protocol_count; i++) {
    size_t length = strlen(m->options->protocols[i]);
    if (length == 0 || length > 255) {
      snprintf(m->sentence, IOD_TLS_SENTENCE_ROOM, "a protocol's name has 1 to 255 bytes, not %zu", length);
      return IOD_E_SYSTEM;
    }
    total += length + 1;
  }
  m->tls->protocols = iod_alloc(total + 1);
  if (!m->tls->protocols) return out_of_memory(m);
  for (size_t i = 0; i < m->options->protocol_count; i++) {
    size_t length = strlen(m->options->protocols[i]);
    char *at = m->tls->protocols + m->tls->protocols_length;
    at[0] = (char)length;
    memcpy(at + 1, m->options->protocols[i], length);
    m->tls->protocols_length += length + 1;
  }
  return 0;
}

static int make_server(making_t *m) {
  size_t count = m->options->certificate_count;
  if (count == 0) {
    snprintf(m->sentence, IOD_TLS_SENTENCE_ROOM, "TLS needs a certificate");
    return IOD_E_SYSTEM;
  }
  m->tls->identities = iod_alloc_zero(count * sizeof *m->tls->identities);
  if (!m->tls->identities) return out_of_memory(m);
  int result = set_protocols(m);
  if (result == 0) result = read_trust(m);
  for (size_t i = 0; result == 0 && i < count; i++) result = add_identity(m, &m->options->certificates[i]);
  return result;
}

/* ---- a client's ---- */

static int set_client_rules(const making_t *m, SSL_CTX *context) {
  const unsigned char *protocols = (const unsigned char *)m->tls->protocols;
  set_common_rules(context);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)) return fail(m, NULL, "OpenSSL does not know TLS 1.2");
  if (m->tls->protocols_length && SSL_CTX_set_alpn_protos(context, protocols, (unsigned)m->tls->protocols_length))
    return out_of_memory(m);
  return 0;
}

/* Who names a certificate trusts it, be it a root or not. */
static int set_servers_trust(const making_t *m, SSL_CTX *context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (!m->store)
    return SSL_CTX_set_default_verify_paths(context) ? 0 : fail(m, NULL, "the system's authorities can't be read");
  if (!X509_STORE_up_ref(m->store)) return out_of_memory(m);
  SSL_CTX_set_cert_store(context, m->store);
  X509_STORE_set_flags(m->store, X509_V_FLAG_PARTIAL_CHAIN);
  return 0;
}

static int use_certificate(const making_t *m, SSL_CTX *context, const iod_tls_certificate_t *given) {
  X509 *leaf = NULL;
  int result = use_chain(m, context, given, &leaf);
  X509_free(leaf);
  return result ? result : use_key(m, context, given);
}

static int make_client(making_t *m) {
  iod_tls_identity_t *identity = m->tls->identities = iod_alloc_zero(sizeof *m->tls->identities);
  if (!identity) return out_of_memory(m);
  m->tls->client = true;
  int result = set_protocols(m);
  if (result == 0) result = read_trust(m);
  if (result) return result;
  identity->context = SSL_CTX_new(TLS_client_method());
  if (!identity->context) return out_of_memory(m);
  m->tls->identity_count = 1;
  result = set_client_rules(m, identity->context);
  if (result == 0) result = set_servers_trust(m, identity->context);
  if (result == 0 && m->options->certificate_count)
    result = use_certificate(m, identity->context, m->options->certificates);
  return result;
}

/* ---- life ---- */

static iod_tls_t *make(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM],
                       int (*maker)(making_t *)) {
  making_t m = {.options = options, .sentence = sentence, .tls = iod_alloc_zero(sizeof *m.tls)};
  ERR_clear_error();
  if (!m.tls) {
    out_of_memory(&m);
    return NULL;
  }
  atomic_init(&m.tls->references, 1);
  int result = maker(&m);
  sk_X509_NAME_pop_free(m.authorities, X509_NAME_free);
  X509_STORE_free(m.store);
  ERR_clear_error();
  if (result == 0) return m.tls;
  iod_tls_unref(m.tls);
  return NULL;
}

iod_tls_t *iod_tls_new(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]) {
  return make(options, sentence, make_server);
}

iod_tls_t *iod_tls_client_new(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]) {
  return make(options, sentence, make_client);
}

iod_tls_t *iod_tls_ref(iod_tls_t *tls) {
  if (tls) atomic_fetch_add(&tls->references, 1);
  return tls;
}

void iod_tls_unref(iod_tls_t *tls) {
  if (!tls || atomic_fetch_sub(&tls->references, 1) > 1) return;
  for (size_t i = 0; i < tls->identity_count; i++) SSL_CTX_free(tls->identities[i].context);
  iod_tls_names_free(tls);
  iod_free(tls->identities);
  iod_free(tls->protocols);
  iod_free(tls);
}
