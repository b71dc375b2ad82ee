/* A worker's signs of life: when its stand-in last looked, since when its jobs stand still, and what it was asked then.
 * In a mapping made before the fork, one for each slot: written by the worker there alone, read by the root. */
#ifndef IOD_SERVER_PULSE_H
#define IOD_SERVER_PULSE_H

#include "stats.h"

enum { IOD_PULSE_REQUESTS = 16, IOD_PULSE_LINE = 200 };

typedef struct iod_pulse_request {
  uint64_t since;            /* ms: its first byte came */
  char line[IOD_PULSE_LINE]; /* "GET /path", cut and terminated */
} iod_pulse_request_t;

/* Times are monotonic: the same clock in all processes. */
typedef struct iod_pulse {
  _Atomic uint64_t beat;        /* ms: the last look of the stand-in; 0: nobody serves here yet */
  _Atomic uint64_t stuck_since; /* ms: jobs wait since then, none was taken and nothing sent; 0: it isn't so */
  iod_count_t sent;             /* pieces of answers, and messages: who writes isn't stuck. Under the state lock */
  iod_count_t answered;         /* requests. Likewise */
  _Atomic uint32_t dumps;       /* how often Ruby has written backtraces */
  _Atomic uint32_t listed;      /* of the requests, once it is stuck for a while; 0 while they are written */
  iod_pulse_request_t requests[IOD_PULSE_REQUESTS];
} iod_pulse_t;

struct iod_server;

/* NULL when the system has no memory to share. */
iod_pulse_t *iod_pulses_new(uint32_t count);
void iod_pulses_free(iod_pulse_t *pulses, uint32_t count);

/* Of a worker that begins, or is gone. */
void iod_pulse_reset(iod_pulse_t *pulse, uint64_t beat);

/* The stand-in's look. May take the state lock. */
void iod_pulse_look(struct iod_server *server);

/* In the root: the requests of a worker that is stuck, the oldest first; how many. */
uint32_t iod_pulse_requests(iod_pulse_t *pulse, iod_pulse_request_t requests[IOD_PULSE_REQUESTS]);

#endif
