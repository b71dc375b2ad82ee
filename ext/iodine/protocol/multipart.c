#include "multipart.h"

#include "http1_response.h"

#define DELIMITER    IOD_SLICE("\r\n--")
#define CONTENT_TYPE IOD_SLICE("\r\ncontent-type: ")
#define RANGE        IOD_SLICE("\r\ncontent-range: ")
#define HEAD_END     IOD_SLICE("\r\n\r\n")
#define BODY_END     IOD_SLICE("--\r\n")

enum { PIECES = 7 };

/* What a part's head is made of; its length. */
static size_t pieces_of(const iod_multipart_t *body, const iod_range_t *range, iod_slice_t pieces[PIECES],
                        char room[IOD_CONTENT_RANGE_ROOM]) {
  const iod_slice_t none = {"", 0};
  pieces[0] = DELIMITER;
  pieces[1] = body->boundary;
  pieces[2] = body->type.length > 0 ? CONTENT_TYPE : none;
  pieces[3] = body->type;
  pieces[4] = RANGE;
  pieces[5] = (iod_slice_t){room, iod_range_content(room, range, body->file_length)};
  pieces[6] = HEAD_END;
  size_t sum = 0;
  for (size_t i = 0; i < PIECES; i++) sum += pieces[i].length;
  return sum;
}

/* Room was reserved. */
static void put(iod_buffer_t *out, iod_slice_t slice) {
  if (slice.length == 0) return; /* memcpy from NULL is undefined even then */
  memcpy(iod_buffer_tail(out), slice.at, slice.length);
  iod_buffer_extend(out, slice.length);
}

int iod_multipart_append_head(iod_buffer_t *out, const iod_multipart_t *body, size_t index) {
  char room[IOD_CONTENT_RANGE_ROOM];
  iod_slice_t pieces[PIECES];
  if (iod_buffer_reserve(out, pieces_of(body, &body->ranges->at[index], pieces, room)) != 0) return IOD_E_NOMEM;
  for (size_t i = 0; i < PIECES; i++) put(out, pieces[i]);
  return 0;
}

static size_t end_length(const iod_multipart_t *body) {
  return DELIMITER.length + body->boundary.length + BODY_END.length;
}

int iod_multipart_append_end(iod_buffer_t *out, const iod_multipart_t *body) {
  if (iod_buffer_reserve(out, end_length(body)) != 0) return IOD_E_NOMEM;
  put(out, DELIMITER);
  put(out, body->boundary);
  put(out, BODY_END);
  return 0;
}

uint64_t iod_multipart_length(const iod_multipart_t *body) {
  uint64_t sum = end_length(body);
  for (size_t i = 0; i < body->ranges->count; i++) {
    char room[IOD_CONTENT_RANGE_ROOM];
    iod_slice_t pieces[PIECES];
    sum += pieces_of(body, &body->ranges->at[i], pieces, room) + body->ranges->at[i].length;
  }
  return sum;
}
