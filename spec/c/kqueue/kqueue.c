#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/event.h>

enum { FDS = 4096, BATCH = 128 };

/* What is registered, for each descriptor: kqueue keeps one entry a filter, epoll one a descriptor. */
static struct {
  int queue;
  uint16_t filters, flags; /* bit 0: read, bit 1: write */
  void *udata;
} table[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int kqueue(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int change(int queue, const struct kevent *c) {
  if (c->ident >= FDS) return -1;
  uint16_t bit = c->filter == EVFILT_READ ? 1 : 2, before = table[c->ident].filters;
  uint16_t after = c->flags & EV_DELETE ? (uint16_t)(before & ~bit) : (uint16_t)(before | bit);
  if (table[c->ident].queue != queue) before = 0; /* the descriptor was closed and used again */
  if ((c->flags & EV_DELETE) && !(before & bit)) {
    errno = ENOENT;
    return -1;
  }
  struct epoll_event e = {.data.fd = (int)c->ident};
  e.events = (after & 1 ? (uint32_t)(EPOLLIN | EPOLLRDHUP) : 0u) | (after & 2 ? (uint32_t)EPOLLOUT : 0u);
  if (c->flags & EV_CLEAR) e.events |= EPOLLET;
  table[c->ident].queue = queue;
  table[c->ident].filters = after;
  if (c->flags & EV_ADD) table[c->ident].udata = c->udata;
  if (after == 0) return epoll_ctl(queue, EPOLL_CTL_DEL, (int)c->ident, &e);
  if (epoll_ctl(queue, EPOLL_CTL_MOD, (int)c->ident, &e) == 0) return 0;
  return epoll_ctl(queue, EPOLL_CTL_ADD, (int)c->ident, &e);
}

static int tell(const struct epoll_event *e, struct kevent *out) {
  int n = 0, fd = e->data.fd;
  uint16_t over = e->events & (EPOLLHUP | EPOLLERR) ? EV_EOF : 0;
  if (e->events & (EPOLLIN | EPOLLRDHUP)) {
    EV_SET(&out[n], (uintptr_t)fd, EVFILT_READ, e->events & EPOLLRDHUP ? EV_EOF : over, 0, 0, table[fd].udata);
    n++;
  }
  if ((e->events & EPOLLOUT) || over) {
    EV_SET(&out[n], (uintptr_t)fd, EVFILT_WRITE, over, 0, 0, table[fd].udata);
    n++;
  }
  return n;
}

int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout) {
  int result = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < change_count; i++) result |= change(queue, &changes[i]);
  pthread_mutex_unlock(&lock);
  if (event_count == 0) return result;
  struct epoll_event ready[BATCH];
  int most = event_count / 2 < BATCH ? event_count / 2 : BATCH;
  int ms = timeout ? (int)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000) : -1;
  int n = epoll_wait(queue, ready, most, ms), told = 0;
  if (n < 0) return -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < n; i++) told += tell(&ready[i], &events[told]);
  pthread_mutex_unlock(&lock);
  return told;
}
