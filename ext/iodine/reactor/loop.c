#include "loop.h"

#include "../base/alloc.h"
#include "../base/clock.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { SLAB = 128 }; /* streams a block */

/* Tokens with generation 0 are no streams: the wake-up, then the sources. */
enum { TOKEN_WAKE, TOKEN_SOURCE };

/* ---- life ---- */

int iod_loop_init(iod_loop_t *loop, size_t element) {
  memset(loop, 0, sizeof *loop);
  loop->poller.fd = loop->wake.read_fd = loop->wake.write_fd = -1;
  for (int i = 0; i < IOD_SOURCES; i++) loop->sources[i].fd = -1;
  loop->slabs.element = (element + 15) & ~(size_t)15;
  loop->ready_tail = &loop->ready;
  loop->corked_tail = &loop->corked;
  loop->traffic = &loop->unseen;
  pthread_mutex_init(&loop->state, NULL);
  atomic_store(&loop->next_due, UINT64_MAX);
  iod_loop_clock(loop);
  loop->scratch = iod_alloc(IOD_SCRATCH);
  int result = loop->scratch ? iod_poller_init(&loop->poller) : IOD_E_NOMEM;
  if (result == 0) result = iod_wake_init(&loop->wake);
  if (result == 0) result = iod_poller_add_source(&loop->poller, loop->wake.read_fd, TOKEN_WAKE);
  if (result) iod_loop_deinit(loop);
  return result;
}

static iod_stream_t *slot_at(const iod_loop_t *loop, uint32_t slot) {
  return (iod_stream_t *)(void *)(loop->slabs.blocks[slot / SLAB] + slot % SLAB * loop->slabs.element);
}

void iod_loop_each(iod_loop_t *loop, void (*visit)(iod_stream_t *stream, void *context), void *context) {
  for (uint32_t slot = 0; slot < loop->slabs.count * SLAB; slot++) {
    if (!loop->slabs.blocks[slot / SLAB]) continue;
    iod_stream_t *s = slot_at(loop, slot);
    if (s->handle && s->fd >= 0) visit(s, context);
  }
}

static void close_one(iod_stream_t *s, void *context) {
  (void)context;
  iod_stream_close(s);
}

static void release_memory(iod_loop_t *loop) {
  for (uint32_t i = 0; i < loop->slabs.count; i++) iod_free(loop->slabs.blocks[i]);
  iod_free(loop->slabs.blocks);
  iod_free(loop->slabs.used);
  iod_timers_deinit(&loop->timers);
  iod_free(loop->scratch);
  iod_free(loop->gathered);
  iod_buffer_deinit(&loop->sealed);
  loop->scratch = loop->gathered = NULL;
  memset(&loop->slabs, 0, sizeof loop->slabs);
}

void iod_loop_deinit(iod_loop_t *loop) {
  iod_loop_each(loop, close_one, NULL);
  iod_poller_deinit(&loop->poller);
  iod_wake_deinit(&loop->wake);
  release_memory(loop);
  pthread_mutex_destroy(&loop->state);
}

/* ---- the right to poll ---- */

bool iod_loop_claim(iod_loop_t *loop) {
  return !atomic_load_explicit(&loop->polling, memory_order_relaxed) && !atomic_exchange(&loop->polling, true);
}

void iod_loop_yield(iod_loop_t *loop) { atomic_store(&loop->polling, false); }

static int until(uint64_t due, int max_ms) {
  if (due == 0) return 0;
  if (due == UINT64_MAX) return max_ms;
  uint64_t now = iod_clock_ms();
  uint64_t wait = due > now ? due - now : 0;
  if (max_ms >= 0 && wait > (uint64_t)max_ms) return max_ms;
  return wait > INT_MAX ? INT_MAX : (int)wait;
}

int iod_loop_poll(iod_loop_t *loop, int max_ms) {
  if (loop->event_count > 0) return loop->event_count; /* told, but the state lock could not be had */
  uint64_t due = atomic_load(&loop->next_due);
  int wait = max_ms == 0 ? 0 : until(due, max_ms);
  if (wait != 0) {
    /* Said first, looked again second: who sets an earlier time in between, or gathers something, sees one or the
     * other. */
    atomic_store(&loop->sleeping, due);
    if (atomic_load(&loop->next_due) < due || atomic_load(&loop->corked_since)) wait = 0;
  }
  int n = iod_poller_wait(&loop->poller, loop->events, IOD_EVENTS, wait);
  if (wait != 0) atomic_store(&loop->sleeping, 0);
  loop->event_count = n > 0 ? n : 0;
  return n;
}

void iod_loop_interrupt(iod_loop_t *loop) { iod_wake_send(&loop->wake); }

