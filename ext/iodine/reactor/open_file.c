#include "open_file.h"

#include "../base/alloc.h"

#include <unistd.h>

iod_open_file_t *iod_open_file_new(int fd) {
  iod_open_file_t *file = iod_alloc(sizeof *file);
  if (!file) {
    close(fd);
    return NULL;
  }
  file->fd = fd;
  atomic_init(&file->references, 1);
  return file;
}

void iod_open_file_unref(iod_open_file_t *file) {
  if (atomic_fetch_sub(&file->references, 1) > 1) return;
  close(file->fd);
  iod_free(file);
}
