#include "publication.h"

#include "../base/alloc.h"
#include "../base/utf8.h"
#include "../protocol/sse.h"
#include "../protocol/websocket_frame.h"

#include <sys/random.h>

typedef struct iod_encoding {
  struct iod_encoding *next;
  iod_payload_t *payload;
  unsigned kind; /* iod_encoded_t */
} iod_encoding_t;

enum {
  DEFLATE_MIN = 128,        /* bytes of a message: shorter ones gain nothing by it */
  DEFLATE_MAX = 128 * 1024, /* longer ones would hold up everybody for more than a millisecond */
  WAITS = 128,              /* bytes that a message takes which refers to it */
};

iod_publication_t *iod_publication_new(iod_slice_t channel, iod_slice_t message, bool text) {
  if (channel.length > PTRDIFF_MAX / 2) return NULL;
  iod_publication_t *p = iod_alloc(sizeof *p + channel.length);
  iod_payload_t *payload = p ? iod_payload_new(message.length) : NULL;
  if (!payload) {
    iod_free(p);
    return NULL;
  }
  *p = (iod_publication_t){
      .text = text && iod_utf8_valid(message), .message = payload, .channel_length = channel.length};
  atomic_init(&p->references, 1);
  if (message.length) memcpy(payload->bytes, message.at, message.length);
  if (channel.length) memcpy(p->channel, channel.at, channel.length);
  return p;
}

static size_t size_of(const iod_publication_t *p) { return sizeof *p + p->channel_length + p->message->length; }

void iod_publication_count(iod_publication_t *p, _Atomic size_t *waiting) {
  size_t size = WAITS;
  if (!p->waiting) {
    p->waiting = waiting;
    size += size_of(p);
  }
  atomic_fetch_add_explicit(waiting, size, memory_order_relaxed);
}

void iod_publication_uncount(iod_publication_t *p) {
  if (p->waiting) atomic_fetch_sub_explicit(p->waiting, WAITS, memory_order_relaxed);
}

void iod_publication_unref(iod_publication_t *p) {
  if (atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) > 1) return;
  if (p->waiting) atomic_fetch_sub_explicit(p->waiting, size_of(p), memory_order_relaxed);
  for (iod_encoding_t *next, *e = p->encodings; e; e = next) {
    next = e->next;
    iod_payload_unref(e->payload);
    iod_free(e);
  }
  iod_payload_unref(p->message);
  iod_free(p);
}

/* ---- what was encoded ---- */

static iod_payload_t *find(const iod_publication_t *p, unsigned kind) {
  for (const iod_encoding_t *e = p->encodings; e; e = e->next)
    if (e->kind == kind) return e->payload;
  return NULL;
}

/* Takes over the payload, which may be NULL. */
static iod_payload_t *keep(iod_publication_t *p, unsigned kind, iod_payload_t *payload) {
  iod_encoding_t *e = payload ? iod_alloc(sizeof *e) : NULL;
  if (!e) {
    if (payload) iod_payload_unref(payload);
    return NULL;
  }
  *e = (iod_encoding_t){.next = p->encodings, .payload = payload, .kind = kind};
  p->encodings = e;
  return payload;
}

/* ---- WebSockets ---- */

/* mask: of a client, or NULL. */
static iod_payload_t *frame(iod_slice_t bytes, uint8_t opcode, bool compressed, const iod_websocket_mask_t *mask) {
  char head[IOD_WEBSOCKET_HEAD_MAX];
  iod_websocket_frame_t f = {.length = bytes.length, .opcode = opcode, .final = true, .compressed = compressed};
  size_t length = iod_websocket_frame_write(head, &f, mask);
  iod_payload_t *payload = iod_payload_new(length + bytes.length);
  if (!payload) return NULL;
  memcpy(payload->bytes, head, length);
  if (mask)
    iod_websocket_mask(payload->bytes + length, bytes.at, bytes.length, *mask, 0);
  else if (bytes.length)
    memcpy(payload->bytes + length, bytes.at, bytes.length);
  return payload;
}

static iod_payload_t *deflated(iod_slice_t message, uint8_t opcode, unsigned bits, iod_deflaters_t *deflaters) {
  iod_buffer_t out = {0};
  iod_payload_t *payload = NULL;
  if (iod_deflaters_run(deflaters, bits, message, &out) == 0)
    payload = frame((iod_slice_t){iod_buffer_head(&out), iod_buffer_length(&out)}, opcode, true, NULL);
  iod_buffer_deinit(&out);
  return payload;
}

iod_payload_t *iod_publication_websocket(iod_publication_t *p, bool binary, unsigned bits, iod_deflaters_t *deflaters) {
  iod_slice_t message = iod_payload_slice(p->message);
  binary = binary || !p->text;
  bool deflates = bits > 0 && message.length >= DEFLATE_MIN && message.length <= DEFLATE_MAX;
  if (deflates) bits = iod_deflate_bits_for(message.length, bits);
  unsigned kind = deflates ? IOD_ENCODED_DEFLATED + binary + 2 * bits : binary ? IOD_ENCODED_BINARY : IOD_ENCODED_TEXT;
  iod_payload_t *found = find(p, kind);
  if (found) return found;
  uint8_t opcode = binary ? IOD_WEBSOCKET_BINARY : IOD_WEBSOCKET_TEXT;
  return keep(p, kind, deflates ? deflated(message, opcode, bits, deflaters) : frame(message, opcode, false, NULL));
}

iod_payload_t *iod_publication_masked(iod_publication_t *p, bool binary) {
  iod_websocket_mask_t mask;
  binary = binary || !p->text;
  unsigned kind = IOD_ENCODED_MASKED + binary;
  iod_payload_t *found = find(p, kind);
  if (found || getentropy(mask.key, sizeof mask.key)) return found;
  uint8_t opcode = binary ? IOD_WEBSOCKET_BINARY : IOD_WEBSOCKET_TEXT;
  return keep(p, kind, frame(iod_payload_slice(p->message), opcode, false, &mask));
}

/* ---- events ---- */

iod_payload_t *iod_publication_event(iod_publication_t *p) {
  iod_payload_t *found = find(p, IOD_ENCODED_EVENT);
  if (found) return found;
  iod_sse_event_t event = {.data = iod_payload_slice(p->message), .retry = -1};
  iod_payload_t *payload = iod_payload_new(iod_sse_length(&event));
  if (payload) iod_sse_write(payload->bytes, &event);
  return keep(p, IOD_ENCODED_EVENT, payload);
}
