#include "buffer.h"

#include "alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SMALLEST = 64 };

static const size_t LONGEST = UINT32_MAX > PTRDIFF_MAX ? PTRDIFF_MAX : UINT32_MAX;

void iod_buffer_deinit(iod_buffer_t *buffer) {
  iod_free(buffer->bytes);
  *buffer = (iod_buffer_t){0};
}

static void move_to_front(iod_buffer_t *b) {
  if (b->start == 0) return;
  memmove(b->bytes, b->bytes + b->start, iod_buffer_length(b));
  b->end -= b->start;
  b->start = 0;
}

static int grow(iod_buffer_t *b, uint32_t needed) {
  uint32_t capacity = b->capacity > UINT32_MAX / 2 ? needed : b->capacity * 2;
  if (capacity < needed) capacity = needed;
  if (capacity < SMALLEST) capacity = SMALLEST;
  char *bytes = iod_realloc(b->bytes, capacity);
  if (!bytes) return IOD_E_NOMEM;
  b->bytes = bytes;
  b->capacity = capacity;
  return 0;
}

int iod_buffer_reserve(iod_buffer_t *b, size_t n) {
  if (n <= iod_buffer_room(b)) return 0;
  size_t held = iod_buffer_length(b);
  if (n > LONGEST - held) return IOD_E_NOMEM;
  /* Moving is worth it only when it frees at least as much as it copies: so the cost of each byte stays constant. */
  bool moving_is_enough = held + n <= b->capacity && held <= b->start;
  if (!moving_is_enough && grow(b, (uint32_t)(held + n)) != 0) return IOD_E_NOMEM;
  move_to_front(b);
  return 0;
}

int iod_buffer_append(iod_buffer_t *b, const void *bytes, size_t n) {
  if (n == 0) return 0;
  if (iod_buffer_reserve(b, n) != 0) return IOD_E_NOMEM;
  memcpy(iod_buffer_tail(b), bytes, n);
  iod_buffer_extend(b, n);
  return 0;
}
