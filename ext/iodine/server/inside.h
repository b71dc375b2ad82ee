/* A listener that tells how the server itself is doing: /metrics, /stats, /health, /ready and a page at /. Answered
 * where requests are read, without Ruby: also while no thread of the application, or not even Ruby, gets to anything.
 */
#ifndef IOD_SERVER_INSIDE_H
#define IOD_SERVER_INSIDE_H

#include "../base/slice.h"

struct iod_http;

typedef struct iod_inside {
  iod_slice_t policy, page;
  char bytes[];
} iod_inside_t;

/* page: HTML; policy: the value of its Content-Security-Policy. Copies. NULL when out of memory. */
iod_inside_t *iod_inside_new(iod_slice_t page, iod_slice_t policy);
void iod_inside_free(iod_inside_t *inside);

/* Answers the request under way on this connection. Under the state lock. */
void iod_inside_answer(struct iod_http *http);

#endif
