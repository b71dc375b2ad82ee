#include "file_response.h"

#include "../base/clock.h"
#include "../protocol/conditional.h"
#include "../protocol/event_stream.h"
#include "../protocol/http1_response.h"
#include "../protocol/multipart.h"

#include <stdatomic.h>
#include <time.h>

enum { BOUNDARY = 32 };

/* ---- the request ---- */

static void read_header(iod_file_query_t *query, iod_slice_t name, iod_slice_t value) {
  switch (name.length) {
  case 5:
    if (!iod_slice_is(name, IOD_SLICE("range"))) return;
    query->ranged = !query->range.at; /* two lines are one too many */
    query->range = value;
    return;
  case 6:
    if (iod_slice_is(name, IOD_SLICE("accept"))) query->event_stream |= iod_accepts_event_stream(value);
    return;
  case 15:
    if (iod_slice_is(name, IOD_SLICE("accept-encoding"))) iod_accept_encoding_see(&query->accept, value);
    return;
  default: return;
  }
}

iod_file_query_t iod_file_query(const iod_request_t *r) {
  iod_file_query_t query = {0};
  for (unsigned i = 0; i < r->head.header_count; i++) {
    const iod_header_t *header = &r->headers[i];
    if (header->known != IOD_HEADER_OTHER) continue;
    iod_slice_t name = iod_request_slice(r, header->name);
    if (name.length > 3 && iod_slice_is((iod_slice_t){name.at, 3}, IOD_SLICE("if-")))
      query.conditional = true;
    else
      read_header(&query, name, iod_request_slice(r, header->value));
  }
  return query;
}

/* ---- the decision ---- */

/* What becomes of a 200: its status, with the ranges of a 206. */
static int decide(const iod_file_response_t *response, iod_ranges_t *ranges) {
  const iod_request_t *r = response->request;
  const iod_file_t *file = response->file;
  bool get = r->head.method_id == IOD_METHOD_GET, range = get && response->query->ranged;
  if (!get && r->head.method_id != IOD_METHOD_HEAD) return 200;
  if (response->query->conditional) {
    iod_conditional_t conditional = iod_conditional(file->etag, file->modified, time(NULL));
    for (unsigned i = 0; i < r->head.header_count; i++)
      iod_conditional_see(&conditional, iod_request_slice(r, r->headers[i].name),
                          iod_request_slice(r, r->headers[i].value));
    int status = iod_conditional_status(&conditional);
    if (status) return status;
    range = range && iod_conditional_range_applies(&conditional);
  }
  int count = range ? iod_ranges_parse(ranges, response->query->range, file->size) : 0;
  return count > 0 ? 206 : count < 0 ? 416 : 200;
}

/* ---- the head ---- */

typedef struct writing {
  iod_file_response_t *response;
  iod_buffer_t *room;
  size_t from; /* what is behind it is in no segment yet */
  bool failed;
} writing_t;

static void put(writing_t *w, iod_slice_t slice) {
  if (slice.length && iod_buffer_append(w->room, slice.at, slice.length)) w->failed = true;
}

static void put_number(writing_t *w, iod_slice_t name, uint64_t n) {
  char digits[IOD_DECIMAL_ROOM];
  put(w, name);
  put(w, (iod_slice_t){digits, iod_decimal(digits, n)});
  put(w, IOD_SLICE("\r\n"));
}

static void put_status(writing_t *w, int status) {
  char line[IOD_STATUS_LINE_ROOM];
  put(w, iod_http1_status_line(status, line));
}

static void put_content_range(writing_t *w, const iod_range_t *range) {
  char text[IOD_CONTENT_RANGE_ROOM];
  put(w, IOD_SLICE("content-range: "));
  put(w, (iod_slice_t){text, iod_range_content(text, range, w->response->file->size)});
  put(w, IOD_SLICE("\r\n"));
}

iod_slice_t iod_connection_line(const iod_request_t *request, bool keep_alive) {
  if (!keep_alive) return IOD_SLICE("connection: close\r\n");
  return request->head.minor ? (iod_slice_t){0} : IOD_SLICE("connection: keep-alive\r\n");
}

static void end_head(writing_t *w) {
  const iod_file_response_t *response = w->response;
  put(w, response->lines);
  put(w, response->date);
  put(w, iod_connection_line(response->request, response->keep_alive));
  put(w, IOD_SLICE("\r\n"));
}

/* ---- the body ---- */

/* The bytes so far, as a segment. Where they are is known only when nothing more is added. */
static void cut(writing_t *w) {
  iod_file_response_t *response = w->response;
  size_t length = iod_buffer_length(w->room) - w->from;
  if (!length) return;
  response->segments[response->count++] =
      (iod_segment_t){.kind = IOD_SEGMENT_BYTES, .fd = -1, .length = length, .offset = (off_t)w->from};
  w->from += length;
}

