#include "access_log.h"

#include "../base/log.h"

#include <string.h>

enum { KEEP = 1 << 20 /* bytes of lines that wait at most: a sink that stands still costs lines, not memory */ };

void iod_access_log_init(iod_access_log_t *log, iod_access_sink_t sink, iod_count_t *lost_lines) {
  *log = (iod_access_log_t){.sink = sink, .lost_lines = lost_lines};
  pthread_mutex_init(&log->writing, NULL);
}

void iod_access_log_deinit(iod_access_log_t *log) {
  while (atomic_load(&log->waiting) && iod_access_log_take(log) && iod_access_log_write(log)) {}
  iod_buffer_deinit(&log->lines);
  iod_buffer_deinit(&log->batch);
  pthread_mutex_destroy(&log->writing);
}

void iod_access_log_add(iod_access_log_t *log, const iod_access_entry_t *entry) {
  size_t room = iod_access_line_room(entry, log->sink.json);
  if (iod_buffer_length(&log->lines) + room > KEEP || iod_buffer_reserve(&log->lines, room)) {
    log->dropped++;
    iod_count_add_shared(log->lost_lines, 1);
    return;
  }
  char *line = iod_buffer_tail(&log->lines);
  char *end = (log->sink.json ? iod_access_line_json : iod_access_line_clf)(line, entry, &log->clock);
  iod_buffer_extend(&log->lines, (size_t)(end - line));
  atomic_store_explicit(&log->waiting, iod_buffer_length(&log->lines), memory_order_relaxed);
}

/* ---- writing ---- */

static void say_lost(uint64_t lines, const char *why) {
  iod_log(IOD_LOG_WARNING, "%llu lines of the access log were lost: %s", (unsigned long long)lines, why);
}

bool iod_access_log_take(iod_access_log_t *log) {
  if (pthread_mutex_trylock(&log->writing)) return false;
  if (iod_buffer_length(&log->batch) > 0) return true; /* the sink stands still: go on with what is left */
  iod_buffer_t swap = log->batch;
  log->batch = log->lines;
  log->lines = swap;
  iod_buffer_clear(&log->lines);
  atomic_store_explicit(&log->waiting, 0, memory_order_relaxed);
  if (log->dropped > 0) say_lost(log->dropped, "it was not read for too long");
  log->dropped = 0;
  return true;
}

static uint64_t count_lines(const char *bytes, size_t length) {
  uint64_t lines = 0;
  for (const char *at = bytes; (at = memchr(at, '\n', length - (size_t)(at - bytes))); at++) lines++;
  return lines;
}

/* Its sink takes nothing, now or ever: nobody waits for it. */
static void lose_batch(iod_access_log_t *log, int error) {
  uint64_t lines = count_lines(iod_buffer_head(&log->batch), iod_buffer_length(&log->batch));
  log->lost += lines;
  log->error = error;
  iod_count_add_shared(log->lost_lines, lines);
  iod_buffer_clear(&log->batch);
}

/* Half a line is there from the time before it failed. */
static int mend(iod_access_log_t *log) {
  int error = 0;
  if (log->cut && iod_log_write(log->sink.fd, "\n", 1, &error) == 1) log->cut = false;
  return error;
}

/* False: it was lost. */
static bool write_batch(iod_access_log_t *log) {
  int error = mend(log);
  if (!error && !log->cut) {
    size_t n = iod_log_write(log->sink.fd, iod_buffer_head(&log->batch), iod_buffer_length(&log->batch), &error);
    log->cut = n > 0 && iod_buffer_head(&log->batch)[n - 1] != '\n';
    iod_buffer_consume(&log->batch, n);
  }
  if (error) lose_batch(log, error);
  return error == 0;
}

bool iod_access_log_write(iod_access_log_t *log) {
  bool any = iod_buffer_length(&log->batch) > 0, works = write_batch(log);
  size_t left = iod_buffer_length(&log->batch);
  if (left > 0) {
    atomic_store(&log->waiting, left);
    log->cut = false; /* it goes on where it stopped */
  } else if (any && works && log->lost > 0) {
    say_lost(log->lost, strerror(log->error));
    log->lost = 0;
  }
  pthread_mutex_unlock(&log->writing);
  return left == 0;
}
