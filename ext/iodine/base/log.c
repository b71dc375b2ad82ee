#include "log.h"

#include "alloc.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
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
static bool is_file(void) {
  struct stat sink;
  return fstat(STDERR_FILENO, &sink) == 0 && S_ISREG(sink.st_mode);
}

/* What goes out in one write to a pipe: no line is cut where it can be helped, since other processes write there too.
 */
static size_t whole_lines(const char *bytes, size_t length) {
  if (length <= STEP || is_file()) return length;
  size_t step = STEP;
  while (step > 0 && bytes[step - 1] != '\n') step--;
  return step > 0 ? step : STEP;
}

size_t iod_log_write(const char *bytes, size_t length) {
  size_t written = 0;
  while (written < length) {
    struct pollfd sink = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&sink, 1, 0) <= 0) break; /* full: whoever reads it stands still, and we must not */
    size_t step = whole_lines(bytes + written, length - written);
    ssize_t n = write(STDERR_FILENO, bytes + written, step);
    if (n > 0) written += (size_t)n;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0 && errno != EINTR) return length; /* closed: nobody reads these lines any more */
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
  defuse(line, length);
  line[length] = '\n'; /* in the place of the terminator */
  (void)iod_log_write(line, length + 1);
  iod_free(large);
  va_end(again);
  va_end(arguments);
  errno = saved_errno;
}