/* ---- the turn ---- */

void iod_loop_clock(iod_loop_t *loop) {
  loop->now_us = iod_clock_us();
  loop->now = loop->now_us / 1000;
}

static void dispatch(iod_loop_t *loop, const iod_event_t *event) {
  if (iod_handle_generation(event->token) != 0) {
    iod_stream_t *s = iod_loop_find(loop, event->token);
    if (s) iod_stream_event(s, event->flags);
  } else if (event->token == TOKEN_WAKE) {
    iod_wake_clear(&loop->wake);
  } else {
    iod_source_t *source = &loop->sources[event->token - TOKEN_SOURCE];
    if (source->armed) source->on_ready(source->context);
  }
}

static void run_ready(iod_loop_t *loop) {
  iod_stream_t *s = loop->ready;
  loop->ready = NULL;
  loop->ready_tail = &loop->ready;
  while (s) {
    iod_stream_t *next = s->next;
    s->in_ready = false;
    s->next = NULL;
    if (s->fd >= 0)
      iod_stream_continue(s);
    else
      iod_loop_bury(loop, s);
    s = next;
  }
}

static void run_timers(iod_loop_t *loop) {
  for (iod_timer_t *t; (t = iod_timers_pop(&loop->timers, loop->now));) {
    if (t->kind == IOD_TIMER_STREAM)
      iod_stream_timeout((iod_stream_t *)(void *)t); /* its first member */
    else
      loop->on_timer(loop->context, t);
  }
}

void iod_loop_turn(iod_loop_t *loop) {
  atomic_fetch_add_explicit(&loop->turns, 1, memory_order_relaxed);
  iod_loop_clock(loop);
  int n = loop->event_count;
  loop->event_count = 0;
  for (int i = 0; i < n; i++) dispatch(loop, &loop->events[i]);
  run_ready(loop);
  run_timers(loop);
}

/* ---- streams ---- */

static uint32_t slot_of(const iod_stream_t *s) { return iod_handle_slot(s->handle); }

static bool slab_add(iod_loop_t *loop) {
  uint32_t block = 0;
  while (block < loop->slabs.count && loop->slabs.blocks[block]) block++;
  if (block == loop->slabs.count) {
    char **blocks = iod_realloc(loop->slabs.blocks, (block + 1) * sizeof *blocks);
    if (!blocks) return false;
    loop->slabs.blocks = blocks;
    uint32_t *used = iod_realloc(loop->slabs.used, (block + 1) * sizeof *used);
    if (!used) return false;
    loop->slabs.used = used;
    blocks[block] = NULL;
  }
  char *memory = iod_alloc_zero(SLAB * loop->slabs.element);
  if (!memory) return false;
  loop->slabs.blocks[block] = memory;
  loop->slabs.used[block] = 0;
  if (block == loop->slabs.count) loop->slabs.count++;
  for (uint32_t i = SLAB; i-- > 0;) {
    iod_stream_t *s = slot_at(loop, block * SLAB + i);
    s->fd = -1;
    s->handle = iod_handle_make(block * SLAB + i, 0);
    s->next = loop->free_list;
    loop->free_list = s;
  }
  return true;
}

/* Of a stream that was never told of. */
static void give_back(iod_loop_t *loop, iod_stream_t *s) {
  close(s->fd);
  s->fd = -1;
  loop->stream_count--;
  iod_loop_bury(loop, s);
}

static iod_stream_t *take(iod_loop_t *loop, int fd, const iod_stream_ops_t *ops) {
  if (!loop->free_list && !slab_add(loop)) {
    close(fd);
    return NULL;
  }
  iod_stream_t *s = loop->free_list;
  uint32_t slot = slot_of(s);
  loop->free_list = s->next;
  loop->slabs.used[slot / SLAB]++;
  loop->slabs.taken++;
  if (++loop->generation == 0) loop->generation = 1;
  memset(s, 0, loop->slabs.element);
  s->timer.kind = IOD_TIMER_STREAM;
  s->ops = ops;
  s->loop = loop;
  s->handle = iod_handle_make(slot, loop->generation);
  s->fd = fd;
  loop->stream_count++;
  if (iod_poller_add_stream(&loop->poller, fd, s->handle) == 0) return s;
  give_back(loop, s);
  return NULL;
}

iod_stream_t *iod_loop_open(iod_loop_t *loop, int fd, const iod_stream_ops_t *ops) {
  iod_stream_t *s = take(loop, fd, ops);
  if (!s) return NULL;
  s->writable = s->readable = true;
  iod_loop_ready(loop, s);
  return s;
}

