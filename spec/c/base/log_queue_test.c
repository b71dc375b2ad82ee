#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/base/log.h"
#include "../../../ext/iodine/base/log_queue.h"
#include "../test.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const _Atomic bool never = false;
static int saved_stderr, ends[2];

static void capture(void) {
  saved_stderr = dup(STDERR_FILENO);
  if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) abort();
}

static void release(void) {
  dup2(saved_stderr, STDERR_FILENO);
  close(saved_stderr), close(ends[0]), close(ends[1]);
}

static iod_log_line_t *next_line(void) {
  (void)iod_log_queue_wait(&never);
  return iod_log_queue_take();
}

/* What stderr gets within that time. */
static size_t heard(char *room, size_t size, int ms) {
  struct pollfd ready = {.fd = ends[0], .events = POLLIN};
  return poll(&ready, 1, ms) > 0 ? (size_t)read(ends[0], room, size) : 0;
}

TEST(log_queue_hands_over) {
  char room[256];
  capture();
  CHECK_INT(iod_log_queue_open(), 0);
  CHECK_INT(iod_log_queue_open(), 0);
  test_case("in order, with their levels");
  iod_log(IOD_LOG_ERROR, "one %d", 1);
  iod_log(IOD_LOG_INFO, "two");
  iod_log_line_t *line = next_line();
  CHECK_INT(line->level, IOD_LOG_ERROR);
  CHECK_BYTES(line->text, line->length, "one 1");
  iod_free(line);
  line = next_line();
  CHECK_BYTES(line->text, line->length, "two");
  iod_free(line);

  test_case("what nobody takes comes to stderr in the end");
  iod_log(IOD_LOG_WARNING, "nobody listens");
  CHECK_BYTES(room, heard(room, sizeof room, 20000), "WARNING: nobody listens\n");

  test_case("so does what waits when it is closed, and all that comes then");
  iod_log(IOD_LOG_WARNING, "waits");
  iod_log_queue_close();
  CHECK_BYTES(room, heard(room, sizeof room, 20000), "WARNING: waits\n");
  iod_log(IOD_LOG_INFO, "later");
  CHECK_BYTES(room, heard(room, sizeof room, 20000), "INFO: later\n");
  CHECK(next_line() == NULL);
  release();
}

static void *wait_for_one(void *cancelled) {
  (void)iod_log_queue_wait(cancelled);
  return NULL;
}

TEST(log_queue_can_be_left) {
  static _Atomic bool cancelled;
  void *line = &cancelled;
  pthread_t taker;
  test_case("who waits is woken, and by the end too");
  CHECK_INT(iod_log_queue_open(), 0);
  CHECK_INT(pthread_create(&taker, NULL, wait_for_one, &cancelled), 0);
  atomic_store(&cancelled, true);
  iod_log_queue_wake();
  CHECK(pthread_join(taker, &line) == 0 && line == NULL);
  line = &cancelled;
  CHECK_INT(pthread_create(&taker, NULL, wait_for_one, (void *)(uintptr_t)&never), 0);
  iod_log_queue_close();
  CHECK(pthread_join(taker, &line) == 0 && line == NULL);
}

TEST(log_queue_of_a_fork) {
  char room[256];
  capture();
  CHECK_INT(iod_log_queue_open(), 0);
  test_case("a forked copy writes its own lines to stderr, and none of the parent's");
  iod_log(IOD_LOG_INFO, "the parent's");
  pid_t child = fork();
  if (child == 0) {
    iod_log_queue_forked();
    iod_log(IOD_LOG_INFO, "the child's");
    _exit(0);
  }
  CHECK(waitpid(child, NULL, 0) == child);
  iod_log_line_t *line = next_line();
  if (line) CHECK_BYTES(line->text, line->length, "the parent's");
  iod_free(line);
  size_t length = heard(room, sizeof room, 20000);
  CHECK(length >= 18 && memcmp(room + length - 18, "INFO: the child's\n", 18) == 0);
  iod_log_queue_close();
  release();
}
