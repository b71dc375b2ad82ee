#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/reactor/loop.h"
#include "../../../ext/iodine/reactor/socket.h"
#include "../test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A stream that keeps what it is told. */
typedef struct probe {
  iod_stream_t stream;
  int unused;
} probe_t;

static char seen[1 << 16];
static size_t seen_length, take_at_most;
static int eofs, closes, hangups, timeouts, writtens;

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  (void)s;
  size_t n = take_at_most && length > take_at_most ? take_at_most : length;
  memcpy(seen + seen_length, bytes, n);
  seen_length += n;
  return n;
}
static void on_eof(iod_stream_t *s) {
  eofs++;
  iod_stream_finish(s);
}
static void on_hangup(iod_stream_t *s) { (void)s, hangups++; }
static void on_written(iod_stream_t *s) { (void)s, writtens++; }
static void on_timeout(iod_stream_t *s) {
  timeouts++;
  iod_stream_close(s);
}
static void on_close(iod_stream_t *s) { (void)s, closes++; }
static const iod_stream_ops_t ops = {.on_data = on_data,
                                     .on_eof = on_eof,
                                     .on_hangup = on_hangup,
                                     .on_written = on_written,
                                     .on_timeout = on_timeout,
                                     .on_close = on_close};

static void forget(void) {
  seen_length = take_at_most = 0;
  eofs = closes = hangups = timeouts = writtens = 0;
}

static void turn(iod_loop_t *loop, int max_ms) {
  CHECK(iod_loop_claim(loop));
  CHECK(iod_loop_poll(loop, max_ms) >= 0);
  iod_loop_lock(loop);
  iod_loop_turn(loop);
  iod_loop_unlock(loop);
  iod_loop_yield(loop);
}

static iod_stream_t *stream_on(iod_loop_t *loop, int ends[2]) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK_INT(iod_socket_prepare(ends[0]), 0);
  iod_loop_lock(loop);
  iod_stream_t *s = iod_loop_open(loop, ends[0], &ops);
  iod_loop_unlock(loop);
  return s;
}

static void say(int fd, const char *text) { CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text)); }

TEST(loop_reads) {
  test_case("bytes come, are kept while paused, and come again when resumed");
  iod_loop_t loop;
  int ends[2];
  forget();
  CHECK_INT(iod_loop_init(&loop, sizeof(probe_t)), 0);
  iod_stream_t *s = stream_on(&loop, ends);
  say(ends[1], "one");
  turn(&loop, 100);
  turn(&loop, 0);
  CHECK_BYTES(seen, seen_length, "one");
  CHECK(s->input.bytes == NULL);

  s->paused = true;
  say(ends[1], "two");
  turn(&loop, 100);
  CHECK_BYTES(seen, seen_length, "one");
  iod_loop_lock(&loop);
  iod_stream_resume(s);
  iod_loop_unlock(&loop);
  turn(&loop, 100);
  CHECK_BYTES(seen, seen_length, "onetwo");
  iod_loop_deinit(&loop);
  CHECK_INT(closes, 1);
  close(ends[1]);
}

TEST(loop_handles) {
  test_case("a stale handle reaches nothing, though its slot is used again");
  iod_loop_t loop;
  int first[2], second[2];
  forget();
  CHECK_INT(iod_loop_init(&loop, sizeof(probe_t)), 0);
  iod_handle_t old = stream_on(&loop, first)->handle;
  iod_loop_lock(&loop);
  CHECK(iod_loop_find(&loop, old) != NULL);
  iod_stream_close(iod_loop_find(&loop, old));
  CHECK(iod_loop_find(&loop, old) == NULL);
  iod_loop_unlock(&loop);
  turn(&loop, 0);
  iod_handle_t new = stream_on(&loop, second)->handle;
  CHECK_INT(iod_handle_slot(new), iod_handle_slot(old));
  CHECK(iod_loop_find(&loop, old) == NULL && iod_loop_find(&loop, new) != NULL);
  CHECK(iod_loop_find(&loop, 0) == NULL && iod_loop_find(&loop, UINT64_MAX) == NULL);
  iod_loop_deinit(&loop);
  close(first[1]), close(second[1]);
}

