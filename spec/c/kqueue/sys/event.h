/* A stand-in for kqueue on Linux, for tests only: what poller_kqueue.c uses of it, over epoll, so that the backend is
 * compiled and run wherever the tests are. */
#ifndef IOD_SPEC_KQUEUE_H
#define IOD_SPEC_KQUEUE_H

#include <stdint.h>
#include <time.h>

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  intptr_t data;
  void *udata;
};

enum { EVFILT_READ = -1, EVFILT_WRITE = -2 };
enum { EV_ADD = 1, EV_DELETE = 2, EV_CLEAR = 0x20, EV_ERROR = 0x4000, EV_EOF = 0x8000 };

#define EV_SET(event, i, f, fl, ff, d, u)                                                                              \
  (*(event) = (struct kevent){                                                                                         \
       .ident = (i), .filter = (f), .flags = (uint16_t)(fl), .fflags = (ff), .data = (d), .udata = (u)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout);

#endif
