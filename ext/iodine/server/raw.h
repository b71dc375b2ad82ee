/* Connections whose bytes are the application's own protocol. Under the state lock. */
#ifndef IOD_SERVER_RAW_H
#define IOD_SERVER_RAW_H

#include "http.h"
#include "line.h"

/* A connection that has no request and, where TLS is spoken, has shaken hands. */
void iod_raw_open(iod_http_t *http);

extern const iod_stream_ops_t iod_raw_stream_ops;
extern const iod_connection_ops_t iod_raw_ops;

#endif
