#include "websocket_message.h"

#include "../base/alloc.h"
#include "../base/utf8.h"
#include "websocket_close.h"

enum { PARTIAL_ROOM = IOD_WEBSOCKET_HEAD_MAX + IOD_WEBSOCKET_CONTROL_MAX };

typedef iod_websocket_reader_t reader_t;
typedef iod_websocket_event_t event_t;

void iod_websocket_reader_init(reader_t *r, const iod_websocket_rules_t *rules, const iod_websocket_deflate_t *agreed) {
  bool takeover = rules->from_client ? agreed->client_takeover : agreed->server_takeover;
  uint8_t bits = rules->from_client ? agreed->client_bits : agreed->server_bits;
  *r = (reader_t){.rules = rules, .deflates = agreed->on, .bits = agreed->on && takeover ? bits : 0};
}

void iod_websocket_reader_deinit(reader_t *r) {
  iod_buffer_deinit(&r->message);
  iod_inflater_free(r->inflater);
  iod_free(r->partial);
  *r = (reader_t){.rules = r->rules, .ended = true};
}

bool iod_websocket_reader_give(reader_t *r, iod_buffer_t *message) {
  if (!r->lent) return false;
  *message = r->message;
  r->message = (iod_buffer_t){0};
  r->lent = false;
  return true;
}

void iod_websocket_reader_rest(reader_t *r) {
  if (r->lent) iod_buffer_deinit(&r->message);
  r->lent = false;
}

/* ---- a message's payload ---- */

static bool text_goes_on(reader_t *r, const char *at, size_t n) {
  if (r->opcode == IOD_WEBSOCKET_TEXT) r->text = (uint8_t)iod_utf8(r->text, at, n);
  return r->text != IOD_UTF8_INVALID;
}

/* What the inflater appended since, and then its own result. */
static int check_inflated(reader_t *r, size_t before, int result) {
  size_t now = iod_buffer_length(&r->message);
  if (now > before && !text_goes_on(r, iod_buffer_head(&r->message) + before, now - before))
    return IOD_E_WEBSOCKET_DATA;
  return result;
}

static int add_compressed(reader_t *r, char *at, size_t n) {
  size_t before = iod_buffer_length(&r->message);
  iod_websocket_mask(at, at, n, r->mask, 0);
  int result = iod_inflater_take(r->inflater, (iod_slice_t){at, n}, &r->message, r->rules->limit);
  return check_inflated(r, before, result);
}

static int add_plain(reader_t *r, const char *at, size_t n) {
  if (iod_buffer_reserve(&r->message, n) != 0) return IOD_E_NOMEM;
  char *to = iod_buffer_tail(&r->message);
  iod_websocket_mask(to, at, n, r->mask, 0);
  iod_buffer_extend(&r->message, n);
  return text_goes_on(r, to, n) ? 0 : IOD_E_WEBSOCKET_DATA;
}

static void turn_mask(iod_websocket_mask_t *mask, size_t n) {
  iod_websocket_mask_t old = *mask;
  for (unsigned i = 0; i < 4; i++) mask->key[i] = old.key[(n + i) & 3];
}

/* ---- a message's ends ---- */

static int begin_message(reader_t *r, const iod_websocket_frame_t *frame) {
  r->opcode = frame->opcode;
  r->compressed = frame->compressed;
  r->text = IOD_UTF8_WHOLE;
  r->total = 0;
  if (!r->compressed || r->inflater) return 0;
  r->inflater = r->bits > 0 ? iod_inflater_new(r->bits) : iod_inflaters_borrow(r->rules->inflaters);
  return r->inflater ? 0 : IOD_E_NOMEM;
}

static int end_inflating(reader_t *r) {
  size_t before = iod_buffer_length(&r->message);
  int result = iod_inflater_end(r->inflater, &r->message, r->rules->limit);
  if ((result = check_inflated(r, before, result)) != 0) return result;
  if (r->bits > 0) return 0;
  iod_inflaters_return(r->rules->inflaters, r->inflater);
  r->inflater = NULL;
  return 0;
}

static int end_message(reader_t *r, iod_slice_t data, event_t *event) {
  if (r->text != IOD_UTF8_WHOLE) return IOD_E_WEBSOCKET_DATA;
  *event = (event_t){.opcode = r->opcode, .data = data};
  r->opcode = 0;
  return 0;
}

static int end_gathered(reader_t *r, event_t *event) {
  int error = r->compressed ? end_inflating(r) : 0;
  if (error) return error;
  r->lent = r->message.bytes != NULL;
  const char *at = r->lent ? iod_buffer_head(&r->message) : "";
  return end_message(r, (iod_slice_t){at, iod_buffer_length(&r->message)}, event);
}

/* ---- data frames ---- */

static int begin_frame(reader_t *r, const iod_websocket_frame_t *frame) {
  bool continues = frame->opcode == IOD_WEBSOCKET_CONTINUATION;
  if (continues != (r->opcode != 0)) return IOD_E_WEBSOCKET_PROTOCOL;
  int error = continues ? 0 : begin_message(r, frame);
  if (error) return error;
  uint64_t most = r->rules->limit;
  if (r->compressed) most = 2 * most + 1024; /* what doesn't compress gets a little longer */
  if (frame->length > most - r->total) return IOD_E_WEBSOCKET_TOO_LARGE;
  r->total += frame->length;
  r->left = frame->length;
  r->mask = frame->mask;
  r->final = frame->final;
  r->in_frame = true;
  return 0;
}

