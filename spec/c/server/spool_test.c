#include "../../../ext/iodine/server/spool.h"
#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(spool_memory) {
  test_case("up to the limit a body stays in memory");
  iod_spool_t spool;
  iod_spool_init(&spool, 5);
  CHECK_INT(iod_spool_append(&spool, "hel", 3), 0);
  CHECK_INT(iod_spool_append(&spool, "lo", 2), 0);
  CHECK_INT(spool.fd, -1);
  CHECK_BYTES(spool.memory.bytes, (size_t)spool.length, "hello");
  iod_spool_deinit(&spool);
}

TEST(spool_file) {
  test_case("past it, it is in a file without a name");
  enum { SIZE = IOD_SPOOL_MEMORY + 1 };
  char *body = malloc(SIZE), *got = malloc(SIZE);
  struct stat file;
  iod_spool_t spool;
  for (size_t i = 0; i < SIZE; i++) body[i] = (char)(i * 7);
  iod_spool_init(&spool, 0);
  for (size_t at = 0; at < SIZE; at += 1000)
    CHECK_INT(iod_spool_append(&spool, body + at, SIZE - at < 1000 ? SIZE - at : 1000), 0);
  CHECK_INT(iod_spool_end(&spool), 0);
  CHECK(spool.fd >= 0);
  CHECK(spool.memory.bytes == NULL);
  CHECK_INT(fstat(spool.fd, &file), 0);
  CHECK_INT(file.st_nlink, 0);
  CHECK_INT(file.st_size, SIZE);
  CHECK(pread(spool.fd, got, SIZE, 0) == SIZE && memcmp(body, got, SIZE) == 0);
  iod_spool_deinit(&spool);
  free(body), free(got);
}

TEST(spool_gathers) {
  test_case("pieces of any size come to the file in order, small ones together");
  static char body[400 * 1024], got[sizeof body];
  static const size_t sizes[] = {IOD_SPOOL_MEMORY, 1, 2, IOD_SPOOL_GATHER, 3, IOD_SPOOL_GATHER - 1, 1, 1, 100000, 5};
  struct stat file;
  iod_spool_t spool;
  size_t at = 0;
  for (size_t i = 0; i < sizeof body; i++) body[i] = (char)(i * 11 >> 3);
  iod_spool_init(&spool, 0);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; at += sizes[i++])
    CHECK_INT(iod_spool_append(&spool, body + at, sizes[i]), 0);
  CHECK_INT(iod_spool_append(&spool, body + at, 1), 0);
  CHECK_INT(fstat(spool.fd, &file), 0);
  CHECK_INT(file.st_size, at - 5);
  CHECK_INT(iod_spool_end(&spool), 0);
  CHECK_INT(spool.length, at + 1);
  CHECK(pread(spool.fd, got, sizeof got, 0) == (ssize_t)(at + 1) && memcmp(body, got, at + 1) == 0);
  iod_spool_deinit(&spool);
}

TEST(spool_fails) {
  test_case("a folder that isn't there is an error, not a crash");
  static char big[IOD_SPOOL_MEMORY + 1];
  iod_spool_t spool;
  char *before = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
  setenv("TMPDIR", "/nonexistent/folder", 1);
  iod_spool_init(&spool, 0);
  CHECK_INT(iod_spool_append(&spool, big, sizeof big), IOD_E_SYSTEM);
  iod_spool_deinit(&spool);
  if (before)
    setenv("TMPDIR", before, 1);
  else
    unsetenv("TMPDIR");
  free(before);
}
