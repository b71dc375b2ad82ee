/* Bytes that many send: written once by their maker, then never changed, freed by who lets go of them last. References
 * are counted atomically; any thread. */
#ifndef IOD_BASE_PAYLOAD_H
#define IOD_BASE_PAYLOAD_H

#include "result.h"
#include "slice.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct iod_payload {
  _Atomic uint32_t references;
  size_t length;
  char bytes[];
} iod_payload_t;

/* With one reference, the caller's; its bytes are not set. NULL when out of memory (also for an impossible length). */
IOD_MUST_USE iod_payload_t *iod_payload_new(size_t length);

static inline iod_payload_t *iod_payload_ref(iod_payload_t *payload) {
  atomic_fetch_add_explicit(&payload->references, 1, memory_order_relaxed);
  return payload;
}
void iod_payload_unref(iod_payload_t *payload);

static inline iod_slice_t iod_payload_slice(const iod_payload_t *payload) {
  return (iod_slice_t){payload->bytes, payload->length};
}

#endif
