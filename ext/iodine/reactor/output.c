#include "output.h"

#include "../base/alloc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/sendfile.h>
#else
#include <sys/types.h>
#endif

enum { VECTORS = 64, MIN_ROOM = 4096 - 64, FILE_STEP = 1 << 20 };

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SO_NOSIGPIPE is set where this isn't there */
#endif
#ifndef MSG_MORE
#define MSG_MORE 0
#endif

typedef struct iod_chunk {
  struct iod_chunk *next;
  iod_segment_t segment; /* what is left of it */
  size_t room;           /* for bytes: free space behind them */
  char bytes[];
} iod_chunk_t;

void iod_segment_drop(const iod_segment_t *segment, const iod_releaser_t *releaser) {
  if (segment->kind == IOD_SEGMENT_SHARED) releaser->release(releaser->context, segment->release);
  if (segment->kind == IOD_SEGMENT_PAYLOAD) iod_payload_unref(segment->release);
  if (segment->kind != IOD_SEGMENT_FILE) return;
  if (segment->file)
    iod_open_file_unref(segment->file);
  else
    close(segment->fd);
}

static void append(iod_output_t *output, iod_chunk_t *chunk) {
  chunk->next = NULL;
  if (output->last)
    output->last->next = chunk;
  else
    output->first = chunk;
  output->last = chunk;
}

/* Small pieces share a chunk: a stream of short writes costs one allocation for many. */
static bool join(iod_output_t *output, const iod_segment_t *segment) {
  iod_chunk_t *last = output->last;
  if (!last || last->segment.kind != IOD_SEGMENT_BYTES || last->room < segment->length) return false;
  memcpy((char *)last->segment.bytes + last->segment.length, segment->bytes, segment->length);
  last->segment.length += segment->length;
  last->room -= segment->length;
  return true;
}

int iod_output_add(iod_output_t *output, const iod_segment_t *segment, const iod_releaser_t *releaser) {
  bool copied = segment->kind == IOD_SEGMENT_BYTES;
  if (segment->length == 0) {
    iod_segment_drop(segment, releaser);
    return 0;
  }
  if (!copied || !join(output, segment)) {
    size_t room = copied ? (segment->length > MIN_ROOM ? segment->length : MIN_ROOM) : 0;
    iod_chunk_t *chunk = iod_alloc(sizeof *chunk + room);
    if (!chunk) {
      iod_segment_drop(segment, releaser);
      return IOD_E_NOMEM;
    }
    chunk->segment = *segment;
    chunk->room = room;
    if (copied) {
      memcpy(chunk->bytes, segment->bytes, segment->length);
      chunk->segment.bytes = chunk->bytes;
      chunk->room -= segment->length;
    }
    append(output, chunk);
  }
  output->pending += segment->length;
  return 0;
}

static void drop_first(iod_output_t *output, const iod_releaser_t *releaser) {
  iod_chunk_t *chunk = output->first;
  output->first = chunk->next;
  if (!output->first) output->last = NULL;
  iod_segment_drop(&chunk->segment, releaser);
  iod_free(chunk);
}

void iod_output_advance(iod_output_t *output, size_t n, const iod_releaser_t *releaser) {
  output->pending -= n;
  while (n > 0) {
    iod_segment_t *s = &output->first->segment;
    size_t step = n < s->length ? n : s->length;
    n -= step;
    s->length -= step;
    if (s->kind == IOD_SEGMENT_FILE)
      s->offset += (off_t)step;
    else
      s->bytes += step;
    if (s->length == 0) drop_first(output, releaser);
  }
}

static ssize_t write_bytes(iod_output_t *output, int fd) {
  struct iovec vectors[VECTORS];
  size_t n = 0;
  iod_chunk_t *chunk = output->first;
  for (; chunk && n < VECTORS && chunk->segment.kind != IOD_SEGMENT_FILE; chunk = chunk->next)
    vectors[n++] = (struct iovec){(void *)chunk->segment.bytes, chunk->segment.length};
  /* A head goes out together with the file behind it. */
  int more = chunk && chunk->segment.kind == IOD_SEGMENT_FILE ? MSG_MORE : 0;
  if (n == 1) return send(fd, vectors->iov_base, vectors->iov_len, MSG_NOSIGNAL | more);
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = n};
  return sendmsg(fd, &message, MSG_NOSIGNAL | more);
}

/* Bytes sent, 0 when the file ended early, -1 with errno. */
static ssize_t write_file(iod_segment_t *s, int fd) {
  size_t step = s->length < FILE_STEP ? s->length : FILE_STEP;
  off_t offset = s->offset;
#if defined(__linux__)
  return sendfile(fd, s->fd, &offset, step);
#elif defined(__APPLE__)
  off_t sent = (off_t)step;
  return sendfile(s->fd, fd, offset, &sent, NULL, 0) && sent == 0 ? -1 : (ssize_t)sent;
#elif defined(__FreeBSD__) || defined(__DragonFly__)
  off_t sent = 0;
  return sendfile(s->fd, fd, offset, step, NULL, &sent, 0) && sent == 0 ? -1 : (ssize_t)sent;
#else
  char bytes[16384];
  ssize_t got = pread(s->fd, bytes, step < sizeof bytes ? step : sizeof bytes, offset);
  return got <= 0 ? got : send(fd, bytes, (size_t)got, MSG_NOSIGNAL);
#endif
}

int iod_output_write(iod_output_t *output, int fd, size_t budget, const iod_releaser_t *releaser) {
  size_t written = 0;
  while (output->first) {
    if (written >= budget) return 2;
    iod_segment_t *s = &output->first->segment;
    ssize_t n = s->kind == IOD_SEGMENT_FILE ? write_file(s, fd) : write_bytes(output, fd);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : IOD_E_CLOSED;
    if (n == 0) return IOD_E_CLOSED;
    written += (size_t)n;
    iod_output_advance(output, (size_t)n, releaser);
  }
  return 1;
}

/* Bytes read, 0 when the file ended early, -1 with errno. */
static ssize_t read_file(const iod_segment_t *s, char *room, size_t size) {
  ssize_t n;
  do n = pread(s->fd, room, size < s->length ? size : s->length, s->offset);
  while (n < 0 && errno == EINTR);
  return n;
}

ssize_t iod_output_gather(const iod_output_t *output, char *room, size_t size, const char **at) {
  const iod_segment_t *first = &output->first->segment;
  size_t n = 0;
  *at = room;
  if (first->kind != IOD_SEGMENT_FILE && (first->length >= size || !output->first->next)) {
    *at = first->bytes;
    return (ssize_t)(first->length < size ? first->length : size);
  }
  for (const iod_chunk_t *chunk = output->first; chunk && n < size; chunk = chunk->next) {
    const iod_segment_t *s = &chunk->segment;
    size_t step = s->length < size - n ? s->length : size - n;
    if (s->kind == IOD_SEGMENT_FILE) {
      ssize_t got = read_file(s, room + n, step);
      if (got <= 0) return n > 0 ? (ssize_t)n : IOD_E_CLOSED;
      if ((size_t)got < step) return (ssize_t)(n + (size_t)got);
    } else {
      memcpy(room + n, s->bytes, step);
    }
    n += step;
  }
  return (ssize_t)n;
}

void iod_output_clear(iod_output_t *output, const iod_releaser_t *releaser) {
  while (output->first) drop_first(output, releaser);
  output->pending = 0;
}
