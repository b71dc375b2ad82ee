#include "file.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "../protocol/accept_encoding.h"
#include "../protocol/http1_response.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
  FIXED = 320, /* status line, names of the headers, dates, numbers */
  NANOSECONDS = 1000000000,
};

#ifdef __APPLE__
#define NANOSECONDS_OF(status) ((status)->st_mtimespec.tv_nsec)
#else
#define NANOSECONDS_OF(status) ((status)->st_mtim.tv_nsec)
#endif

static char *put(char *at, iod_slice_t slice) {
  if (slice.length) memcpy(at, slice.at, slice.length);
  return at + slice.length;
}

static char *put_line(char *at, iod_slice_t name, iod_slice_t value) {
  return put(put(put(at, name), value), IOD_SLICE("\r\n"));
}

static char *put_hex(char *at, uint64_t n) {
  unsigned digits = 1;
  for (uint64_t rest = n >> 4; rest; rest >>= 4) digits++;
  for (unsigned i = digits; i-- > 0; n >>= 4) at[i] = "0123456789abcdef"[n & 15];
  return at + digits;
}

static iod_slice_t between(const char *start, const char *end) { return (iod_slice_t){start, (size_t)(end - start)}; }

/* Each coding has a tag of its own (RFC 9110 section 8.8.3.3). */
static char *put_etag(char *at, const struct stat *status, unsigned coding) {
  *at++ = '"';
  at = put_hex(at, (uint64_t)status->st_mtime * NANOSECONDS + (uint64_t)NANOSECONDS_OF(status));
  *at++ = '-';
  at = put_hex(at, (uint64_t)status->st_size);
  if (coding != IOD_CODING_IDENTITY) at = put(put(at, IOD_SLICE("-")), iod_coding_name(coding));
  *at++ = '"';
  return at;
}

static char *put_shared(iod_file_t *file, char *at, const struct stat *status, const iod_file_kind_t *kind) {
  char *start = at;
  at = put(at, IOD_SLICE("etag: "));
  char *etag = at;
  at = put_etag(at, status, kind->coding);
  file->etag = between(etag, at);
  at = put(at, IOD_SLICE("\r\nlast-modified: "));
  iod_date_format(at, (time_t)file->modified);
  at = put(at + IOD_DATE_LENGTH, IOD_SLICE("\r\naccept-ranges: bytes\r\n"));
  if (kind->cache_control.length) at = put_line(at, IOD_SLICE("cache-control: "), kind->cache_control);
  if (kind->varies) at = put(at, IOD_SLICE("vary: accept-encoding\r\n"));
  file->shared_lines = between(start, at);
  return at;
}

static char *put_head(iod_file_t *file, const struct stat *status, const iod_file_kind_t *kind) {
  char *at = put(file->text, IOD_SLICE("HTTP/1.1 200 OK\r\n")), *start = at;
  if (kind->type.length) {
    at = put_line(at, IOD_SLICE("content-type: "), kind->type);
    file->type = between(at - kind->type.length - 2, at - 2);
  }
  file->type_line = between(start, at);
  start = at;
  if (kind->coding != IOD_CODING_IDENTITY)
    at = put_line(at, IOD_SLICE("content-encoding: "), iod_coding_name(kind->coding));
  file->coding_line = between(start, at);
  at = put_shared(file, at, status, kind);
  at = put(at, IOD_SLICE("content-length: "));
  at += iod_decimal(at, file->size);
  at = put(at, IOD_SLICE("\r\n"));
  file->head = between(file->text, at);
  return at;
}

/* False when the file is shorter than it was said to be. */
static bool read_all(int fd, char *at, size_t length) {
  while (length > 0) {
    ssize_t n = read(fd, at, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

iod_file_t *iod_file_new(int fd, const struct stat *status, const iod_file_kind_t *kind) {
  uint64_t size = (uint64_t)status->st_size;
  bool here = size <= IOD_FILE_IN_MEMORY;
  size_t room = FIXED + kind->type.length + kind->cache_control.length + (here ? (size_t)size : 0);
  iod_file_t *file = iod_alloc(sizeof *file + room);
  if (!file) {
    close(fd);
    return NULL;
  }
  *file = (iod_file_t){
      .size = size, .modified = (int64_t)status->st_mtime, .nanoseconds = (uint32_t)NANOSECONDS_OF(status)};
  char *at = put_head(file, status, kind);
  if (here) {
    file->bytes = at;
    bool whole = read_all(fd, at, (size_t)size);
    close(fd);
    if (whole) return file;
  } else if ((file->open = iod_open_file_new(fd))) {
    return file;
  }
  iod_free(file);
  return NULL;
}

void iod_file_free(iod_file_t *file) {
  if (!file) return;
  if (file->open) iod_open_file_unref(file->open);
  iod_free(file);
}

bool iod_file_changed(const iod_file_t *file) {
  struct stat status;
  if (!file->open) return false;
  if (fstat(file->open->fd, &status)) return true;
  return (uint64_t)status.st_size != file->size || (int64_t)status.st_mtime != file->modified ||
         (uint32_t)NANOSECONDS_OF(&status) != file->nanoseconds;
}
