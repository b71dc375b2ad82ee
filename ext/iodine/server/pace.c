#include "pace.h"

static void mark(iod_pace_t *p, uint64_t read, uint64_t now) {
  p->mark = read;
  p->since = now;
}

bool iod_pace_look(iod_pace_t *p, size_t pending, uint64_t now) {
  uint64_t read = p->sent - pending;
  if (!p->behind && pending > IOD_PACE_HIGH) {
    p->behind = true;
    p->stuck = false;
    mark(p, read, now);
  } else if (pending <= IOD_PACE_LOW) {
    p->behind = false;
  } else if (p->behind && now - p->since >= IOD_PACE_PATIENCE) {
    p->stuck = read - p->mark < IOD_PACE_ENOUGH;
    mark(p, read, now);
  }
  return p->behind && !p->stuck;
}

uint64_t iod_pace_due(const iod_pace_t *p) {
  return p->behind && !p->stuck ? p->since + IOD_PACE_PATIENCE : UINT64_MAX;
}
