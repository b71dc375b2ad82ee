/* Server-sent events as they are written (HTML Standard, section 9.2.5); event_stream.h knows who wants them. Pure. */
#ifndef IOD_PROTOCOL_SSE_H
#define IOD_PROTOCOL_SSE_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdint.h>

/* What is NULL isn't sent. A client gets an event only if there is data; without it the id and the time still count. */
typedef struct iod_sse_event {
  iod_slice_t event; /* its type */
  iod_slice_t id;    /* empty: the client forgets the one before */
  iod_slice_t data;  /* any bytes; a line for each CR, LF or CRLF in it, which the client gets as LF */
  int64_t retry;     /* ms until the client comes again after a break; negative: not sent */
} iod_sse_event_t;

#define IOD_SSE_PING ": ping\n\n"

/* 0; IOD_E_BAD_REQUEST: a line's end in the type or the id, or a NUL in the id. */
IOD_MUST_USE int iod_sse_check(const iod_sse_event_t *event);

/* Of an event that was checked: how many bytes it takes, and writes them. */
size_t iod_sse_length(const iod_sse_event_t *event);
char *iod_sse_write(char *out, const iod_sse_event_t *event); /* behind the last */

#endif
