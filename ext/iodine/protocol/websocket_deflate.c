#include "websocket_deflate.h"

#include "../base/alloc.h"

#define ZLIB_CONST
#include <zlib.h>

const bool iod_deflate_available = true;

/* A message ends with an empty block, and all of it but its first byte isn't sent (RFC 7692 section 7.2.1). */
static const char TAIL[4] = {0, 0, (char)0xff, (char)0xff};

enum { PIECE_MAX = 1 << 30 /* that zlib's unsigned counts */ };

static void *take_memory(void *unused, unsigned count, unsigned size) {
  (void)unused;
  return iod_alloc((size_t)count * size);
}

static void give_memory(void *unused, void *memory) {
  (void)unused;
  iod_free(memory);
}

static z_stream new_stream(void) { return (z_stream){.zalloc = take_memory, .zfree = give_memory}; }

static unsigned piece_of(size_t length) { return length < PIECE_MAX ? (unsigned)length : PIECE_MAX; }

/* ---- inflating ---- */

struct iod_inflater {
  z_stream stream;
  iod_inflater_t *next;
  bool at_start; /* nothing came since a stream began: a last block (BFINAL) ends one */
};

iod_inflater_t *iod_inflater_new(unsigned bits) {
  iod_inflater_t *inflater = iod_alloc(sizeof *inflater);
  if (!inflater) return NULL;
  *inflater = (iod_inflater_t){.stream = new_stream(), .at_start = true};
  if (inflateInit2(&inflater->stream, -(int)bits) == Z_OK) return inflater;
  iod_free(inflater);
  return NULL;
}

void iod_inflater_free(iod_inflater_t *inflater) {
  if (!inflater) return;
  inflateEnd(&inflater->stream);
  iod_free(inflater);
}

/* Room for the next bytes: never for more than limit + 1 in all. */
static int make_room(z_stream *stream, iod_buffer_t *out, size_t limit) {
  enum { LEAST = 256, RATIO = 3, MOST = 1 << 20 };
  size_t left = limit + 1 - iod_buffer_length(out), guess = stream->avail_in;
  guess = guess > MOST / RATIO ? MOST : guess * RATIO + LEAST;
  if (iod_buffer_reserve(out, guess < left ? guess : left) != 0) return IOD_E_NOMEM;
  size_t room = iod_buffer_room(out);
  stream->next_out = (Bytef *)iod_buffer_tail(out);
  stream->avail_out = piece_of(room < left ? room : left);
  return 0;
}

/* What comes behind a last block begins a new stream that still may refer to what was before. */
static int inflate_some(iod_inflater_t *inflater, iod_buffer_t *out) {
  z_stream *stream = &inflater->stream;
  unsigned room = stream->avail_out;
  if (stream->avail_in > 0) inflater->at_start = false;
  int result = inflate(stream, Z_SYNC_FLUSH);
  iod_buffer_extend(out, room - stream->avail_out);
  if (result == Z_MEM_ERROR) return IOD_E_NOMEM;
  if (result == Z_STREAM_END) {
    inflater->at_start = true;
    return inflateResetKeep(stream) == Z_OK ? 0 : IOD_E_WEBSOCKET_DATA;
  }
  return result == Z_OK || result == Z_BUF_ERROR ? 0 : IOD_E_WEBSOCKET_DATA;
}

static int take_piece(iod_inflater_t *inflater, iod_buffer_t *out, size_t limit) {
  z_stream *stream = &inflater->stream;
  do {
    int error = make_room(stream, out, limit);
    if (!error) error = inflate_some(inflater, out);
    if (error) return error;
    if (iod_buffer_length(out) > limit) return IOD_E_WEBSOCKET_TOO_LARGE;
  } while (stream->avail_in > 0 || stream->avail_out == 0);
  return 0;
}

int iod_inflater_take(iod_inflater_t *inflater, iod_slice_t piece, iod_buffer_t *out, size_t limit) {
  int error = 0;
  for (size_t at = 0; at < piece.length && !error; at += PIECE_MAX) {
    inflater->stream.next_in = (const Bytef *)piece.at + at;
    inflater->stream.avail_in = piece_of(piece.length - at);
    error = take_piece(inflater, out, limit);
  }
  return error;
}

int iod_inflater_end(iod_inflater_t *inflater, iod_buffer_t *out, size_t limit) {
  enum { BETWEEN_BLOCKS = 128 }; /* what zlib's data_type is then, with no bit left over */
  if (inflater->at_start) return 0;
  int error = iod_inflater_take(inflater, (iod_slice_t){TAIL, sizeof TAIL}, out, limit);
  if (error || inflater->at_start) return error;
  return inflater->stream.data_type == BETWEEN_BLOCKS ? 0 : IOD_E_WEBSOCKET_DATA;
}

