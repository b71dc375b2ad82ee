/* An HTTP/1 connection: heads and bodies in, answers out, one request at a time. All under the state lock. */
#ifndef IOD_SERVER_HTTP_H
#define IOD_SERVER_HTTP_H

#include "../protocol/http1_body.h"
#include "../reactor/loop.h"
#include "addresses.h"
#include "connection.h"
#include "listener.h"
#include "request.h"
#include "spool.h"

enum { IOD_TIMER_PATIENCE = IOD_TIMER_OTHER + 1 };

typedef struct iod_http {
  iod_stream_t stream; /* first */
  iod_listener_t *listener;
  iod_http1_parser_t *parser; /* only in the middle of a head */
  iod_request_t *request;     /* the one whose body comes, or that the application answers */
  iod_timer_t patience;       /* with its request: server/overload.h */
  uint64_t since;             /* ms: the request was complete */
  iod_http1_body_t body;
  iod_spool_t spool;
  uint64_t begun_us;   /* the first byte of this request came; 0: none yet */
  uint64_t body_bytes; /* of the answer, so far */
  iod_address_place_t place;
  uint16_t status; /* of the answer */
  uint8_t state;
  uint8_t row;      /* pipelined requests that went before others */
  bool held : 1;    /* no further request until the last answer is written */
  bool refused : 1; /* the connection itself */
  bool trusted : 1; /* the peer is a trusted proxy */
  iod_peer_t remote;
} iod_http_t;

/* Takes over an accepted descriptor. refused: answers 503 and closes. */
void iod_http_open(iod_listener_t *listener, int fd, const iod_peer_t *remote, bool refused);

/* Part of an answer; see iod_request_send. */
IOD_MUST_USE int iod_http_send(iod_server_t *server, iod_request_t *request, const iod_send_t *send,
                               const iod_segment_t *segments, size_t count);

/* The connection of a request that is under way, or NULL. */
iod_http_t *iod_http_of(iod_server_t *server, const iod_request_t *request);

/* It is no HTTP any more, but a line. Its request, if there is one, is over. NULL for the connection: there was no
 * memory for it, it closes. */
void iod_http_become_line(iod_http_t *http, iod_connection_t *connection, const iod_stream_ops_t *stream_ops,
                          const iod_connection_ops_t *ops, uint8_t timeout);

void iod_http_uncork(iod_http_t *http);
void iod_http_drain(iod_stream_t *stream, void *server); /* iod_loop_each */
void iod_http_announce_close(iod_stream_t *stream);      /* with the answer to the request under way, if it can */
bool iod_http_busy(const iod_stream_t *stream);
bool iod_http_answering(const iod_stream_t *stream); /* its request is with the application */

#endif
