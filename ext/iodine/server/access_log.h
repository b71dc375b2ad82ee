/* The access log: lines are gathered under the state lock, and written in batches by whoever has the time. A sink that
 * takes nothing costs lines (counted, and told once it takes some again), never time. */
#ifndef IOD_SERVER_ACCESS_LOG_H
#define IOD_SERVER_ACCESS_LOG_H

#include "../base/buffer.h"
#include "access_line.h"
#include "handler.h"
#include "stats.h"

#include <pthread.h>
#include <stdatomic.h>

/* Where it goes: the descriptor is the caller's, who may let it stand for another file at any time (dup2). */
typedef struct iod_access_sink {
  int fd;
  bool json;
} iod_access_sink_t;

typedef struct iod_access_log {
  iod_access_sink_t sink;
  iod_count_t *lost_lines; /* where those are counted */
  iod_buffer_t lines;      /* under the state lock */
  iod_access_clock_t clock;
  uint64_t dropped;       /* since there was no room for them */
  _Atomic size_t waiting; /* bytes to be written, about */
  pthread_mutex_t writing;
  iod_buffer_t batch; /* of the thread that writes, as the others: */
  uint64_t lost;      /* lines that the sink didn't take, … */
  int error;          /* … why, … */
  bool cut;           /* … and there is no end of line behind the last byte that it took */
} iod_access_log_t;

void iod_access_log_init(iod_access_log_t *log, iod_access_sink_t sink, iod_count_t *lost_lines);
void iod_access_log_deinit(iod_access_log_t *log); /* writes what is left, as far as the sink takes it */

/* One line for a request that was answered. Under the state lock. */
void iod_access_log_add(iod_access_log_t *log, const iod_access_entry_t *entry);

/* Takes what waits: under the state lock. True: call iod_access_log_write after letting go of it, which is true if the
 * sink took all. */
bool iod_access_log_take(iod_access_log_t *log);
IOD_MUST_USE bool iod_access_log_write(iod_access_log_t *log);

#endif
