/* What was found lately under a path: files with all their codings, or that there is nothing. Each entry lives for a
 * second, so that what changes on disk is seen soon, and descriptors of deleted files aren't held. The number of
 * entries, of descriptors and of bytes is limited: the oldest go. Under the state lock. */
#ifndef IOD_SERVER_FILE_CACHE_H
#define IOD_SERVER_FILE_CACHE_H

#include "../base/result.h"
#include "../base/slice.h"
#include "../base/timers.h"
#include "file.h"

#include <stdbool.h>

enum { IOD_FILE_CODINGS = 4, IOD_CACHE_BUCKETS = 1024 };

typedef enum {
  IOD_FOUND_NOTHING,
  IOD_FOUND_FILE,
  IOD_FOUND_FOLDER, /* with an index: it wants a slash at its end */
} iod_found_t;

typedef struct iod_file_entry {
  struct iod_file_entry *next_in_bucket, *younger;
  uint64_t due; /* ms: not used from then on */
  const void *owner;
  size_t memory;
  uint32_t hash;
  uint16_t descriptors;
  iod_found_t found;
  iod_file_t *files[IOD_FILE_CODINGS]; /* as it is; then by the bits of IOD_CODING_…: each may be NULL but the first */
  iod_slice_t path;
} iod_file_entry_t;

typedef struct iod_file_cache {
  iod_timer_t timer; /* set while there are entries, by the owner of the loop's timers */
  iod_file_entry_t *buckets[IOD_CACHE_BUCKETS];
  iod_file_entry_t *oldest, *youngest;
  uint32_t count, descriptors;
  size_t memory;
} iod_file_cache_t;

/* NULL: not known, or no longer. owner: whose path it is. The entry is good until the next call. */
iod_file_entry_t *iod_file_cache_find(iod_file_cache_t *cache, const void *owner, iod_slice_t path, uint64_t now);

/* Takes over the files. NULL when out of memory (they are freed). */
IOD_MUST_USE iod_file_entry_t *iod_file_cache_add(iod_file_cache_t *cache, const void *owner, iod_slice_t path,
                                                  iod_found_t found, iod_file_t *const files[IOD_FILE_CODINGS],
                                                  uint64_t now);

/* Forgets what is due; all of it at UINT64_MAX. */
void iod_file_cache_expire(iod_file_cache_t *cache, uint64_t now);

/* Descriptors are short: false when it has none to close. */
bool iod_file_cache_give_way(iod_file_cache_t *cache);

#endif
