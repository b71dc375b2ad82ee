#include "poller.h"

#include <errno.h>
#include <stdint.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256 };

const char iod_poller_name[] = "kqueue";

int iod_poller_init(iod_poller_t *poller) {
  poller->fd = kqueue();
  return poller->fd < 0 ? IOD_E_SYSTEM : 0;
}

void iod_poller_deinit(iod_poller_t *poller) {
  if (poller->fd >= 0) close(poller->fd);
  poller->fd = -1;
}

/* Tokens travel in udata, a pointer: 64 bits wide wherever iodine runs. */
static void *token_pack(uint64_t token) { return (void *)(uintptr_t)token; }

static int add(iod_poller_t *poller, int fd, uint64_t token, int16_t filter, uint16_t flags) {
  struct kevent change;
  EV_SET(&change, (uintptr_t)fd, filter, flags, 0, 0, token_pack(token));
  return kevent(poller->fd, &change, 1, NULL, 0, NULL) < 0 ? IOD_E_SYSTEM : 0;
}

int iod_poller_add_stream(iod_poller_t *poller, int fd, uint64_t token) {
  return add(poller, fd, token, EVFILT_READ, EV_ADD | EV_CLEAR);
}

int iod_poller_watch_writes(iod_poller_t *poller, int fd, uint64_t token) {
  return add(poller, fd, token, EVFILT_WRITE, EV_ADD | EV_CLEAR);
}

int iod_poller_add_source(iod_poller_t *poller, int fd, uint64_t token) {
  return add(poller, fd, token, EVFILT_READ, EV_ADD);
}

void iod_poller_remove(iod_poller_t *poller, int fd) {
  const int16_t filters[] = {EVFILT_READ, EVFILT_WRITE};
  for (int i = 0; i < 2; i++) { /* one call each: a filter that isn't there must not stop the other's removal */
    struct kevent change;
    EV_SET(&change, (uintptr_t)fd, filters[i], EV_DELETE, 0, 0, NULL);
    (void)kevent(poller->fd, &change, 1, NULL, 0, NULL);
  }
}

static uint8_t flags_of(const struct kevent *e) {
  if (e->flags & EV_ERROR) return IOD_BROKEN;
  if (e->filter == EVFILT_WRITE) return e->flags & EV_EOF ? IOD_BROKEN : IOD_WRITABLE;
  return (uint8_t)(IOD_READABLE | (e->flags & EV_EOF ? IOD_PEER_CLOSED : 0));
}

int iod_poller_wait(iod_poller_t *poller, iod_event_t *events, int max, int timeout_ms) {
  struct kevent ready[BATCH];
  struct timespec limit = {.tv_sec = timeout_ms / 1000, .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
  int n = kevent(poller->fd, NULL, 0, ready, max < BATCH ? max : BATCH, timeout_ms < 0 ? NULL : &limit);
  if (n < 0) return errno == EINTR ? 0 : IOD_E_SYSTEM;
  for (int i = 0; i < n; i++) {
    events[i].token = (uint64_t)(uintptr_t)ready[i].udata;
    events[i].flags = flags_of(&ready[i]);
  }
  return n;
}
