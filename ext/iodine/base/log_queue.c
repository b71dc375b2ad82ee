#include "log_queue.h"

#include "alloc.h"
#include "clock.h"
#include "log.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum {
  PATIENCE_MS = 1000,
  LOOK_MS = 100,
  MOST = 1 << 20, /* bytes that wait: more go to stderr at once */
};

static struct {
  pthread_mutex_t lock; /* a leaf, but for stderr */
  pthread_cond_t came;  /* a line, or the end */
  iod_log_line_t *first, **tail;
  size_t bytes;
  pthread_t watcher;
  bool open, watched;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER, .tail = &queue.first};

static _Atomic bool is_open; /* a look at it takes no lock */

/* ---- under the lock ---- */

static iod_log_line_t *shift(void) {
  iod_log_line_t *line = queue.first;
  if (!line) return NULL;
  queue.first = line->next;
  if (!queue.first) queue.tail = &queue.first;
  queue.bytes -= line->length;
  return line;
}

static void append(iod_log_line_t *line) {
  line->next = NULL;
  *queue.tail = line;
  queue.tail = &line->next;
  queue.bytes += line->length;
}

/* In their order, so with the lock held: stderr makes nobody wait. */
static void spill(uint64_t due) {
  while (queue.first && queue.first->due <= due) {
    iod_log_line_t *line = shift();
    iod_log_print(line->level, line->text, line->length);
    iod_free(line);
  }
}

/* ---- the thread that watches ---- */

static void *watch(void *unused) {
  pthread_mutex_lock(&queue.lock);
  while (queue.open) {
    if (!queue.first) {
      pthread_cond_wait(&queue.came, &queue.lock);
      continue;
    }
    pthread_mutex_unlock(&queue.lock);
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000}, NULL);
    pthread_mutex_lock(&queue.lock);
    spill(iod_clock_ms());
  }
  pthread_mutex_unlock(&queue.lock);
  return unused;
}

static int start_watching(void) {
  sigset_t all, before; /* signals are for others */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  queue.watched = pthread_create(&queue.watcher, NULL, watch, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return queue.watched ? 0 : IOD_E_SYSTEM;
}

int iod_log_queue_open(void) {
  pthread_mutex_lock(&queue.lock);
  int result = 0;
  if (!queue.open) {
    queue.open = true;
    result = start_watching();
    queue.open = result == 0;
    atomic_store(&is_open, queue.open);
  }
  pthread_mutex_unlock(&queue.lock);
  return result;
}

void iod_log_queue_close(void) {
  pthread_mutex_lock(&queue.lock);
  bool watched = queue.watched;
  queue.open = queue.watched = false;
  atomic_store(&is_open, false);
  spill(UINT64_MAX);
  pthread_cond_broadcast(&queue.came);
  pthread_mutex_unlock(&queue.lock);
  if (watched) pthread_join(queue.watcher, NULL);
}

/* ---- lines ---- */

bool iod_log_queue_wait(const _Atomic bool *cancelled) {
  pthread_mutex_lock(&queue.lock);
  while (queue.open && !queue.first && !atomic_load(cancelled)) pthread_cond_wait(&queue.came, &queue.lock);
  bool open = queue.open;
  pthread_mutex_unlock(&queue.lock);
  return open;
}

iod_log_line_t *iod_log_queue_take(void) {
  pthread_mutex_lock(&queue.lock);
  iod_log_line_t *line = shift();
  pthread_mutex_unlock(&queue.lock);
  return line;
}

void iod_log_queue_wake(void) {
  pthread_mutex_lock(&queue.lock);
  pthread_cond_broadcast(&queue.came);
  pthread_mutex_unlock(&queue.lock);
}

bool iod_log_hand_over(int level, const char *text, size_t length) {
  if (!atomic_load_explicit(&is_open, memory_order_relaxed)) return false;
  iod_log_line_t *line = iod_alloc(sizeof *line + length);
  if (!line) return false;
  *line = (iod_log_line_t){.due = iod_clock_ms() + PATIENCE_MS, .level = level, .length = length};
  memcpy(line->text, text, length);
  pthread_mutex_lock(&queue.lock);
  bool fits = queue.open && queue.bytes + length <= MOST;
  if (fits) append(line);
  pthread_cond_broadcast(&queue.came);
  pthread_mutex_unlock(&queue.lock);
  if (!fits) iod_free(line);
  return fits;
}

/* The lines aren't freed: the list may have been copied in the middle of a change. */
void iod_log_queue_forked(void) {
  pthread_mutex_init(&queue.lock, NULL);
  pthread_cond_init(&queue.came, NULL);
  queue.first = NULL;
  queue.tail = &queue.first;
  queue.bytes = 0;
  queue.open = queue.watched = false;
  atomic_store(&is_open, false);
}