TEST(loop_hangup) {
  test_case("FIN while paused is told at once, and read later; a reset closes");
  iod_loop_t loop;
  int ends[2];
  forget();
  CHECK_INT(iod_loop_init(&loop, sizeof(probe_t)), 0);
  iod_stream_t *s = stream_on(&loop, ends);
  turn(&loop, 0);
  s->paused = true;
  shutdown(ends[1], SHUT_WR);
  turn(&loop, 100);
  CHECK_INT(hangups, 1);
  CHECK_INT(eofs, 0);
  iod_loop_lock(&loop);
  iod_stream_resume(s);
  iod_loop_unlock(&loop);
  turn(&loop, 100);
  CHECK_INT(eofs, 1);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);
  close(ends[1]);
}

TEST(loop_timeouts) {
  test_case("a deadline fires once, a later one put off doesn't");
  iod_loop_t loop;
  int ends[2];
  forget();
  CHECK_INT(iod_loop_init(&loop, sizeof(probe_t)), 0);
  iod_stream_t *s = stream_on(&loop, ends);
  turn(&loop, 0);
  iod_loop_lock(&loop);
  iod_stream_deadline(s, loop.now + 20);
  iod_stream_deadline(s, loop.now + 60);
  uint64_t due = loop.now + 60;
  iod_loop_unlock(&loop);
  for (int i = 0; i < 20 && !timeouts; i++) turn(&loop, -1);
  CHECK_INT(timeouts, 1);
  CHECK(iod_clock_ms() >= due);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);
  close(ends[1]);
}

TEST(loop_many) {
  test_case("hundreds of streams come and go, and their memory goes too");
  enum { MANY = 400 };
  static int ends[MANY][2];
  iod_loop_t loop;
  forget();
  CHECK_INT(iod_loop_init(&loop, sizeof(probe_t)), 0);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < MANY; i++) CHECK(stream_on(&loop, ends[i]) != NULL);
    CHECK_INT(loop.stream_count, MANY);
    for (int i = 0; i < MANY; i++) close(ends[i][1]);
    for (int i = 0; i < 20 && loop.stream_count; i++) turn(&loop, 0);
    CHECK_INT(loop.stream_count, 0);
    uint32_t blocks = 0;
    for (uint32_t i = 0; i < loop.slabs.count; i++) blocks += loop.slabs.blocks[i] != NULL;
    CHECK(blocks <= 1);
  }
  CHECK_INT(closes, 2 * MANY);
  iod_loop_deinit(&loop);
}

TEST(loop_linger) {
  test_case("an answer reaches a peer that is still sending");
  iod_loop_t loop;
  int ends[2];
  char got[16];
  forget();
  CHECK_INT(iod_loop_init(&loop, sizeof(probe_t)), 0);
  iod_stream_t *s = stream_on(&loop, ends);
  turn(&loop, 0);
  s->paused = true;
  say(ends[1], "never read");
  turn(&loop, 100);
  iod_segment_t answer = {.kind = IOD_SEGMENT_BYTES, .bytes = "no", .length = 2};
  iod_loop_lock(&loop);
  CHECK_INT(iod_stream_send(s, &answer, 1), 0);
  iod_stream_finish(s);
  iod_loop_unlock(&loop);
  CHECK(s->lingering);
  turn(&loop, 0);
  say(ends[1], "and more");
  CHECK_BYTES(got, (size_t)read(ends[1], got, sizeof got), "no");
  CHECK_INT(read(ends[1], got, sizeof got), 0);
  close(ends[1]);
  for (int i = 0; i < 5 && !closes; i++) turn(&loop, 100);
  CHECK_INT(closes, 1);
  iod_loop_deinit(&loop);
}

static void life(void) {
  iod_loop_t loop;
  int ends[2];
  forget();
  if (iod_loop_init(&loop, sizeof(probe_t))) return;
  if (stream_on(&loop, ends)) {
    take_at_most = 1; /* the rest must be kept */
    say(ends[1], "x");
    turn(&loop, 0);
  }
  iod_loop_deinit(&loop);
  close(ends[1]);
}

TEST(loop_without_memory) {
  test_case("each allocation of a loop may fail");
  test_each_allocation_fails(life);
}
