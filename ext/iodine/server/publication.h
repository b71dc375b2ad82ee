/* What was published, once for all of a process that are told: the channel, the message, and the message as each
 * protocol frames it, made when the first one needs it. Counted; any thread may hold it, what is encoded belongs to the
 * state lock. */
#ifndef IOD_SERVER_PUBLICATION_H
#define IOD_SERVER_PUBLICATION_H

#include "../base/payload.h"
#include "../base/slice.h"
#include "../protocol/websocket_deflate.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef enum {
  IOD_ENCODED_TEXT,                              /* a WebSocket's text frame (a binary one, if they are not UTF-8) */
  IOD_ENCODED_BINARY,                            /* a WebSocket's binary frame */
  IOD_ENCODED_EVENT,                             /* a server-sent event */
  IOD_ENCODED_MASKED,                            /* plus 0 or 1 for TEXT or BINARY: a frame as a client sends it */
  IOD_ENCODED_DEFLATED = IOD_ENCODED_MASKED + 2, /* plus 0 or 1 for TEXT or BINARY, plus 2 * the bits of the window */
} iod_encoded_t;

typedef struct iod_publication {
  _Atomic uint32_t references;
  bool text; /* it was said to be text, and is UTF-8 */
  iod_payload_t *message;
  struct iod_encoding *encodings; /* private */
  _Atomic size_t *waiting;        /* where it is counted as long as it is there, or NULL */
  size_t channel_length;
  char channel[];
} iod_publication_t;

/* Copies both. text: the message may be text; it is if it is UTF-8. NULL when out of memory. */
IOD_MUST_USE iod_publication_t *iod_publication_new(iod_slice_t channel, iod_slice_t message, bool text);

static inline iod_publication_t *iod_publication_ref(iod_publication_t *p) {
  atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
  return p;
}
void iod_publication_unref(iod_publication_t *publication);

/* Under the state lock: one more message that waits somewhere refers to it; it is counted with the first. In bytes. */
void iod_publication_count(iod_publication_t *publication, _Atomic size_t *waiting);

/* One less. Any thread. */
void iod_publication_uncount(iod_publication_t *publication);

static inline iod_slice_t iod_publication_channel(const iod_publication_t *p) {
  return (iod_slice_t){p->channel, p->channel_length};
}

/* Under the state lock. Borrowed: the publication's. bits: of the peer's window, 0 = it doesn't inflate. NULL when out
 * of memory. */
IOD_MUST_USE iod_payload_t *iod_publication_websocket(iod_publication_t *publication, bool binary, unsigned bits,
                                                      iod_deflaters_t *deflaters);
/* The same with a mask that nobody can foretell: one for all connections that get it now. NULL: also without one. */
IOD_MUST_USE iod_payload_t *iod_publication_masked(iod_publication_t *publication, bool binary);
IOD_MUST_USE iod_payload_t *iod_publication_event(iod_publication_t *publication);

#endif
