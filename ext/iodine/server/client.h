/* Connections that we open: to servers of raw protocols and of WebSockets, over TCP, Unix sockets and TLS. Once open
 * they are lines as those that were accepted; one that never opens is told CLOSE alone, with a line in the log that
 * says why. Also sockets that the application opened itself. */
#ifndef IOD_SERVER_CLIENT_H
#define IOD_SERVER_CLIENT_H

#include "../protocol/websocket_request.h"
#include "connection.h"

struct iod_tls;

typedef struct iod_client_options {
  const char *label;            /* for the log: "wss://example.com/chat" */
  const char *const *addresses; /* numeric, tried one after another; or the path of a Unix socket, with … */
  size_t address_count;
  bool local; /* … this */
  uint16_t port;
  struct iod_tls *tls;                    /* NULL: in clear. Of iod_tls_client_new */
  const char *server_name;                /* with tls: who it has to be */
  const iod_websocket_request_t *request; /* NULL: raw */
  uint32_t patience;                      /* ms for all that comes before OPEN, at least 1 */
  uint32_t write_timeout;                 /* ms */
  uint8_t timeout;                        /* seconds of silence before a ping, or the end; 0 = none */
  size_t max_message, max_pending;        /* bytes */
} iod_client_options_t;

/* Where to, and how: immutable and counted. Any thread. */
typedef struct iod_client iod_client_t;

/* Everything is copied, the set-up for TLS is counted. NULL when out of memory; the request has no fault. */
IOD_MUST_USE iod_client_t *iod_client_new(const iod_client_options_t *options);
iod_client_t *iod_client_ref(iod_client_t *client);
void iod_client_unref(iod_client_t *client); /* NULL is a no-op */
iod_connection_kind_t iod_client_kind(const iod_client_t *client);

/* Opens a connection, which is new, with its callbacks' side ready. Takes over the reactor's reference to it. Any
 * number of connections may have the same client. [app] */
void iod_client_connect(iod_server_t *server, iod_client_t *client, iod_connection_t *connection);

/* The same for a socket that was adopted (socket.h), as it is: raw, in clear. Takes over the descriptor. [app] */
void iod_client_attach(iod_server_t *server, iod_client_t *client, iod_connection_t *connection, int fd,
                       const iod_peer_t *remote);

/* Is it a connection that isn't open yet? Under the state lock. */
bool iod_client_is(const struct iod_stream *stream);

#endif
