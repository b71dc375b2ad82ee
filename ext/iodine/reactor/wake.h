/* A descriptor that any thread can make readable, to get another one out of its poll. */
#ifndef IOD_REACTOR_WAKE_H
#define IOD_REACTOR_WAKE_H

#include "../base/result.h"

typedef struct iod_wake {
  int read_fd, write_fd; /* the same one where the system has eventfd */
} iod_wake_t;

IOD_MUST_USE int iod_wake_init(iod_wake_t *wake); /* 0, IOD_E_SYSTEM with errno */
void iod_wake_deinit(iod_wake_t *wake);
void iod_wake_send(const iod_wake_t *wake); /* async-signal safe */
void iod_wake_clear(const iod_wake_t *wake);

#endif