static void put_content(writing_t *w, uint64_t first, uint64_t length) {
  iod_file_response_t *response = w->response;
  const iod_file_t *file = response->file;
  if (response->request->head.method_id == IOD_METHOD_HEAD || !length) return;
  response->body_bytes += (size_t)length;
  if (file->bytes) {
    put(w, (iod_slice_t){file->bytes + first, (size_t)length});
    return;
  }
  cut(w);
  response->segments[response->count++] = (iod_segment_t){.kind = IOD_SEGMENT_FILE,
                                                          .fd = file->open->fd,
                                                          .file = iod_open_file_ref(file->open),
                                                          .offset = (off_t)first,
                                                          .length = (size_t)length};
}

/* Never the same twice, and not to be guessed by who writes a file. */
static iod_slice_t make_boundary(char room[BOUNDARY], const void *salt) {
  static _Atomic uint64_t counter;
  uint64_t x = iod_clock_us() ^ (uint64_t)(uintptr_t)salt;
  for (int i = 0; i < BOUNDARY; i++) {
    if (i % 16 == 0) {
      x += (atomic_fetch_add(&counter, 1) + 1) * UINT64_C(0x9e3779b97f4a7c15);
      x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
      x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
      x ^= x >> 31;
    }
    room[i] = "0123456789abcdef"[x >> 4 * (i % 16) & 15];
  }
  return (iod_slice_t){room, BOUNDARY};
}

static void put_parts(writing_t *w, const iod_ranges_t *ranges) {
  const iod_file_t *file = w->response->file;
  char room[BOUNDARY];
  iod_multipart_t body = {
      .boundary = make_boundary(room, w->response), .type = file->type, .file_length = file->size, .ranges = ranges};
  put(w, IOD_SLICE("content-type: multipart/byteranges; boundary="));
  put(w, body.boundary);
  put(w, IOD_SLICE("\r\n"));
  put(w, file->coding_line);
  put(w, file->shared_lines);
  put_number(w, IOD_SLICE("content-length: "), iod_multipart_length(&body));
  end_head(w);
  for (size_t i = 0; i < ranges->count; i++) {
    if (iod_multipart_append_head(w->room, &body, i)) w->failed = true;
    put_content(w, ranges->at[i].first, ranges->at[i].length);
  }
  if (iod_multipart_append_end(w->room, &body)) w->failed = true;
}

/* ---- the whole ---- */

static void put_partial(writing_t *w, const iod_ranges_t *ranges) {
  const iod_file_t *file = w->response->file;
  const iod_range_t *range = &ranges->at[0];
  put_status(w, 206);
  if (ranges->count > 1) {
    put_parts(w, ranges);
    return;
  }
  put(w, file->type_line);
  put(w, file->coding_line);
  put(w, file->shared_lines);
  put_content_range(w, range);
  put_number(w, IOD_SLICE("content-length: "), range->length);
  end_head(w);
  put_content(w, range->first, range->length);
}

/* With a status that isn't the file's own: an error's page. */
static void put_whole(writing_t *w, int status) {
  const iod_file_t *file = w->response->file;
  if (status == 200) {
    put(w, file->head);
  } else {
    put_status(w, status);
    put(w, file->type_line);
    put(w, file->coding_line);
    put_number(w, IOD_SLICE("content-length: "), file->size);
  }
  end_head(w);
  put_content(w, 0, file->size);
}

static void put_without_body(writing_t *w, int status) {
  put_status(w, status);
  put(w, w->response->file->shared_lines);
  if (status == 416) put_content_range(w, NULL);
  if (status != 304) put(w, IOD_SLICE("content-length: 0\r\n"));
  end_head(w);
}

int iod_file_respond(iod_file_response_t *response, iod_buffer_t *room) {
  iod_ranges_t ranges;
  writing_t w = {.response = response, .room = room};
  iod_buffer_clear(room);
  response->count = response->body_bytes = 0;
  bool whole = response->status != 200;
  if (!whole) response->status = decide(response, &ranges);
  switch (whole ? 200 : response->status) {
  case 206: put_partial(&w, &ranges); break;
  case 304:
  case 412:
  case 416: put_without_body(&w, response->status); break;
  default: put_whole(&w, response->status);
  }
  cut(&w);
  for (size_t i = 0; i < response->count; i++) {
    iod_segment_t *s = &response->segments[i];
    if (w.failed) iod_segment_drop(s, NULL); /* none is shared */
    if (s->kind != IOD_SEGMENT_BYTES) continue;
    s->bytes = iod_buffer_head(room) + s->offset;
    s->offset = 0;
  }
  if (!w.failed) return 0;
  response->count = 0;
  return IOD_E_NOMEM;
}
