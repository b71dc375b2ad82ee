/* The reactor's half of a connection that doesn't speak HTTP any more: what raw connections, WebSockets and event
 * streams have in common. Their protocols' structs embed it first. All under the state lock. */
#ifndef IOD_SERVER_LINE_H
#define IOD_SERVER_LINE_H

#include "connection.h"
#include "http.h"

typedef struct iod_line {
  iod_stream_t stream; /* first */
  iod_listener_t *listener;
  iod_connection_t *connection;
  iod_address_place_t place;
  size_t counted; /* output.pending when connection->sent was right */
  bool written;   /* since the output was empty the last time that was told */
} iod_line_t;

static inline iod_line_t *iod_line_of(iod_stream_t *s) { return (iod_line_t *)(void *)s; }

/* Takes the place of an HTTP connection without a request; timeout in seconds, 0 = none. Paused until
 * iod_connection_resume. NULL: out of memory, it was closed. */
iod_line_t *iod_line_open(iod_http_t *http, iod_connection_kind_t kind, const iod_stream_ops_t *ops,
                          const iod_connection_ops_t *connection_ops, uint8_t timeout);

/* One message. 0, IOD_E_CLOSED: also when too much has piled up, then with a line in the log. */
IOD_MUST_USE int iod_line_send(iod_line_t *line, const iod_segment_t *segments, size_t count);

/* Something came or went: the time-out begins anew. May close. */
void iod_line_touch(iod_line_t *line);

/* The time-out has really passed, which is to be dealt with; else it was set again, or the peer was too slow in the
 * end.
 */
bool iod_line_timed_out(iod_line_t *line);

void iod_line_finish(iod_line_t *line);              /* closes after what is pending */
void iod_line_end(iod_line_t *line, uint8_t signal); /* so it does, when the strand is empty */
void iod_line_refresh(iod_line_t *line);

bool iod_line_is(const iod_stream_t *stream);
void iod_line_drain(iod_line_t *line);

/* Parts of every protocol's iod_stream_ops_t. */
void iod_line_on_hangup(iod_stream_t *stream);
void iod_line_on_written(iod_stream_t *stream);
void iod_line_on_close(iod_stream_t *stream);

#endif