void iod_inflater_forget(iod_inflater_t *inflater) {
  inflateReset(&inflater->stream);
  inflater->at_start = true;
}

void iod_inflaters_deinit(iod_inflaters_t *inflaters) {
  for (iod_inflater_t *inflater = inflaters->free, *next; inflater; inflater = next) {
    next = inflater->next;
    iod_inflater_free(inflater);
  }
  *inflaters = (iod_inflaters_t){0};
}

iod_inflater_t *iod_inflaters_borrow(iod_inflaters_t *inflaters) {
  iod_inflater_t *inflater = inflaters->free;
  if (!inflater) return iod_inflater_new(IOD_DEFLATE_BITS_MAX);
  inflaters->free = inflater->next;
  inflaters->count--;
  return inflater;
}

void iod_inflaters_return(iod_inflaters_t *inflaters, iod_inflater_t *inflater) {
  enum { KEPT = 4 };
  if (inflaters->count == KEPT) {
    iod_inflater_free(inflater);
    return;
  }
  iod_inflater_forget(inflater);
  inflater->next = inflaters->free;
  inflaters->free = inflater;
  inflaters->count++;
}

/* ---- deflating ---- */

struct iod_deflater {
  z_stream stream;
};

iod_deflater_t *iod_deflater_new(unsigned bits) {
  enum { SMALLER = 7 }; /* than the window's bits zlib's memory level is: its tables are as large as the window then */
  iod_deflater_t *deflater = iod_alloc(sizeof *deflater);
  if (!deflater) return NULL;
  *deflater = (iod_deflater_t){new_stream()};
  int level = (int)bits - SMALLER;
  if (deflateInit2(&deflater->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -(int)bits, level, Z_DEFAULT_STRATEGY) == Z_OK)
    return deflater;
  iod_free(deflater);
  return NULL;
}

void iod_deflater_free(iod_deflater_t *deflater) {
  if (!deflater) return;
  deflateEnd(&deflater->stream);
  iod_free(deflater);
}

/* Deflates the stream's input, in which the message ends if `flush` says so. */
static int deflate_piece(z_stream *stream, int flush, iod_buffer_t *out) {
  enum { LEAST = 64 };
  do {
    if (iod_buffer_reserve(out, stream->avail_in / 2 + LEAST) != 0) return IOD_E_NOMEM;
    unsigned room = piece_of(iod_buffer_room(out));
    stream->next_out = (Bytef *)iod_buffer_tail(out);
    stream->avail_out = room;
    deflate(stream, flush);
    iod_buffer_extend(out, room - stream->avail_out);
  } while (stream->avail_out == 0);
  return 0;
}

int iod_deflater_run(iod_deflater_t *deflater, iod_slice_t message, iod_buffer_t *out) {
  if (message.length == 0) return iod_buffer_append(out, TAIL, 1); /* section 7.2.3.6 */
  size_t before = iod_buffer_length(out);
  for (size_t at = 0; at < message.length; at += PIECE_MAX) {
    deflater->stream.next_in = (const Bytef *)message.at + at;
    deflater->stream.avail_in = piece_of(message.length - at);
    int flush = message.length - at <= PIECE_MAX ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    if (deflate_piece(&deflater->stream, flush, out) != 0) {
      iod_buffer_cut(out, iod_buffer_length(out) - before);
      return IOD_E_NOMEM;
    }
  }
  iod_buffer_cut(out, sizeof TAIL);
  return 0;
}

void iod_deflaters_deinit(iod_deflaters_t *deflaters) {
  for (unsigned bits = 0; bits <= IOD_DEFLATE_BITS_MAX; bits++) iod_deflater_free(deflaters->of[bits]);
  *deflaters = (iod_deflaters_t){0};
}

unsigned iod_deflate_bits_for(size_t message_length, unsigned most) {
  enum { LOOKAHEAD = 262 }; /* zlib leaves so much of a window unused */
  unsigned bits = IOD_DEFLATE_BITS_MIN;
  while (bits < most && message_length + LOOKAHEAD > (size_t)1 << bits) bits++;
  return bits;
}

int iod_deflaters_run(iod_deflaters_t *deflaters, unsigned bits, iod_slice_t message, iod_buffer_t *out) {
  iod_deflater_t **deflater = &deflaters->of[bits];
  if (!*deflater && !(*deflater = iod_deflater_new(bits))) return IOD_E_NOMEM;
  int error = iod_deflater_run(*deflater, message, out);
  deflateReset(&(*deflater)->stream);
  return error;
}
