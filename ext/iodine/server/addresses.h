/* How many connections each client address has, in all workers together. A mapping made before they are forked has two
 * rows of counters for each of them; an address has a counter in each row, found by a hash of its own. Those it shares
 * with another address only count more, so the smaller of its two sums is what it has: right unless both are shared.
 * An IPv6 network of 64 bits counts as one address. Each worker writes its own rows, under its state lock, and reads
 * all. */
#ifndef IOD_SERVER_ADDRESSES_H
#define IOD_SERVER_ADDRESSES_H

#include "../base/result.h"
#include "../reactor/socket.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct iod_addresses {
  _Atomic uint32_t *counters; /* NULL: nobody counts */
  uint32_t workers;
  uint64_t seeds[2];
} iod_addresses_t;

typedef uint32_t iod_address_place_t; /* where an address is counted; 0: nowhere */

/* For so many workers; once is enough. 0, IOD_E_NOMEM. */
IOD_MUST_USE int iod_addresses_init(iod_addresses_t *addresses, uint32_t workers);
void iod_addresses_deinit(iod_addresses_t *addresses);

/* A worker that ended without a chance to count its connections out: nothing of it counts any more. */
void iod_addresses_clear(iod_addresses_t *addresses, uint32_t worker);

/* Not 0, but for a text that is no address. After iod_addresses_init. */
iod_address_place_t iod_addresses_place(const iod_addresses_t *addresses, const iod_peer_t *peer);

/* Connections of the first `used` workers. */
uint32_t iod_addresses_count(const iod_addresses_t *addresses, uint32_t used, iod_address_place_t place);

/* One more, one less; the place 0 is ignored. */
void iod_addresses_enter(iod_addresses_t *addresses, uint32_t worker, iod_address_place_t place);
void iod_addresses_leave(iod_addresses_t *addresses, uint32_t worker, iod_address_place_t place);

#endif
