#include "ledger.h"

#include <stdlib.h>

typedef struct {
  uint32_t next; /* number that is to come */
  uint64_t seen; /* of the 64 before it: bit 0 the last */
} track_t;

ledger_t ledger;

static track_t *tracks;
static unsigned width;

void ledger_prepare(int subscribers, int publishers) {
  width = (unsigned)publishers;
  tracks = calloc((size_t)subscribers * width, sizeof *tracks);
  if (!tracks) exit(1);
}

static void add_next(track_t *track, uint32_t number) {
  uint32_t gap = number - track->next;
  ledger.lost += gap;
  track->seen = gap >= 63 ? 1 : track->seen << (gap + 1) | 1;
  track->next = number + 1;
}

int ledger_add(int subscriber, unsigned publisher, uint32_t number) {
  track_t *track = &tracks[(size_t)subscriber * width + publisher];
  if (number >= track->next) {
    add_next(track, number);
  } else {
    uint32_t back = track->next - 1 - number;
    if (back >= 64 || track->seen >> back & 1) {
      ledger.doubled++;
      return 0;
    }
    track->seen |= 1ull << back;
    ledger.reordered++;
    ledger.lost--;
  }
  ledger.unique++;
  return 1;
}
