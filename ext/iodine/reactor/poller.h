/* One contract over epoll and kqueue: which descriptors may be read or written now. Streams are edge-triggered (told
 * once for each change: who stops before EAGAIN remembers it), listeners and the wake-up level-triggered. Only the
 * holder of the loop's right to poll waits; add and remove may be called by another thread meanwhile. */
#ifndef IOD_REACTOR_POLLER_H
#define IOD_REACTOR_POLLER_H

#include "../base/result.h"

#include <stdint.h>

typedef struct iod_poller {
  int fd;
} iod_poller_t;

enum {
  IOD_READABLE = 1,
  IOD_WRITABLE = 2,
  IOD_PEER_CLOSED = 4, /* FIN came: what was sent can still be read, and answered */
  IOD_BROKEN = 8,      /* reset, or closed in both directions */
};

typedef struct iod_event {
  uint64_t token;
  uint8_t flags;
} iod_event_t;

extern const char iod_poller_name[]; /* "epoll" or "kqueue" */

IOD_MUST_USE int iod_poller_init(iod_poller_t *poller); /* 0, IOD_E_SYSTEM with errno */
void iod_poller_deinit(iod_poller_t *poller);

/* 0, IOD_E_SYSTEM with errno. Adding a stream that is ready already is told at the next wait. */
IOD_MUST_USE int iod_poller_add_stream(iod_poller_t *poller, int fd, uint64_t token);
/* A stream is told when it may be read; from this call on also when it may be written. Most never need it. */
IOD_MUST_USE int iod_poller_watch_writes(iod_poller_t *poller, int fd, uint64_t token);
IOD_MUST_USE int iod_poller_add_source(iod_poller_t *poller, int fd, uint64_t token);
void iod_poller_remove(iod_poller_t *poller, int fd);

/* Up to max events; 0 after timeout_ms (-1: no limit) or a signal. */
IOD_MUST_USE int iod_poller_wait(iod_poller_t *poller, iod_event_t *events, int max, int timeout_ms);

#endif
