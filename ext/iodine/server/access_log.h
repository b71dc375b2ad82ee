/* The access log: lines are gathered under the state lock, and written in batches by whoever has the time. A sink that
 * takes nothing costs lines (counted), never time. */
#ifndef IOD_SERVER_ACCESS_LOG_H
#define IOD_SERVER_ACCESS_LOG_H

#include "../base/buffer.h"
#include "../base/slice.h"
#include "handler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

typedef struct iod_access_log {
  iod_buffer_t lines; /* under the state lock */
  char date[29];
  time_t second;
  uint64_t dropped;
  _Atomic size_t waiting; /* bytes to be written, about */
  pthread_mutex_t writing;
  iod_buffer_t batch; /* of the thread that writes */
} iod_access_log_t;

void iod_access_log_init(iod_access_log_t *log);
void iod_access_log_deinit(iod_access_log_t *log); /* writes what is left, as far as the sink takes it */

/* One line for a request that was answered; took_us: from its first byte on. Under the state lock.
 * IP - - [Sun, 22 Nov 2026 17:29:52 GMT] "GET /path HTTP/1.1" 200 5b 0.2ms */
void iod_access_log_add(iod_access_log_t *log, const iod_request_t *request, int status, uint64_t bytes,
                        uint64_t took_us);

/* Takes what waits: under the state lock. True: call iod_access_log_write after letting go of it, which is true if the
 * sink took all. */
bool iod_access_log_take(iod_access_log_t *log);
IOD_MUST_USE bool iod_access_log_write(iod_access_log_t *log);

#endif
