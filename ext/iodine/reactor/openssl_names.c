/* Which certificate is for whom: RFC 6066 section 3 and RFC 6125 section 6.4. */
#include "../base/alloc.h"
#include "openssl.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

bool iod_tls_name_normalize(char out[IOD_TLS_NAME_MAX + 1], const char *name, size_t length) {
  if (length > 0 && name[length - 1] == '.') length--;
  if (length == 0 || length > IOD_TLS_NAME_MAX) return false;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)name[i];
    if (c <= ' ' || c == 0x7f) return false;
    out[i] = (char)((unsigned)(c - 'A') < 26u ? c | 0x20 : c);
  }
  out[length] = 0;
  return true;
}

static int add(iod_tls_t *tls, iod_tls_identity_t *identity, const char *name, size_t length) {
  char text[IOD_TLS_NAME_MAX + 1];
  if (!iod_tls_name_normalize(text, name, length)) return 0;
  iod_tls_name_t *names = iod_realloc(tls->names, (tls->name_count + 1) * sizeof *names);
  if (!names) return IOD_E_NOMEM;
  tls->names = names;
  iod_tls_name_t *entry = &names[tls->name_count];
  *entry = (iod_tls_name_t){.length = strlen(text), .identity = identity};
  entry->text = iod_alloc(entry->length + 1);
  if (!entry->text) return IOD_E_NOMEM;
  memcpy(entry->text, text, entry->length + 1);
  tls->name_count++;
  return 0;
}

static int add_string(iod_tls_t *tls, iod_tls_identity_t *identity, const ASN1_STRING *string) {
  return add(tls, identity, (const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static int add_alternative_names(iod_tls_t *tls, iod_tls_identity_t *identity, const GENERAL_NAMES *alternatives) {
  int result = 0;
  for (int i = 0; result == 0 && i < sk_GENERAL_NAME_num(alternatives); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS) result = add_string(tls, identity, name->d.dNSName);
  }
  return result;
}

static int add_common_name(iod_tls_t *tls, iod_tls_identity_t *identity, X509 *certificate) {
  X509_NAME *subject = X509_get_subject_name(certificate);
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? 0 : add_string(tls, identity, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

int iod_tls_names_add(iod_tls_t *tls, iod_tls_identity_t *identity, const char *server_name, X509 *certificate) {
  if (server_name) return add(tls, identity, server_name, strlen(server_name));
  GENERAL_NAMES *alternatives = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  if (!alternatives) return add_common_name(tls, identity, certificate);
  int result = add_alternative_names(tls, identity, alternatives);
  GENERAL_NAMES_free(alternatives);
  return result;
}

void iod_tls_names_free(iod_tls_t *tls) {
  for (size_t i = 0; i < tls->name_count; i++) iod_free(tls->names[i].text);
  iod_free(tls->names);
}

static iod_tls_identity_t *find(const iod_tls_t *tls, bool wildcard, const char *text, size_t length) {
  for (size_t i = 0; i < tls->name_count; i++) {
    const iod_tls_name_t *name = &tls->names[i];
    bool wild = name->text[0] == '*' && name->text[1] == '.';
    if (wild != wildcard || name->length - wild != length) continue;
    if (memcmp(name->text + wild, text, length) == 0) return name->identity;
  }
  return NULL;
}

iod_tls_identity_t *iod_tls_names_find(const iod_tls_t *tls, const char *name, size_t length) {
  char text[IOD_TLS_NAME_MAX + 1];
  if (!iod_tls_name_normalize(text, name, length)) return tls->identities;
  iod_tls_identity_t *found = find(tls, false, text, strlen(text));
  const char *parent = strchr(text, '.');
  if (!found && parent && parent > text) found = find(tls, true, parent, strlen(parent));
  return found ? found : tls->identities;
}

/* ---- the handshake's side ---- */

/* What a ticket is good for: this certificate, these authorities, this name. */
static int bind_session(SSL *ssl, const iod_tls_identity_t *identity, const char *name, size_t length) {
  uint8_t text[IOD_TLS_BINDING + IOD_TLS_NAME_MAX + 1], digest[EVP_MAX_MD_SIZE];
  char normal[IOD_TLS_NAME_MAX + 1] = "";
  unsigned size = 0;
  if (!iod_tls_name_normalize(normal, name, length)) normal[0] = 0;
  memcpy(text, identity->binding, IOD_TLS_BINDING);
  memcpy(text + IOD_TLS_BINDING, normal, strlen(normal));
  return EVP_Digest(text, IOD_TLS_BINDING + strlen(normal), digest, &size, EVP_sha256(), NULL) &&
         SSL_set_session_id_context(ssl, digest, size);
}

static int choose(const iod_tls_t *tls, SSL *ssl, const char *name, size_t length) {
  const iod_tls_identity_t *identity = iod_tls_names_find(tls, name, length);
  if (SSL_get_SSL_CTX(ssl) != identity->context && !SSL_set_SSL_CTX(ssl, identity->context)) return 0;
  return bind_session(ssl, identity, name, length);
}

#if IOD_OPENSSL_HELLO

/* The host name in the extension: server_name_list, each a type (0) and an opaque of 16 bits. What is malformed OpenSSL
 * refuses by itself, later. */
static iod_slice_t host_of(SSL *ssl) {
  const unsigned char *at;
  size_t length;
  if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &length) || length < 5) return (iod_slice_t){0};
  size_t size = (size_t)at[3] << 8 | at[4];
  if (at[2] != TLSEXT_NAMETYPE_host_name || size > length - 5) return (iod_slice_t){0};
  return (iod_slice_t){(const char *)at + 5, size};
}

static int on_hello(SSL *ssl, int *alert, void *tls) {
  iod_slice_t host = host_of(ssl);
  if (choose(tls, ssl, host.at, host.length)) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

void iod_tls_names_install(iod_tls_t *tls, SSL_CTX *context) { SSL_CTX_set_client_hello_cb(context, on_hello, tls); }

#else

static int on_server_name(SSL *ssl, int *alert, void *tls) {
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (choose(tls, ssl, name ? name : "", name ? strlen(name) : 0)) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void iod_tls_names_install(iod_tls_t *tls, SSL_CTX *context) {
  SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
  SSL_CTX_set_tlsext_servername_arg(context, tls);
}

#endif
