#include "poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 256 };

const char iod_poller_name[] = "epoll";

int iod_poller_init(iod_poller_t *poller) {
  poller->fd = epoll_create1(EPOLL_CLOEXEC);
  return poller->fd < 0 ? IOD_E_SYSTEM : 0;
}

void iod_poller_deinit(iod_poller_t *poller) {
  if (poller->fd >= 0) close(poller->fd);
  poller->fd = -1;
}

static int control(iod_poller_t *poller, int operation, int fd, uint64_t token, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return epoll_ctl(poller->fd, operation, fd, &event) ? IOD_E_SYSTEM : 0;
}

int iod_poller_add_stream(iod_poller_t *poller, int fd, uint64_t token) {
  return control(poller, EPOLL_CTL_ADD, fd, token, (uint32_t)(EPOLLIN | EPOLLRDHUP) | EPOLLET);
}

int iod_poller_watch_writes(iod_poller_t *poller, int fd, uint64_t token) {
  return control(poller, EPOLL_CTL_MOD, fd, token, (uint32_t)(EPOLLIN | EPOLLOUT | EPOLLRDHUP) | EPOLLET);
}

int iod_poller_add_source(iod_poller_t *poller, int fd, uint64_t token) {
  return control(poller, EPOLL_CTL_ADD, fd, token, EPOLLIN);
}

void iod_poller_remove(iod_poller_t *poller, int fd) {
  struct epoll_event unused = {0};
  (void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, &unused);
}

int iod_poller_wait(iod_poller_t *poller, iod_event_t *events, int max, int timeout_ms) {
  struct epoll_event ready[BATCH];
  int n = epoll_wait(poller->fd, ready, max < BATCH ? max : BATCH, timeout_ms);
  if (n < 0) return errno == EINTR ? 0 : IOD_E_SYSTEM;
  for (int i = 0; i < n; i++) {
    uint32_t e = ready[i].events;
    events[i].token = ready[i].data.u64;
    events[i].flags = (uint8_t)((e & EPOLLIN ? IOD_READABLE : 0) | (e & EPOLLOUT ? IOD_WRITABLE : 0) |
                                (e & EPOLLRDHUP ? IOD_PEER_CLOSED : 0) | (e & (EPOLLERR | EPOLLHUP) ? IOD_BROKEN : 0));
  }
  return n;
}
