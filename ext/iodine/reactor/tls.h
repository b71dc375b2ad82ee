/* TLS 1.2 and 1.3, as a server and as a client. iod_tls_t is a set-up (certificates, rules) for one of the two,
 * immutable and counted: any thread may hold it; a changed certificate is a new one. Files are read by the caller: PEM
 * bytes come in.
 *
 * In a build without OpenSSL (tls_none.c) there can be no set-up, and nothing else here can be reached. */
#ifndef IOD_REACTOR_TLS_H
#define IOD_REACTOR_TLS_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iod_stream;

enum { IOD_TLS_SENTENCE_ROOM = 512 };

extern const bool iod_tls_supported;
const char *iod_tls_library(void); /* "OpenSSL 3.0.22 …", or "" */

typedef struct iod_tls_certificate {
  const char
      *server_name;  /* served to who asks for it: "example.com", "*.example.com"; NULL: the certificate's own names */
  iod_slice_t chain; /* PEM: the certificate, then those between it and the root */
  iod_slice_t key;   /* PEM, its private key */
  const char *password;                /* of the key, or NULL */
  const char *chain_label, *key_label; /* for messages: the files' paths */
} iod_tls_certificate_t;

typedef struct iod_tls_options {
  const iod_tls_certificate_t *certificates; /* at least one; the first is for who asks for another name, or for none */
  size_t certificate_count;
  iod_slice_t trust; /* PEM: the authorities whose client certificates are accepted, others are refused; empty: clients
                        are not asked for one */
  const char *trust_label;
  const char *const *protocols; /* ALPN names, the best first; a client that offers none of them is refused, one that
                                   offers nothing is not */
  size_t protocol_count;
} iod_tls_options_t;

typedef struct iod_tls iod_tls_t;

/* Everything is copied. NULL with a sentence that names the file and what OpenSSL said. The keys of session tickets are
 * in a mapping that the process's first call makes and its children share: so make one before the fork. */
IOD_MUST_USE iod_tls_t *iod_tls_new(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]);

/* For connections that we open. Of the certificates, the first is shown to a server that asks for one; there may be
 * none. trust: the authorities, or the servers' own certificates, that servers are accepted by; empty: the system's
 * store. protocols: what is offered; a server may choose none. Ciphers are those of OpenSSL's own and the system's
 * policy. */
IOD_MUST_USE iod_tls_t *iod_tls_client_new(const iod_tls_options_t *options, char sentence[IOD_TLS_SENTENCE_ROOM]);

iod_tls_t *iod_tls_ref(iod_tls_t *tls);
void iod_tls_unref(iod_tls_t *tls); /* NULL is a no-op */

/* What a handshake came to. Immutable but for `told`, and counted: any thread. */
typedef struct iod_tls_info {
  _Atomic size_t references;
  _Atomic bool told;    /* iod_tls_info_tell was called */
  const char *version;  /* "TLSv1.3" */
  const char *cipher;   /* "TLS_AES_256_GCM_SHA384" */
  iod_slice_t protocol; /* chosen by ALPN; empty: none */
  iod_slice_t peer;     /* the other side's certificate, DER, verified; empty: none */
} iod_tls_info_t;

const iod_tls_info_t *iod_tls_info_ref(const iod_tls_info_t *info);
void iod_tls_info_unref(const iod_tls_info_t *info); /* NULL is a no-op */

/* True the first time: whoever asks tells the application's side of the connection. */
static inline bool iod_tls_info_tell(const iod_tls_info_t *info) {
  return !atomic_exchange(&((iod_tls_info_t *)(uintptr_t)info)->told, true);
}

/* ---- streams, under the state lock ---- */

/* From here on the stream speaks TLS; what was read and not used up is TLS too. Bytes sent before the handshake is done
 * wait for it. ops->on_handshake tells its end. May be called from on_data. 0, IOD_E_NOMEM, IOD_E_SYSTEM: a client's
 * set-up. */
IOD_MUST_USE int iod_stream_secure(struct iod_stream *stream, iod_tls_t *tls);

/* The same as a client. server_name: whom we want to speak to, a host's name or a numeric address. A name is told the
 * server, and its certificate must be for it (RFC 9525: by its alternative names, a common name doesn't count) and come
 * from who is trusted, or the handshake fails. On a stream that is connecting it begins when that is done.
 * 0, IOD_E_NOMEM, IOD_E_SYSTEM: no host has such a name, or it is a server's set-up. */
IOD_MUST_USE int iod_stream_secure_client(struct iod_stream *stream, iod_tls_t *tls, const char *server_name);

/* After the handshake; NULL: not secure. Borrowed. */
const iod_tls_info_t *iod_stream_tls_info(const struct iod_stream *stream);

#endif
