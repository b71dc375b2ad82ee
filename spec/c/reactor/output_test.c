#include "../../../ext/iodine/reactor/output.h"
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int released[3];

static void release(void *context, void *token) {
  (void)context;
  released[*(int *)token]++;
}

static const iod_releaser_t releaser = {.release = release};
static int tokens[3] = {0, 1, 2};

static int file_of(const char *bytes) {
  FILE *f = tmpfile();
  int fd = dup(fileno(f));
  size_t n = strlen(bytes);
  CHECK(write(fd, bytes, n) == (ssize_t)n);
  fclose(f);
  return fd;
}

static void pair(int ends[2]) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static iod_segment_t bytes_of(const char *s) {
  return (iod_segment_t){.kind = IOD_SEGMENT_BYTES, .bytes = s, .length = strlen(s)};
}

static iod_segment_t shared_of(const char *s, int token) {
  return (iod_segment_t){.kind = IOD_SEGMENT_SHARED, .bytes = s, .length = strlen(s), .release = &tokens[token]};
}

TEST(output_order) {
  test_case("bytes, shared memory and a file leave in the order they were added");
  iod_output_t out = {0};
  int ends[2];
  char got[64] = "";
  pair(ends);
  memset(released, 0, sizeof released);
  iod_segment_t file = {.kind = IOD_SEGMENT_FILE, .fd = file_of("0123456789"), .offset = 2, .length = 5};
  iod_segment_t all[] = {bytes_of("head "), bytes_of("more "), shared_of("shared ", 0), file, bytes_of(" end")};
  for (int i = 0; i < 5; i++) CHECK_INT(iod_output_add(&out, &all[i], &releaser), 0);
  CHECK_INT(out.pending, 5 + 5 + 7 + 5 + 4);
  CHECK_INT(iod_output_write(&out, ends[0], 1 << 20, &releaser), 1);
  CHECK_INT(out.pending, 0);
  ssize_t n = read(ends[1], got, sizeof got);
  CHECK_BYTES(got, (size_t)n, "head more shared 23456 end");
  CHECK_INT(released[0], 1);
  CHECK(fcntl(file.fd, F_GETFD) < 0);
  close(ends[0]), close(ends[1]);
}

TEST(output_backpressure) {
  test_case("what a full socket doesn't take waits, and nothing is lost or doubled");
  enum { SIZE = 1 << 20 };
  iod_output_t out = {0};
  int ends[2], rounds = 0;
  pair(ends);
  memset(released, 0, sizeof released);
  char *sent = malloc(SIZE), *got = malloc(SIZE);
  for (size_t i = 0; i < SIZE; i++) sent[i] = (char)(i * 31 + i / 4096);
  iod_segment_t big = {.kind = IOD_SEGMENT_SHARED, .bytes = sent, .length = SIZE, .release = &tokens[1]};
  CHECK_INT(iod_output_add(&out, &big, &releaser), 0);
  size_t length = 0;
  while (length < SIZE && rounds++ < 10000) {
    int state = iod_output_write(&out, ends[0], 64 * 1024, &releaser);
    CHECK(state >= 0);
    CHECK_INT(released[1], state == 1);
    ssize_t n = read(ends[1], got + length, SIZE - length);
    if (n > 0) length += (size_t)n;
  }
  CHECK(length == SIZE && memcmp(sent, got, SIZE) == 0);
  CHECK_INT(released[1], 1);
  close(ends[0]), close(ends[1]);
  free(sent), free(got);
}

TEST(output_ends) {
  test_case("a peer that is gone, and a file that shrank, are told");
  iod_output_t out = {0};
  int ends[2];
  pair(ends);
  iod_segment_t file = {.kind = IOD_SEGMENT_FILE, .fd = file_of("short"), .length = 100};
  CHECK_INT(iod_output_add(&out, &file, &releaser), 0);
  CHECK_INT(iod_output_write(&out, ends[0], 1 << 20, &releaser), IOD_E_CLOSED);
  iod_output_clear(&out, &releaser);
  CHECK(fcntl(file.fd, F_GETFD) < 0);
  close(ends[1]);
  iod_segment_t late = bytes_of("too late");
  CHECK_INT(iod_output_add(&out, &late, &releaser), 0);
  CHECK_INT(iod_output_write(&out, ends[0], 1 << 20, &releaser), IOD_E_CLOSED);
  iod_output_clear(&out, &releaser);
  CHECK_INT(out.pending, 0);
  close(ends[0]);
}

static void add_all(void) {
  iod_output_t out = {0};
  memset(released, 0, sizeof released);
  iod_segment_t all[] = {
      bytes_of("a"), shared_of("b", 2), {.kind = IOD_SEGMENT_FILE, .fd = open("/dev/null", O_RDONLY), .length = 1}};
  size_t kept = 0;
  for (int i = 0; i < 3; i++) kept += iod_output_add(&out, &all[i], &releaser) == 0;
  CHECK_INT(out.pending, kept);
  iod_output_clear(&out, &releaser);
  CHECK_INT(released[2], 1);
  CHECK(fcntl(all[2].fd, F_GETFD) < 0);
}

TEST(output_without_memory) {
  test_case("a segment that could not be queued is let go of all the same");
  test_each_allocation_fails(add_all);
}
