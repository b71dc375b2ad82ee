/* What stands between a stream and its socket. A plain stream has none (NULL): its calls go straight to the socket. All
 * under the loop's state lock. */
#ifndef IOD_REACTOR_TRANSPORT_H
#define IOD_REACTOR_TRANSPORT_H

#include "../base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct iod_stream;

typedef struct iod_transport {
  /* Before the first receive: takes stream.input, which came before the transport did. */
  void (*adopt)(struct iod_stream *stream);

  /* Bytes for the protocol: how many; 0: the end; IOD_E_AGAIN: nothing yet (stream.readable: but without an event, and
   * the stream is in the ready list, or closed); IOD_E_CLOSED. *filled: more may be there without an event. */
  ssize_t (*receive)(struct iod_stream *stream, char *at, size_t room, bool *filled);

  /* Nothing waits: takes up to `length` bytes, how many; what of them has to wait it adds to output.pending.
   * IOD_E_CLOSED, IOD_E_NOMEM. */
  ssize_t (*send)(struct iod_stream *stream, const char *bytes, size_t length);

  /* As iod_output_write. */
  int (*write)(struct iod_stream *stream, size_t budget);

  /* Nothing more will be written: tells the peer, if the socket takes it. */
  void (*goodbye)(struct iod_stream *stream);

  void (*release)(struct iod_stream *stream);
} iod_transport_t;

#endif
