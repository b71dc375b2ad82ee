/* A descriptor that several owners share; the last one closes it. Any thread: the count is atomic, and reading is
 * always by an offset of the reader's own. */
#ifndef IOD_REACTOR_OPEN_FILE_H
#define IOD_REACTOR_OPEN_FILE_H

#include "../base/result.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct iod_open_file {
  _Atomic uint32_t references;
  int fd;
} iod_open_file_t;

/* Takes ownership of fd, also when out of memory (NULL: it is closed). The caller has the one reference. */
IOD_MUST_USE iod_open_file_t *iod_open_file_new(int fd);

static inline iod_open_file_t *iod_open_file_ref(iod_open_file_t *file) {
  atomic_fetch_add(&file->references, 1);
  return file;
}
void iod_open_file_unref(iod_open_file_t *file);

#endif
