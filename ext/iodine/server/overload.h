/* What a client is told when it asks for more than can be done: 503 for a connection or a request too many, or one that
 * waited too long; 504 for one that the application did not answer in time. Without Ruby, under the state lock.
 *
 * A request that is given up is over for the application too: what it sends for it later is dropped (IOD_E_CLOSED). */
#ifndef IOD_SERVER_OVERLOAD_H
#define IOD_SERVER_OVERLOAD_H

#include "http.h"

/* "retry-after: N\r\n": 1 to 5 seconds in turn, so that those who were refused together don't come back together. */
enum { IOD_RETRY_ROOM = 17 };
iod_slice_t iod_overload_retry(iod_server_t *server, char room[IOD_RETRY_ROOM]);

/* A connection whose client is known now. False: its address has too many already; else it counts, until
 * iod_overload_leave. */
bool iod_overload_enter(iod_http_t *http);
void iod_overload_leave(iod_http_t *http); /* when it closes; more than once does no harm */

/* A request that is complete, before it is queued: its time begins. False: it was answered, the application never sees
 * it. */
bool iod_overload_admit(iod_http_t *http);

/* Its answer has begun, or nobody waits for it any more. */
static inline void iod_overload_answered(iod_http_t *http) { iod_timers_unset(&http->patience); }

/* Of http->patience. */
void iod_overload_timeout(iod_timer_t *timer);

#endif
