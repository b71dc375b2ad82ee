/* A process whose place others take ends patiently: it accepts no more, a kept connection closes with its next answer,
 * an idle one stays, and what isn't HTTP is closed at random times, so that its clients don't all come back at once.
 * iod_server_drain ends it. */
#ifndef IOD_SERVER_RETIREMENT_H
#define IOD_SERVER_RETIREMENT_H

#include "../base/hash.h"
#include "../base/timers.h"
#include "handler.h"

#include <stdbool.h>

/* Under the state lock. */
typedef struct iod_retirement {
  iod_timer_t timer; /* when to close some more */
  bool on;
  uint64_t begun, spread; /* ms: the time over which they are closed */
  iod_seed_t seed;
} iod_retirement_t;

/* ms: how long it may last. Blocks. */
void iod_server_retire(iod_server_t *server, uint64_t ms);

void iod_retirement_timeout(iod_server_t *server); /* of its timer */
void iod_retirement_end(iod_server_t *server);

#endif
