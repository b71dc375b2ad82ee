#include "payload.h"

#include "alloc.h"

iod_payload_t *iod_payload_new(size_t length) {
  if (length > PTRDIFF_MAX - sizeof(iod_payload_t)) return NULL;
  iod_payload_t *payload = iod_alloc(sizeof *payload + length);
  if (!payload) return NULL;
  atomic_init(&payload->references, 1);
  payload->length = length;
  return payload;
}

void iod_payload_unref(iod_payload_t *payload) {
  if (atomic_fetch_sub_explicit(&payload->references, 1, memory_order_acq_rel) == 1) iod_free(payload);
}
