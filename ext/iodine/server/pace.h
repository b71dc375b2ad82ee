/* How far what is sent to another process is behind. Who publishes faster than that reads is made to wait, but only for
 * one that goes on reading: nobody waits for a process that is stopped. Pure. */
#ifndef IOD_SERVER_PACE_H
#define IOD_SERVER_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { /* bytes and ms */
       IOD_PACE_HIGH = 8 << 20,
       IOD_PACE_LOW = 4 << 20,
       IOD_PACE_ENOUGH = 2 << 20, /* to be read in … */
       IOD_PACE_PATIENCE = 500,   /* … or else nobody waits any more */
};

typedef struct iod_pace {
  uint64_t sent;  /* bytes in all: the owner adds what it queues. The rest is private */
  uint64_t mark;  /* of them, read … */
  uint64_t since; /* … at this time, ms */
  bool behind, stuck;
} iod_pace_t;

/* pending: bytes that wait. Are publishers to wait for it? */
bool iod_pace_look(iod_pace_t *pace, size_t pending, uint64_t now);

/* When to look again although nothing has happened; UINT64_MAX: never. */
uint64_t iod_pace_due(const iod_pace_t *pace);

#endif
