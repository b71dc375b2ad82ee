#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void iod_spool_init(iod_spool_t *spool, uint64_t expected) {
  *spool = (iod_spool_t){.fd = -1};
  /* Only a hint: append tries again. */
  if (expected <= IOD_SPOOL_MEMORY && iod_buffer_reserve(&spool->memory, (size_t)expected)) return;
}

void iod_spool_deinit(iod_spool_t *spool) {
  iod_buffer_deinit(&spool->memory);
  if (spool->fd >= 0) close(spool->fd);
  spool->fd = -1;
}

static int unnamed_file(void) {
  const char *folder = getenv("TMPDIR");
  if (!folder || !*folder) folder = "/tmp";
#ifdef O_TMPFILE
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
#endif
  char path[1024];
  if (snprintf(path, sizeof path, "%s/iodine.XXXXXX", folder) >= (int)sizeof path) return -1;
  int named = mkstemp(path);
  if (named < 0) return -1;
  (void)unlink(path);
  (void)fcntl(named, F_SETFD, FD_CLOEXEC);
  return named;
}

static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return IOD_E_SYSTEM;
    bytes += n;
    length -= (size_t)n;
  }
  return 0;
}

/* Memory goes to the file. */
static int flush(iod_spool_t *spool) {
  int result = write_all(spool->fd, iod_buffer_head(&spool->memory), iod_buffer_length(&spool->memory));
  iod_buffer_deinit(&spool->memory);
  return result;
}

int iod_spool_append(iod_spool_t *spool, const char *bytes, size_t length) {
  if (length == 0) return 0;
  size_t most = spool->fd < 0 ? IOD_SPOOL_MEMORY : IOD_SPOOL_GATHER;
  bool fits = iod_buffer_length(&spool->memory) + length <= most;
  if (!fits && spool->fd < 0 && (spool->fd = unnamed_file()) < 0) return IOD_E_SYSTEM;
  if (!fits && flush(spool)) return IOD_E_SYSTEM;
  bool gather = fits || length < IOD_SPOOL_GATHER;
  int result = gather ? iod_buffer_append(&spool->memory, bytes, length) : write_all(spool->fd, bytes, length);
  if (result == 0) spool->length += length;
  return result;
}

int iod_spool_end(iod_spool_t *spool) { return spool->fd < 0 ? 0 : flush(spool); }
