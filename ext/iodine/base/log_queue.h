/* Lines of the log that somebody else is to take, in another thread: no Ruby may be called where they come up. What
 * isn't taken within a second is written to stderr all the same, by a thread of its own. Any thread. */
#ifndef IOD_BASE_LOG_QUEUE_H
#define IOD_BASE_LOG_QUEUE_H

#include "result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct iod_log_line {
  struct iod_log_line *next;
  uint64_t due; /* ms: then it goes to stderr */
  int level;
  size_t length;
  char text[]; /* without its level, and without an end of line */
} iod_log_line_t;

/* From now on lines are handed over. Once more does no harm. 0, IOD_E_SYSTEM: no thread could be made. */
IOD_MUST_USE int iod_log_queue_open(void);

/* No more are; what waits goes to stderr. */
void iod_log_queue_close(void);

/* Blocks until there is a line, the queue is closed or *cancelled is set (iod_log_queue_wake). False: it is closed. */
bool iod_log_queue_wait(const _Atomic bool *cancelled);
void iod_log_queue_wake(void);

/* The next line, which is the caller's (iod_free), or NULL. */
iod_log_line_t *iod_log_queue_take(void);

/* True: somebody else has the line now. */
bool iod_log_hand_over(int level, const char *text, size_t length);

/* In a forked copy: nobody takes lines there, and those that wait are the parent's. */
void iod_log_queue_forked(void);

#endif
