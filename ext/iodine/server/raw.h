/* Connections whose bytes are the application's own protocol. Under the state lock. */
#ifndef IOD_SERVER_RAW_H
#define IOD_SERVER_RAW_H

#include "http.h"

/* A connection that has no request and, where TLS is spoken, has shaken hands. */
void iod_raw_open(iod_http_t *http);

#endif
