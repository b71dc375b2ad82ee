/* The response that has a file as its body: conditions, ranges, lines and segments (RFC 9110 sections 13 to 15). No
 * state, no I/O: for the reactor and for application threads. */
#ifndef IOD_SERVER_FILE_RESPONSE_H
#define IOD_SERVER_FILE_RESPONSE_H

#include "../base/buffer.h"
#include "../protocol/accept_encoding.h"
#include "../protocol/range.h"
#include "file.h"
#include "handler.h"

/* What a request says that concerns files. Borrowed from it. */
typedef struct iod_file_query {
  iod_accept_encoding_t accept;
  iod_slice_t range;
  bool ranged;       /* there is one Range line */
  bool conditional;  /* there is an If-… line */
  bool event_stream; /* Accept names text/event-stream */
} iod_file_query_t;

iod_file_query_t iod_file_query(const iod_request_t *request);

typedef struct iod_file_response {
  /* the question */
  const iod_request_t *request;
  const iod_file_t *file;
  const iod_file_query_t *query;
  int status;        /* 200: conditions and ranges hold and may change it; with another one the file is sent whole */
  iod_slice_t lines; /* header lines besides the file's own; a date is among them or in … */
  iod_slice_t date;  /* … here, as a line */
  bool keep_alive;
  /* the answer */
  size_t body_bytes;
  size_t count;
  iod_segment_t segments[2 * IOD_RANGES_MAX + 2];
} iod_file_response_t;

/* Segments of bytes point into `room`, which is cleared first; those of files have references of their own. 0 or
 * IOD_E_NOMEM (then there are none). */
IOD_MUST_USE int iod_file_respond(iod_file_response_t *response, iod_buffer_t *room);

/* "connection: close\r\n" and the like, where it has to be said (RFC 9112 section 9.3). */
iod_slice_t iod_connection_line(const iod_request_t *request, bool keep_alive);

#endif
