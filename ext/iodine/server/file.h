/* A regular file as HTTP sees it: what its response's head says (RFC 9110 section 8), and its bytes, in memory if they
 * are few, else behind a descriptor. Immutable, one owner. */
#ifndef IOD_SERVER_FILE_H
#define IOD_SERVER_FILE_H

#include "../base/result.h"
#include "../base/slice.h"
#include "../reactor/open_file.h"

#include <stdint.h>
#include <sys/stat.h>

enum { IOD_FILE_IN_MEMORY = 16 * 1024 }; /* bytes: a copy costs less than a call of sendfile */

typedef struct iod_file_kind {
  iod_slice_t type;          /* its content-type; empty: none is said */
  iod_slice_t cache_control; /* empty: none */
  unsigned coding;           /* IOD_CODING_…: what the bytes are in */
  bool varies;               /* there are other codings of it */
} iod_file_kind_t;

/* head is "HTTP/1.1 200 OK\r\n" and all lines but date, connection and the empty one. The other slices are parts of
 * it. */
typedef struct iod_file {
  uint64_t size;
  int64_t modified;      /* seconds since 1970 … */
  uint32_t nanoseconds;  /* … and more exactly */
  iod_open_file_t *open; /* NULL: in memory */
  const char *bytes;     /* NULL: not in memory */
  iod_slice_t type;
  iod_slice_t etag; /* of size, time and coding alone: equal in all workers, after restarts, on all machines that
                       have the same file */
  iod_slice_t head;
  iod_slice_t type_line, coding_line; /* whole lines; may be empty */
  iod_slice_t shared_lines;           /* etag, last-modified, accept-ranges, cache-control, vary */
  char text[];
} iod_file_t;

/* Takes ownership of fd, in every case. NULL: out of memory, or the file could not be read. */
IOD_MUST_USE iod_file_t *iod_file_new(int fd, const struct stat *status, const iod_file_kind_t *kind);
void iod_file_free(iod_file_t *file); /* what is being sent of it keeps its descriptor; NULL is a no-op */

/* True when the file behind the descriptor is not what it was: it was cut off, or written to. */
bool iod_file_changed(const iod_file_t *file);

#endif
