#include "spool.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

void iod_spool_init(iod_spool_t *spool, uint64_t expected) {
  *spool = (iod_spool_t){0};
  /* Only a hint: append tries again. */
  if (expected <= IOD_SPOOL_MEMORY && iod_buffer_reserve(&spool->memory, (size_t)expected)) return;
}

void iod_spool_deinit(iod_spool_t *spool) {
  iod_buffer_deinit(&spool->memory);
  iod_spool_file_close(spool->file, spool->length);
  spool->file = NULL;
}

/* The file isn't kept: it would hold what the disk lacks. */
static int give_up(iod_spool_t *spool) {
  int reason = errno;
  iod_spool_file_close(spool->file, UINT64_MAX);
  spool->file = NULL;
  errno = reason;
  return IOD_E_SYSTEM;
}

static int write_all(iod_spool_t *spool, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = pwrite(spool->file->fd, bytes, length, (off_t)spool->written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 && iod_spool_file_make_room()) continue;
    if (n <= 0) return give_up(spool);
    spool->written += (uint64_t)n;
    bytes += n;
    length -= (size_t)n;
  }
  return 0;
}

/* Memory goes to the file. */
static int flush(iod_spool_t *spool) {
  if (iod_buffer_length(&spool->memory) == 0) return 0;
  int result = write_all(spool, iod_buffer_head(&spool->memory), iod_buffer_length(&spool->memory));
  iod_buffer_deinit(&spool->memory);
  return result;
}

int iod_spool_append(iod_spool_t *spool, const char *bytes, size_t length) {
  if (length == 0) return 0;
  size_t most = !spool->file ? IOD_SPOOL_MEMORY : IOD_SPOOL_GATHER;
  bool fits = iod_buffer_length(&spool->memory) + length <= most;
  if (!fits && !spool->file && !(spool->file = iod_spool_file_open())) return IOD_E_SYSTEM;
  if (!fits && flush(spool)) return IOD_E_SYSTEM;
  bool gather = fits || length < IOD_SPOOL_GATHER;
  int result = gather ? iod_buffer_append(&spool->memory, bytes, length) : write_all(spool, bytes, length);
  if (result == 0) spool->length += length;
  return result;
}

int iod_spool_end(iod_spool_t *spool) { return spool->file ? flush(spool) : 0; }
