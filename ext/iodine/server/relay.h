/* A connection that the application took over, where its bytes aren't the socket's: over TLS. The application gets one
 * end of a socket pair; what it writes there goes out sealed, and what comes is there to read. */
#ifndef IOD_SERVER_RELAY_H
#define IOD_SERVER_RELAY_H

#include "../reactor/stream.h"

typedef struct iod_relay {
  iod_stream_t stream;     /* first */
  struct iod_relay *other; /* NULL: closed */
  bool ended;              /* nothing more comes from here */
} iod_relay_t;

/* The stream's owner has its on_close called and is done with it; nothing may be queued. Under the state lock. The
 * application's end, non-blocking, or IOD_E_SYSTEM, IOD_E_NOMEM: nothing has changed then. */
IOD_MUST_USE int iod_relay_open(iod_stream_t *stream);

bool iod_relay_is(const iod_stream_t *stream);

#endif
