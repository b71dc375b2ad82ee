/* For builds without OpenSSL. */
#include "tls.h"

#include <stdio.h>

const bool iod_tls_supported = false;

const char *iod_tls_library(void) { return ""; }

static iod_tls_t *fail(char sentence[IOD_TLS_SENTENCE_ROOM]) {
  snprintf(
      sentence, IOD_TLS_SENTENCE_ROOM,
      "this iodine was built without TLS: install OpenSSL's headers (libssl-dev, openssl-devel) and install the gem "
      "again, without NO_SSL");
  return NULL;
}

iod_tls_t *iod_tls_new(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]) {
  (void)options;
  return fail(sentence);
}

iod_tls_t *iod_tls_client_new(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]) {
  (void)options;
  return fail(sentence);
}

iod_tls_t *iod_tls_ref(iod_tls_t *tls) { return tls; }
void iod_tls_unref(iod_tls_t *tls) { (void)tls; }

const iod_tls_info_t *iod_tls_info_ref(const iod_tls_info_t *info) { return info; }
void iod_tls_info_unref(const iod_tls_info_t *info) { (void)info; }

int iod_stream_secure(struct iod_stream *stream, iod_tls_t *tls) {
  (void)stream, (void)tls;
  return IOD_E_NOMEM;
}

int iod_stream_secure_client(struct iod_stream *stream, iod_tls_t *tls, const char *server_name) {
  (void)stream, (void)tls, (void)server_name;
  return IOD_E_NOMEM;
}

const iod_tls_info_t *iod_stream_tls_info(const struct iod_stream *stream) {
  (void)stream;
  return NULL;
}
