/* Bytes that went over sockets. Written under the state lock, read by any thread or process. */
#ifndef IOD_REACTOR_TRAFFIC_H
#define IOD_REACTOR_TRAFFIC_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct iod_traffic {
  _Atomic uint64_t received, sent;
} iod_traffic_t;

static inline void iod_traffic_add(_Atomic uint64_t *bytes, uint64_t n) {
  atomic_store_explicit(bytes, atomic_load_explicit(bytes, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
