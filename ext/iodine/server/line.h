/* The reactor's half of a connection that doesn't speak HTTP any more: what raw connections, WebSockets and event
 * streams have in common. Their protocols' structs embed it first. All under the state lock. */
#ifndef IOD_SERVER_LINE_H
#define IOD_SERVER_LINE_H

#include "../reactor/stream.h"
#include "addresses.h"
#include "connection.h"
#include "listener.h"

typedef struct iod_line {
  iod_stream_t stream; /* first */
  const iod_connection_ops_t *ops;
  const iod_settings_t *settings;
  iod_connection_t *connection;
  struct iod_line *next_overfull;
  iod_peer_t remote;
  iod_address_place_t place;
  size_t counted;  /* output.pending when `queued` was right */
  uint32_t queued; /* messages in the output */
  bool written;    /* since the output was empty the last time that was told */
  bool overfull;   /* more has piled up than may; it is about to be closed, if the socket takes nothing more */
  bool leaving;    /* it was told that this process goes */
  bool lost;       /* there was no memory for a message: it is about to be closed */
} iod_line_t;

static inline iod_line_t *iod_line_of(iod_stream_t *s) { return (iod_line_t *)(void *)s; }

/* What becomes of a stream that spoke another protocol: that one's on_close was called. Takes over the connection's
 * reference for the reactor. Paused until iod_connection_resume. */
typedef struct iod_line_opening {
  iod_connection_t *connection;
  const iod_stream_ops_t *stream_ops;
  const iod_connection_ops_t *ops;
  const iod_settings_t *settings; /* outlives the line */
  const iod_peer_t *remote;
  iod_address_place_t place; /* where its address is counted, or 0 */
  uint8_t timeout;           /* seconds, 0 = none */
} iod_line_opening_t;

void iod_line_open(iod_stream_t *stream, const iod_line_opening_t *opening);

/* One message. 0, IOD_E_CLOSED: also when too much has piled up, then with a line in the log. */
IOD_MUST_USE int iod_line_send(iod_line_t *line, const iod_segment_t *segments, size_t count);

/* What was published, as the line's protocol frames it: gathered, and written at the end of the turn. Closes nothing.
 */
void iod_line_publish(iod_line_t *line, iod_publication_t *publication, bool binary);

/* Those that got more than may pile up, and whose socket takes no more, are closed, with a line in the log. */
void iod_lines_drop_overfull(iod_server_t *server);

/* What publishing to it will touch. */
static inline void iod_line_prefetch(const iod_line_t *line) {
  if (!line) return;
  __builtin_prefetch(&line->stream.output);
  __builtin_prefetch(&line->ops);
}

/* Something came or went: the time-out begins anew. May close. */
void iod_line_touch(iod_line_t *line);

/* The time-out has really passed, which is to be dealt with; else it was set again, or the peer was too slow in the
 * end. */
bool iod_line_timed_out(iod_line_t *line);

void iod_line_finish(iod_line_t *line);              /* closes after what is pending */
void iod_line_end(iod_line_t *line, uint8_t signal); /* so it does, when the strand is empty */
void iod_line_refresh(iod_line_t *line);

/* A message for the strand: copied, or taken over from `owned`. False: the line was closed, there is no memory. */
bool iod_line_tell(iod_line_t *line, iod_slice_t bytes, bool text, iod_buffer_t *owned);

bool iod_line_is(const iod_stream_t *stream);
void iod_line_drain(iod_line_t *line);                 /* this process goes: closes after on_shutdown */
void iod_line_leave(iod_line_t *line, uint32_t retry); /* so it does; the peer may come again after so many ms */

/* Parts of every protocol's iod_stream_ops_t. */
void iod_line_on_hangup(iod_stream_t *stream);
void iod_line_on_written(iod_stream_t *stream);
void iod_line_on_eof(iod_stream_t *stream);
void iod_line_on_close(iod_stream_t *stream);

#endif
