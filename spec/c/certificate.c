#include "certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static void need(int ok) {
  if (!ok) abort();
}

static EVP_PKEY *new_key(void) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
  need(context && EVP_PKEY_keygen_init(context) > 0);
  need(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) > 0);
  need(EVP_PKEY_keygen(context, &key) > 0);
  EVP_PKEY_CTX_free(context);
  return key;
}

static void extend(X509 *x509, int nid, const char *value) {
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, (char *)value);
  need(extension && X509_add_ext(x509, extension, -1));
  X509_EXTENSION_free(extension);
}

static X509 *new_x509(EVP_PKEY *key, const char *names, const certificate_t *issuer, long end) {
  static long serial;
  X509 *x509 = X509_new();
  need(x509 && X509_set_version(x509, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial));
  need(X509_gmtime_adj(X509_getm_notBefore(x509), -7200) && X509_gmtime_adj(X509_getm_notAfter(x509), end));
  X509_NAME *subject = X509_get_subject_name(x509);
  need(X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0));
  need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)names + 4, -1, -1, 0));
  need(X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer->x509) : subject));
  need(X509_set_pubkey(x509, key));
  extend(x509, NID_subject_alt_name, names);
  extend(x509, NID_basic_constraints, issuer ? "CA:FALSE" : "CA:TRUE");
  need(X509_sign(x509, issuer ? issuer->key : key, EVP_sha256()) > 0);
  return x509;
}

static iod_slice_t take(BIO *bio) {
  char *at;
  long length = BIO_get_mem_data(bio, &at);
  iod_slice_t copy = {malloc((size_t)length), (size_t)length};
  need(copy.at != NULL);
  memcpy((char *)copy.at, at, copy.length);
  BIO_free(bio);
  return copy;
}

static certificate_t make(const char *names, const certificate_t *issuer, const char *password, long end) {
  certificate_t c = {.key = new_key()};
  BIO *chain = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
  c.x509 = new_x509(c.key, names, issuer, end);
  need(PEM_write_bio_X509(chain, c.x509));
  if (issuer) need(PEM_write_bio_X509(chain, issuer->x509));
  need(PEM_write_bio_PrivateKey(key, c.key, password ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (void *)password));
  c.chain = take(chain);
  c.key_pem = take(key);
  return c;
}

certificate_t certificate_new(const char *names, const certificate_t *issuer, const char *password) {
  return make(names, issuer, password, 3600);
}

certificate_t certificate_expired(const char *names, const certificate_t *issuer) {
  return make(names, issuer, NULL, -3600);
}

void certificate_free(certificate_t *c) {
  X509_free(c->x509);
  EVP_PKEY_free(c->key);
  free((char *)c->chain.at);
  free((char *)c->key_pem.at);
  *c = (certificate_t){0};
}
