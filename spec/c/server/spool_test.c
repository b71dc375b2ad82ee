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
  CHECK(spool.file == NULL);
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
  CHECK(spool.file != NULL);
  CHECK(spool.memory.bytes == NULL);
  CHECK_INT(fstat(spool.file->fd, &file), 0);
  CHECK_INT(file.st_nlink, 0);
  CHECK_INT(file.st_size, SIZE);
  CHECK(pread(spool.file->fd, got, SIZE, 0) == SIZE && memcmp(body, got, SIZE) == 0);
  iod_spool_deinit(&spool);
  free(body), free(got);
}

TEST(spool_file_at_once) {
  test_case("a first piece that is too large for memory");
  static char body[IOD_SPOOL_MEMORY + 1], got[sizeof body];
  iod_spool_t spool;
  memset(body, 'x', sizeof body);
  iod_spool_init(&spool, 0);
  CHECK_INT(iod_spool_append(&spool, body, sizeof body), 0);
  CHECK_INT(iod_spool_end(&spool), 0);
  CHECK(pread(spool.file->fd, got, sizeof got, 0) == (ssize_t)sizeof got && memcmp(body, got, sizeof got) == 0);
  iod_spool_deinit(&spool);
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
  CHECK_INT(fstat(spool.file->fd, &file), 0);
  CHECK_INT(file.st_size, at - 5);
  CHECK_INT(iod_spool_end(&spool), 0);
  CHECK_INT(spool.length, at + 1);
  CHECK(pread(spool.file->fd, got, sizeof got, 0) == (ssize_t)(at + 1) && memcmp(body, got, at + 1) == 0);
  iod_spool_deinit(&spool);
}

TEST(spool_fails) {
  test_case("a folder that isn't there is an error, not a crash");
  static char big[IOD_SPOOL_MEMORY + 1];
  iod_spool_t spool;
  char *before = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
  (void)iod_spool_file_make_room(); /* none is kept */
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

/* The body of a request that is over. */
static void use_file(char fill, size_t size) {
  static char body[IOD_SPOOL_MEMORY * 2], got[sizeof body];
  iod_spool_t spool;
  iod_spool_init(&spool, size);
  memset(body, fill, size);
  CHECK_INT(iod_spool_append(&spool, body, size), 0);
  CHECK_INT(iod_spool_end(&spool), 0);
  CHECK(pread(spool.file->fd, got, size, 0) == (ssize_t)size && memcmp(body, got, size) == 0);
  iod_spool_file_close(spool.file, spool.length);
}

static ino_t next_file(void) {
  struct stat file = {0};
  iod_spool_file_t *spare = iod_spool_file_open();
  CHECK(spare != NULL);
  CHECK_INT(fstat(spare->fd, &file), 0);
  iod_spool_file_close(spare, 1);
  return file.st_ino;
}

TEST(spool_file_kept) {
  test_case("a file is written over by the next body");
  use_file('a', IOD_SPOOL_MEMORY * 2);
  ino_t first = next_file();
  use_file('b', IOD_SPOOL_MEMORY + 1);
  CHECK_INT(next_file(), first);
  test_case("but not one that a forked process may still read");
  iod_spool_file_t *read_in_child = iod_spool_file_open();
  iod_spool_file_forks();
  int fd = dup(read_in_child->fd); /* as the child's copy: its inode number is not given away */
  iod_spool_file_close(read_in_child, 1);
  CHECK(next_file() != first);
  close(fd);
  test_case("nor a large one, nor more than a few");
  iod_spool_file_t *files[IOD_SPOOL_FILES * 2];
  struct stat file;
  for (size_t i = 0; i < IOD_SPOOL_FILES * 2; i++) CHECK((files[i] = iod_spool_file_open()) != NULL);
  int large = files[0]->fd, last = files[IOD_SPOOL_FILES * 2 - 1]->fd, kept = files[1]->fd;
  iod_spool_file_close(files[0], IOD_SPOOL_FILE_KEPT + 1);
  for (size_t i = 1; i < IOD_SPOOL_FILES * 2; i++) iod_spool_file_close(files[i], 1);
  CHECK(fstat(large, &file) != 0);
  CHECK(fstat(last, &file) != 0);
  CHECK_INT(fstat(kept, &file), 0);
  test_case("and none when the disk is full");
  CHECK(iod_spool_file_make_room());
  CHECK(!iod_spool_file_make_room());
  CHECK(fstat(kept, &file) != 0);
}
