/* The lines of the access log: what is said of a request that was answered, as the common log format or as JSON. */
#ifndef IOD_SERVER_ACCESS_LINE_H
#define IOD_SERVER_ACCESS_LINE_H

#include "../base/slice.h"
#include "handler.h"

#include <time.h>

typedef struct iod_access_entry {
  const iod_request_t *request;
  int status;
  uint64_t bytes;   /* of the answer's body */
  uint64_t took_us; /* from the request's first byte on */
} iod_access_entry_t;

/* The date is made once a second. All zeroes at first. */
typedef struct iod_access_clock {
  time_t second;
  char date[32], iso[32];
} iod_access_clock_t;

/* Requests without an id of their own get one of this process. */
enum { IOD_REQUEST_ID_ROOM = 32, IOD_REQUEST_ID_MAX = 128 };

/* What X-Request-Id says if that is a plain word of up to IOD_REQUEST_ID_MAX bytes, else an empty slice. */
iod_slice_t iod_request_id_given(const iod_request_t *request);

/* That, or the one that was made (request->serial), written to `room`; empty: there is none. */
iod_slice_t iod_request_id(const iod_request_t *request, char room[IOD_REQUEST_ID_ROOM]);

/* Of this process, since it began. */
uint64_t iod_request_serial_next(void);
void iod_request_serial_forked(void); /* in a child: its own are others */

/* How many bytes a line needs at most, and the line with its end: behind its last byte. */
size_t iod_access_line_room(const iod_access_entry_t *entry, bool json);
char *iod_access_line_clf(char *line, const iod_access_entry_t *entry, iod_access_clock_t *clock);
char *iod_access_line_json(char *line, const iod_access_entry_t *entry, iod_access_clock_t *clock);

#endif
