/* WebSockets (RFC 6455) on a line: messages in and out, pings, closing handshakes. Under the state lock. */
#ifndef IOD_SERVER_WEBSOCKET_H
#define IOD_SERVER_WEBSOCKET_H

#include "../protocol/websocket_message.h"
#include "line.h"

typedef struct iod_websocket {
  iod_line_t line; /* first */
  iod_websocket_reader_t reader;
  uint8_t bits;    /* of the window that what we send may need, 0: we don't compress */
  bool masks;      /* we are the client */
  bool pinged;     /* and nothing came since */
  bool close_sent; /* nothing is written after it */
  bool failed;     /* the peer made a mistake, and may still be sending */
  uint16_t answer; /* the code of our close once the application has heard what came before the peer's, or before its
                      mistake; 0: neither came */
} iod_websocket_t;

struct iod_http;

/* A request whose answer's head is out. Takes over the reactor's reference. */
void iod_websocket_open(struct iod_http *http, iod_connection_t *connection, const iod_websocket_deflate_t *agreed);

/* For lines that were opened otherwise: with these ops, then this. rules: outlive it. */
extern const iod_stream_ops_t iod_websocket_stream_ops;
extern const iod_connection_ops_t iod_websocket_ops;
void iod_websocket_init(iod_websocket_t *websocket, const iod_websocket_rules_t *rules,
                        const iod_websocket_deflate_t *agreed);

#endif