iod_stream_t *iod_loop_connect(iod_loop_t *loop, int fd, const iod_stream_ops_t *ops) {
  iod_stream_t *s = take(loop, fd, ops);
  if (!s) return NULL;
  s->connecting = s->watched = true;
  if (iod_poller_watch_writes(&loop->poller, fd, s->handle) == 0) return s;
  iod_poller_remove(&loop->poller, fd);
  give_back(loop, s);
  return NULL;
}

iod_stream_t *iod_loop_find(iod_loop_t *loop, iod_handle_t handle) {
  uint32_t slot = iod_handle_slot(handle);
  if (slot / SLAB >= loop->slabs.count || !loop->slabs.blocks[slot / SLAB]) return NULL;
  iod_stream_t *s = slot_at(loop, slot);
  return s->handle == handle && s->fd >= 0 ? s : NULL;
}

void iod_loop_ready(iod_loop_t *loop, iod_stream_t *s) {
  if (s->in_ready) return;
  s->in_ready = true;
  s->next = NULL;
  *loop->ready_tail = s;
  loop->ready_tail = &s->next;
}

void iod_loop_bury(iod_loop_t *loop, iod_stream_t *s) {
  if (s->in_ready || s->in_corked) return; /* run_ready and iod_loop_uncork come past and do it */
  s->next = loop->dead;
  loop->dead = s;
}

void iod_loop_cork(iod_loop_t *loop, iod_stream_t *s) {
  s->corked = true;
  if (s->in_corked) return;
  s->in_corked = true;
  s->next_corked = NULL;
  if (!loop->corked) atomic_store(&loop->corked_since, loop->now);
  *loop->corked_tail = s;
  loop->corked_tail = &s->next_corked;
}

bool iod_loop_uncork(iod_loop_t *loop, unsigned most) {
  for (iod_stream_t *s; most > 0 && (s = loop->corked); most--) {
    loop->corked = s->next_corked;
    if (!loop->corked) loop->corked_tail = &loop->corked;
    s->in_corked = false;
    if (s->fd >= 0)
      iod_stream_flush(s);
    else
      iod_loop_bury(loop, s);
  }
  atomic_store(&loop->corked_since, loop->corked ? loop->now : 0); /* who is at it needs no help */
  return !loop->corked;
}

/* A block whose streams are all free goes back to the system, but one is kept: the count must not flutter at its edge.
 */
static void slab_trim(iod_loop_t *loop, uint32_t block) {
  if (loop->slabs.used[block] > 0 || loop->slabs.taken < SLAB) return;
  for (iod_stream_t **link = &loop->free_list; *link;) {
    if (slot_of(*link) / SLAB == block)
      *link = (*link)->next;
    else
      link = &(*link)->next;
  }
  iod_free(loop->slabs.blocks[block]);
  loop->slabs.blocks[block] = NULL;
}

static void reap(iod_loop_t *loop) {
  while (loop->dead) {
    iod_stream_t *s = loop->dead;
    uint32_t slot = slot_of(s);
    loop->dead = s->next;
    s->handle = iod_handle_make(slot, 0);
    s->next = loop->free_list;
    loop->free_list = s;
    loop->slabs.used[slot / SLAB]--;
    loop->slabs.taken--;
    slab_trim(loop, slot / SLAB);
  }
}

/* ---- the state lock ---- */

void iod_loop_unlock(iod_loop_t *loop) {
  if (loop->dead) reap(loop);
  uint64_t due = loop->ready ? 0 : iod_timers_next(&loop->timers);
  if (atomic_load_explicit(&loop->next_due, memory_order_relaxed) != due) atomic_store(&loop->next_due, due);
  uint64_t sleeping = atomic_load(&loop->sleeping);
  bool wake = sleeping != 0 && due < sleeping;
  pthread_mutex_unlock(&loop->state);
  if (wake) iod_loop_interrupt(loop);
}

/* ---- sources ---- */

int iod_loop_source_add(iod_loop_t *loop, int fd, void (*on_ready)(void *context), void *context) {
  for (int i = 0; i < IOD_SOURCES; i++) {
    if (loop->sources[i].fd >= 0) continue;
    loop->sources[i] = (iod_source_t){.fd = fd, .on_ready = on_ready, .context = context};
    return i;
  }
  return IOD_E_FULL;
}

void iod_loop_source_arm(iod_loop_t *loop, int source, bool armed) {
  iod_source_t *s = &loop->sources[source];
  if (s->fd < 0 || s->armed == armed) return;
  if (!armed)
    iod_poller_remove(&loop->poller, s->fd);
  else if (iod_poller_add_source(&loop->poller, s->fd, (uint64_t)(TOKEN_SOURCE + source)))
    return; /* out of memory in the kernel: the next try may do better */
  s->armed = armed;
}
