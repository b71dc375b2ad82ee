#include "flush.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 1 << 20 };

static char *map_guarded(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *room = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED || mprotect(room + ROOM, page, PROT_NONE) != 0) abort();
  return room;
}

char *test_flush(const void *bytes, size_t length) {
  static char *room;
  if (!room) room = map_guarded();
  if (length > ROOM) abort();
  char *copy = room + ROOM - length;
  if (length > 0) memcpy(copy, bytes, length);
  return copy;
}