/* All of a message at once stays where it is. */
static int take_whole(reader_t *r, char *at, size_t n, event_t *event) {
  iod_websocket_mask(at, at, n, r->mask, 0);
  r->in_frame = false;
  if (!text_goes_on(r, at, n)) return IOD_E_WEBSOCKET_DATA;
  return end_message(r, (iod_slice_t){at, n}, event);
}

static int64_t take_payload(reader_t *r, char *at, size_t length, event_t *event) {
  size_t n = r->left < length ? (size_t)r->left : length;
  int error = 0;
  if (n == r->total && r->final && !r->compressed && n > 0) {
    error = take_whole(r, at, n, event);
    return error ? error : (int64_t)n;
  }
  if (n > 0) error = r->compressed ? add_compressed(r, at, n) : add_plain(r, at, n);
  turn_mask(&r->mask, n);
  r->left -= n;
  r->in_frame = r->left > 0;
  if (!error && !r->in_frame && r->final) error = end_gathered(r, event);
  return error ? error : (int64_t)n;
}

/* ---- control frames ---- */

static int take_close(reader_t *r, event_t *event) {
  event->code = IOD_WEBSOCKET_NO_CODE;
  r->ended = true;
  return event->data.length == 0 ? 0 : iod_websocket_close_parse(&event->data, &event->code);
}

static int take_control(reader_t *r, const iod_websocket_frame_t *frame, char *at, event_t *event) {
  size_t length = (size_t)frame->length;
  iod_websocket_mask(at, at, length, frame->mask, 0);
  *event = (event_t){.opcode = frame->opcode, .data = {at, length}};
  return frame->opcode == IOD_WEBSOCKET_CLOSE ? take_close(r, event) : 0;
}

/* ---- heads ---- */

/* How long the part of the frame is that is taken at once: a data frame's head, all of a control frame. 0: not known
 * yet. */
static int part_length(reader_t *r, const char *at, size_t length, iod_websocket_frame_t *frame) {
  iod_websocket_peer_t from = {.client = r->rules->from_client, .deflates = r->deflates};
  int head = iod_websocket_frame_parse(at, length, from, frame);
  if (head <= 0 || !iod_websocket_is_control(frame->opcode)) return head;
  size_t whole = (size_t)head + (size_t)frame->length;
  return whole <= length ? (int)whole : 0;
}

static int take_part(reader_t *r, const iod_websocket_frame_t *frame, char *at, size_t length, event_t *event) {
  if (!iod_websocket_is_control(frame->opcode)) return begin_frame(r, frame);
  return take_control(r, frame, at + length - frame->length, event);
}

/* Keeps what came of the part. */
static int keep(reader_t *r, const char *at, size_t n) {
  if (!r->partial && !(r->partial = iod_alloc(PARTIAL_ROOM))) return IOD_E_NOMEM;
  memcpy(r->partial + r->partial_length, at, n);
  r->partial_length = (uint8_t)(r->partial_length + n);
  return 0;
}

/* The part began with bytes that came before. */
static int64_t take_rest_of_part(reader_t *r, const char *at, size_t length, event_t *event) {
  size_t before = r->partial_length, most = PARTIAL_ROOM - before, n = length < most ? length : most;
  int error = keep(r, at, n);
  if (error) return error;
  iod_websocket_frame_t frame;
  int part = part_length(r, r->partial, r->partial_length, &frame);
  if (part <= 0) return part < 0 ? part : (int64_t)n;
  r->partial_length = 0;
  error = take_part(r, &frame, r->partial, (size_t)part, event);
  return error ? error : (int64_t)part - (int64_t)before;
}

static int64_t take_head(reader_t *r, char *at, size_t length, event_t *event) {
  if (r->partial_length > 0) return take_rest_of_part(r, at, length, event);
  iod_websocket_frame_t frame;
  int part = part_length(r, at, length, &frame);
  if (part < 0) return part;
  int error = part == 0 ? keep(r, at, length) : take_part(r, &frame, at, (size_t)part, event);
  return error ? error : part == 0 ? (int64_t)length : part;
}

/* ---- reading ---- */

/* One step: at least a byte is used, or a frame without payload ends. */
static int64_t step(reader_t *r, char *at, size_t length, event_t *event) {
  return r->in_frame ? take_payload(r, at, length, event) : take_head(r, at, length, event);
}

/* What was gathered is let go of when it can't be part of an event any more. */
static void let_go(reader_t *r) {
  iod_websocket_reader_rest(r);
  if (r->partial_length > 0) return;
  iod_free(r->partial);
  r->partial = NULL;
}

int64_t iod_websocket_read(reader_t *r, char *bytes, size_t length, event_t *event) {
  size_t used = 0;
  *event = (event_t){0};
  let_go(r);
  while (event->opcode == 0 && !r->ended && (used < length || (r->in_frame && r->left == 0))) {
    int64_t n = step(r, bytes + used, length - used, event);
    if (n < 0) {
      r->ended = true;
      *event = (event_t){0};
      return n;
    }
    used += (size_t)n;
  }
  if (r->ended) used = length;
  return (int64_t)used;
}
