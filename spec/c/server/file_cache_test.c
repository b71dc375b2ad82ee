#include "../../../ext/iodine/protocol/accept_encoding.h"
#include "../../../ext/iodine/server/file_cache.h"
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static iod_file_t *const nothing[IOD_FILE_CODINGS];

static iod_slice_t numbered(int n) {
  static char path[16];
  return (iod_slice_t){path, (size_t)snprintf(path, sizeof path, "f%d", n)};
}

/* A file of that size, all zeroes. */
static iod_file_t *file_of(off_t size) {
  static const iod_file_kind_t kind = {.coding = IOD_CODING_IDENTITY};
  char name[] = "/tmp/iodine-file-XXXXXX";
  struct stat status;
  int fd = mkstemp(name);
  unlink(name);
  CHECK_INT(ftruncate(fd, size), 0);
  CHECK_INT(fstat(fd, &status), 0);
  return iod_file_new(fd, &status, &kind);
}

TEST(file_cache) {
  static iod_file_cache_t cache;
  int owner, other;
  test_case("what was added is found by its owner, until it is due");
  CHECK(iod_file_cache_find(&cache, &owner, numbered(1), 10) == NULL);
  CHECK(iod_file_cache_add(&cache, &owner, numbered(1), IOD_FOUND_NOTHING, nothing, 10) != NULL);
  CHECK(iod_file_cache_find(&cache, &owner, numbered(1), 1009) != NULL);
  CHECK(iod_file_cache_find(&cache, &other, numbered(1), 1009) == NULL);
  CHECK(iod_file_cache_find(&cache, &owner, numbered(2), 1009) == NULL);
  CHECK(iod_file_cache_find(&cache, &owner, numbered(1), 1010) == NULL);
  CHECK_INT(cache.count, 0);

  test_case("entries are limited: the oldest go");
  for (int i = 0; i < 10000; i++)
    CHECK(iod_file_cache_add(&cache, &owner, numbered(i), IOD_FOUND_NOTHING, nothing, 10) != NULL);
  CHECK(cache.count < 4000);
  CHECK(iod_file_cache_find(&cache, &owner, numbered(9999), 10) != NULL);
  CHECK(iod_file_cache_find(&cache, &owner, numbered(1), 10) == NULL);

  test_case("so are descriptors, and memory");
  for (int i = 0; i < 1000; i++) {
    iod_file_t *files[IOD_FILE_CODINGS] = {file_of(i % 2 ? IOD_FILE_IN_MEMORY : IOD_FILE_IN_MEMORY + 1)};
    CHECK(iod_file_cache_add(&cache, &owner, numbered(i), IOD_FOUND_FILE, files, 10) != NULL);
  }
  CHECK(cache.descriptors <= 128);
  CHECK(cache.memory <= 8 << 20);

  test_case("all of it goes when descriptors are short");
  CHECK(iod_file_cache_give_way(&cache));
  CHECK(!iod_file_cache_give_way(&cache));
  CHECK_INT(cache.count + cache.descriptors, 0);
  CHECK_INT(cache.memory, 0);
}

static void add_one(void) {
  static iod_file_cache_t cache;
  iod_file_t *files[IOD_FILE_CODINGS] = {file_of(10), file_of(100000)};
  if (!files[0] || !files[1]) {
    iod_file_free(files[0]);
    iod_file_free(files[1]);
    return;
  }
  iod_file_entry_t *entry = iod_file_cache_add(&cache, &cache, numbered(1), IOD_FOUND_FILE, files, 10);
  CHECK_INT(cache.count, entry != NULL);
  iod_file_cache_expire(&cache, UINT64_MAX);
}

TEST(file_cache_without_memory) {
  test_case("nothing is lost or counted twice when memory is short");
  test_each_allocation_fails(add_one);
}
