/* A request's body as it comes: in memory up to IOD_SPOOL_MEMORY, then in an unnamed temporary file. Not thread safe.
 * All zeroes is an empty one. */
#ifndef IOD_SERVER_SPOOL_H
#define IOD_SERVER_SPOOL_H

#include "../base/buffer.h"
#include "../base/result.h"
#include "spool_file.h"

#include <stdint.h>

enum { IOD_SPOOL_MEMORY = 64 * 1024, IOD_SPOOL_GATHER = 4 * 1024 };

typedef struct iod_spool {
  iod_buffer_t memory;      /* all of it; or what is gathered for the file: a peer may send chunks of a byte each */
  uint64_t length, written; /* bytes that came; that are in the file */
  iod_spool_file_t *file;   /* NULL while in memory */
} iod_spool_t;

/* expected: the length if known, else 0. */
void iod_spool_init(iod_spool_t *spool, uint64_t expected);
void iod_spool_deinit(iod_spool_t *spool);

/* 0, IOD_E_NOMEM, IOD_E_SYSTEM (errno: ENOSPC and the like): after an error only deinit. */
IOD_MUST_USE int iod_spool_append(iod_spool_t *spool, const char *bytes, size_t length);
IOD_MUST_USE int iod_spool_end(iod_spool_t *spool); /* nothing follows: now a file has all of it */

#endif
