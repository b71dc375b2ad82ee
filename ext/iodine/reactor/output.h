/* What waits to be written to one descriptor: bytes, borrowed memory and files, in order. Not thread safe. */
#ifndef IOD_REACTOR_OUTPUT_H
#define IOD_REACTOR_OUTPUT_H

#include "../base/payload.h"
#include "../base/result.h"
#include "open_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef enum {
  IOD_SEGMENT_BYTES,   /* borrowed until return: written at once or copied */
  IOD_SEGMENT_SHARED,  /* borrowed until `release` is given back: always, exactly once */
  IOD_SEGMENT_PAYLOAD, /* all of a payload; takes over a reference, `release` */
  IOD_SEGMENT_FILE,    /* sent from offset, length bytes. Takes over a reference to `file`; without one it owns fd */
} iod_segment_kind_t;

typedef struct iod_segment {
  iod_segment_kind_t kind;
  int fd; /* of a file, shared or not */
  const char *bytes;
  size_t length;
  off_t offset;
  void *release;
  iod_open_file_t *file;
} iod_segment_t;

static inline iod_segment_t iod_segment_bytes(const char *bytes, size_t length) {
  return (iod_segment_t){.kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = bytes, .length = length};
}

/* Takes over a reference. */
static inline iod_segment_t iod_segment_payload(iod_payload_t *payload) {
  return (iod_segment_t){
      .kind = IOD_SEGMENT_PAYLOAD, .fd = -1, .bytes = payload->bytes, .length = payload->length, .release = payload};
}

/* Called when shared memory is no longer needed. It must not touch the output. */
typedef struct iod_releaser {
  void (*release)(void *context, void *token);
  void *context;
} iod_releaser_t;

typedef struct iod_output {
  struct iod_chunk *first, *last;
  size_t pending; /* bytes */
} iod_output_t;

/* Takes over one segment: copies bytes, keeps the rest. IOD_E_NOMEM: released or closed all the same, nothing was
 * queued. */
IOD_MUST_USE int iod_output_add(iod_output_t *output, const iod_segment_t *segment, const iod_releaser_t *releaser);

/* Lets go of a segment that will not be sent. */
void iod_segment_drop(const iod_segment_t *segment, const iod_releaser_t *releaser);

/* Writes until the queue is empty (1), the descriptor is full (0), about `budget` bytes went out (2), or the peer is
 * gone or a file came up short (IOD_E_CLOSED). */
IOD_MUST_USE int iod_output_write(iod_output_t *output, int fd, size_t budget, const iod_releaser_t *releaser);

/* For a transport: the next bytes, up to `size`, at *at: gathered in `room`, or in place. How many, or IOD_E_CLOSED
 * when a file came up short. The queue must not be empty; they stay in it until iod_output_advance. */
IOD_MUST_USE ssize_t iod_output_gather(const iod_output_t *output, char *room, size_t size, const char **at);
void iod_output_advance(iod_output_t *output, size_t n, const iod_releaser_t *releaser);

void iod_output_clear(iod_output_t *output, const iod_releaser_t *releaser);

#endif
