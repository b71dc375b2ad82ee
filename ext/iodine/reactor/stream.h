/* A connection as the reactor sees it: a descriptor with input, output and one deadline. The protocol's state is in the
 * struct that embeds it first. All calls under the loop's state lock. */
#ifndef IOD_REACTOR_STREAM_H
#define IOD_REACTOR_STREAM_H

#include "../base/buffer.h"
#include "../base/result.h"
#include "../base/timers.h"
#include "handle.h"
#include "output.h"
#include "transport.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct iod_stream iod_stream_t;

/* Any of them may close the stream; it stays in memory until the end of the turn. */
typedef struct iod_stream_ops {
  /* Bytes came. Returns how many were used up; what is left comes again, with more behind. */
  size_t (*on_data)(iod_stream_t *, const char *bytes, size_t length);
  void (*on_eof)(iod_stream_t *);     /* FIN was read: no more data */
  void (*on_hangup)(iod_stream_t *);  /* FIN came while paused: told at once, though it isn't read yet */
  void (*on_written)(iod_stream_t *); /* some of what had to wait went out; output.pending tells what is left */
  void (*on_timeout)(iod_stream_t *);
  /* TLS (see tls.h): done (0); a client speaks in clear (IOD_E_PLAIN): so does the stream now, its bytes are lost; or
   * failed (IOD_E_CLOSED): closes after this. `why`: in the two latter cases, borrowed. May be NULL where no stream is
   * secured. */
  void (*on_handshake)(iod_stream_t *, int result, const char *why);
  /* It is connected (0), or why not (errno): closes after this. May be NULL where no stream connects. */
  void (*on_connect)(iod_stream_t *, int error);
  void (*on_closing)(iod_stream_t *); /* its descriptor is about to be closed. May be NULL */
  void (*on_close)(iod_stream_t *);   /* last, exactly once */
} iod_stream_ops_t;

struct iod_stream {
  iod_timer_t timer;
  const iod_stream_ops_t *ops;
  struct iod_loop *loop;
  iod_stream_t *next; /* in the loop's ready, dead or free list */
  iod_stream_t *next_corked;
  iod_buffer_t input;               /* what came and is not used up; no memory while idle */
  iod_output_t output;              /* pending > 0: something waits, here or in the transport */
  const iod_transport_t *transport; /* NULL: the socket itself */
  void *session;                    /* the transport's */
  iod_handle_t handle;
  int fd; /* -1: closed */
  /* bits: idle streams are many */
  bool readable : 1, writable : 1;
  bool connecting : 1;  /* until on_connect: neither of the two; what is sent waits */
  bool watched : 1;     /* the poller tells when it may be written */
  bool peer_closed : 1; /* FIN came */
  bool paused : 1;      /* on_data is not called */
  bool lossless : 1;    /* what came before the peer broke off is read, also if that is told while paused */
  bool reads_on : 1;    /* a failed write doesn't close: nothing more is sent, but what came is read first */
  bool mute : 1;        /* such a write has failed */
  bool corked : 1;      /* writes are gathered until the loop flushes or the owner uncorks */
  bool closing : 1;     /* closes when the output is written */
  bool lingering : 1;   /* the last bytes are out: what the peer still sends is thrown away, so that no reset overtakes
                           them */
  bool handshaking : 1; /* of the transport: it reads also while paused, and writes nothing else */
  bool adopting : 1;    /* input is the transport's */
  bool drained : 1;     /* the socket has nothing until the poller tells again; kept by the transport */
  bool uncounted : 1;   /* its bytes are no traffic: between our own processes, or asked of ourselves */
  bool in_ready : 1, in_corked : 1;
  bool feeding : 1;
};

static inline bool iod_stream_open(const iod_stream_t *s) { return s->fd >= 0; }

/* Sends or queues; segments are taken care of in every case. 0, IOD_E_CLOSED, IOD_E_NOMEM (the stream was closed). */
IOD_MUST_USE int iod_stream_send(iod_stream_t *stream, const iod_segment_t *segments, size_t count);

/* Writes what is queued, also when corked. */
void iod_stream_flush(iod_stream_t *stream);

/* on_data may be called again: with what is buffered at once, then with what the socket has. */
void iod_stream_resume(iod_stream_t *stream);

/* Closes now; what is queued is lost. */
void iod_stream_close(iod_stream_t *stream);

/* Closes now, so that the peer sees that something is missing. */
void iod_stream_reset(iod_stream_t *stream);

/* Closes when what is queued has been written and, if the peer may still be sending, after its FIN or two seconds. */
void iod_stream_finish(iod_stream_t *stream);

/* Nothing more will be sent, what the peer sends is still read. With nothing queued. */
void iod_stream_end(iod_stream_t *stream);

/* Gives up the descriptor, with nothing queued: it is the caller's, the stream is closed without closing it. */
int iod_stream_detach(iod_stream_t *stream);

/* on_timeout at this time (loop clock, ms). */
void iod_stream_deadline(iod_stream_t *stream, uint64_t due);
static inline void iod_stream_no_deadline(iod_stream_t *s) { iod_timers_unset(&s->timer); }

/* What the poller told, and what was left over from the turn before: the loop calls them. */
void iod_stream_event(iod_stream_t *stream, uint8_t flags);
void iod_stream_continue(iod_stream_t *stream);
void iod_stream_timeout(iod_stream_t *stream);

#endif
