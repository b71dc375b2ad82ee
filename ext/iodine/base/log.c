#include "log.h"

#include "alloc.h"
#include "log_queue.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  ROOM = 1024,
  STEP =
      4096, /* PIPE_BUF: a pipe that can be written takes so much at once, and doesn't mix it with other processes' */
};

int iod_log_level = IOD_LOG_INFO;

static const char *const PREFIXES[] = {"", "FATAL: ", "ERROR: ", "WARNING: ", "INFO: ", "DEBUG: "};

/* A file takes everything at once and never makes us wait. */
static bool is_file(int fd) {
  struct stat sink;
  return fstat(fd, &sink) == 0 && S_ISREG(sink.st_mode);
}

/* What goes out in one write to a pipe: no line is cut where it can be helped, since other processes write there too.
 */
static size_t whole_lines(int fd, const char *bytes, size_t length) {
  if (length <= STEP || is_file(fd)) return length;
  size_t step = STEP;
  while (step > 0 && bytes[step - 1] != '\n') step--;
  return step > 0 ? step : STEP;
}

size_t iod_log_write(int fd, const char *bytes, size_t length, int *error) {
  size_t written = 0;
  *error = 0;
  while (written < length) {
    struct pollfd sink = {.fd = fd, .events = POLLOUT};
    if (poll(&sink, 1, 0) <= 0) break; /* full: whoever reads it stands still, and we must not */
    ssize_t n = write(fd, bytes + written, whole_lines(fd, bytes + written, length - written));
    if (n > 0) written += (size_t)n;
    if (n >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN) *error = errno;
    break;
  }
  return written;
}

/* The whole line at `line`, as much of it as there is room for. Returns its full length, without the end of line. */
static size_t print_line(char *line, size_t room, const char *prefix, const char *format, va_list arguments) {
  size_t prefix_length = strlen(prefix);
  memcpy(line, prefix, prefix_length);
  int n = vsnprintf(line + prefix_length, room - prefix_length, format, arguments);
  return n < 0 ? prefix_length : prefix_length + (size_t)n;
}

/* What came from outside, in an exception's message, must not reach a terminal as an order. */
static void defuse(char *line, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)line[i];
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) line[i] = '?';
  }
}

/* ---- lines that nobody took ---- */

static _Atomic unsigned lost;
static _Atomic int why_lost;

static void write_line(const char *line, size_t length) {
  int error;
  if (iod_log_write(STDERR_FILENO, line, length, &error) == length) return;
  atomic_store(&why_lost, error);
  atomic_fetch_add(&lost, 1);
}

/* Once lines are taken again. */
static void say_lost(void) {
  char line[160];
  unsigned lines = atomic_load(&lost) ? atomic_exchange(&lost, 0) : 0;
  if (!lines || iod_log_level < IOD_LOG_WARNING) return;
  int error = atomic_load(&why_lost);
  int length = snprintf(line, sizeof line, "%s%u lines of the log were lost: %s\n", PREFIXES[IOD_LOG_WARNING], lines,
                        error ? strerror(error) : "it was not read for too long");
  write_line(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
  if (atomic_load(&lost)) atomic_fetch_add(&lost, lines - 1); /* this one was no more taken than those */
}

void iod_log_stderr(const char *line, size_t length) {
  unsigned before = atomic_load(&lost);
  write_line(line, length);
  if (before && atomic_load(&lost) == before) say_lost();
}

/* ---- lines ---- */

static void finish(int level, char *line, size_t length) {
  size_t prefix = strlen(PREFIXES[level]);
  defuse(line, length);
  if (iod_log_hand_over(level, line + prefix, length - prefix)) return;
  line[length] = '\n'; /* in the place of the terminator */
  iod_log_stderr(line, length + 1);
}

void iod_log(int level, const char *format, ...) {
  if (level <= IOD_LOG_NONE || level > IOD_LOG_DEBUG || level > iod_log_level) return;
  int saved_errno = errno;
  char small[ROOM], *line = small, *large = NULL;
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t length = print_line(small, ROOM, PREFIXES[level], format, arguments);
  if (length >= ROOM && (large = iod_alloc(length + 1))) {
    line = large;
    print_line(large, length + 1, PREFIXES[level], format, again);
  } else if (length >= ROOM) {
    length = ROOM - 1; /* a cut line is better than none */
  }
  finish(level, line, length);
  iod_free(large);
  va_end(again);
  va_end(arguments);
  errno = saved_errno;
}

void iod_log_print(int level, const char *text, size_t length) {
  char prefix[16];
  int n = snprintf(prefix, sizeof prefix, "%s", PREFIXES[level]);
  char *line = iod_alloc((size_t)n + length + 1);
  if (!line) return;
  memcpy(line, prefix, (size_t)n);
  memcpy(line + n, text, length);
  line[(size_t)n + length] = '\n';
  iod_log_stderr(line, (size_t)n + length + 1);
  iod_free(line);
}
