#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/log.h"
#include "../test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char written[8192];
static int saved_stderr, ends[2];

static void capture(void) {
  fflush(stderr);
  saved_stderr = dup(STDERR_FILENO);
  if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) abort();
}

static size_t captured(void) {
  dup2(saved_stderr, STDERR_FILENO);
  close(saved_stderr);
  close(ends[1]);
  size_t length = 0;
  for (ssize_t n; (n = read(ends[0], written + length, sizeof(written) - length)) > 0;) length += (size_t)n;
  close(ends[0]);
  return length;
}

TEST(log_lines_have_a_level) {
  capture();
  iod_log(IOD_LOG_ERROR, "can't bind %s:%d", "127.0.0.1", 80);
  iod_log(IOD_LOG_FATAL, "no");
  iod_log(IOD_LOG_WARNING, "no");
  iod_log(IOD_LOG_INFO, "no");
  iod_log(IOD_LOG_DEBUG, "dropped");
  iod_log(IOD_LOG_NONE, "dropped");
  size_t length = captured();
  CHECK_BYTES(written, length, "ERROR: can't bind 127.0.0.1:80\nFATAL: no\nWARNING: no\nINFO: no\n");
}

TEST(log_level_is_a_setting) {
  iod_log_level = IOD_LOG_ERROR;
  capture();
  iod_log(IOD_LOG_WARNING, "dropped");
  iod_log(IOD_LOG_ERROR, "shown");
  size_t length = captured();
  iod_log_level = IOD_LOG_INFO;
  CHECK_BYTES(written, length, "ERROR: shown\n");
}

TEST(log_lines_give_no_orders) {
  capture();
  iod_log(IOD_LOG_ERROR, "%s", "a\x1b[2J\rb\x7f\n\tc\xc3\xa9");
  size_t length = captured();
  CHECK_BYTES(written, length, "ERROR: a?[2J?b?\n\tc\xc3\xa9\n");
}

TEST(log_keeps_errno) {
  capture();
  errno = ENOENT;
  iod_log(IOD_LOG_INFO, "line");
  CHECK_INT(errno, ENOENT);
  captured();
}

TEST(log_lines_may_be_long) {
  static char text[3001];
  for (size_t length = 1000; length < 3000; length += length < 1040 ? 1 : 700) {
    memset(text, 'x', length);
    text[length] = '\0';
    capture();
    iod_log(IOD_LOG_INFO, "%s", text);
    CHECK_INT(captured(), length + 7);
    CHECK_BYTES(written + 6, length, text);
    CHECK_INT(written[length + 6], '\n');

    capture();
    iod_alloc_countdown = 0;
    iod_log(IOD_LOG_INFO, "%s", text); /* without memory for all of it: cut */
    iod_alloc_countdown = -1;
    size_t cut = captured();
    CHECK_INT(cut, length + 7 > 1024 ? 1024 : length + 7);
    CHECK_INT(written[cut - 1], '\n');
  }
}

TEST(log_counts_what_is_lost) {
  signal(SIGPIPE, SIG_IGN);
  capture();
  close(ends[0]);
  iod_log(IOD_LOG_INFO, "nobody reads");
  iod_log(IOD_LOG_INFO, "nobody reads");
  captured();
  capture();
  iod_log(IOD_LOG_INFO, "somebody does");
  iod_log(IOD_LOG_INFO, "again");
  size_t length = captured();
  CHECK_BYTES(written, length,
              "INFO: somebody does\nWARNING: 2 lines of the log were lost: Broken pipe\nINFO: again\n");
}
