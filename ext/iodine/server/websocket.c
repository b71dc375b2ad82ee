#include "websocket.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/utf8.h"
#include "../protocol/websocket_close.h"
#include "http.h"
#include "server.h"

#include <string.h>
#include <sys/random.h>

enum {
  CLOSE_MS = 5000,   /* for the peer's half of a closing handshake */
  JOINED = 4096,     /* a frame's head and payload of up to so many bytes are put together */
  DEFLATE_MIN = 128, /* as publications do */
  DEFLATE_MAX = 128 * 1024,
};

_Static_assert(sizeof(iod_websocket_t) <= sizeof(iod_http_t), "a WebSocket takes the place of an HTTP connection");

static iod_websocket_t *websocket_of(iod_stream_t *s) { return (iod_websocket_t *)(void *)s; }
static iod_server_t *server_of(const iod_websocket_t *ws) { return ws->line.connection->strand.server; }

/* ---- frames that go out ---- */

/* What a client sends is masked by a key that nobody can foretell (RFC 6455 section 5.3). */
static bool mask_new(iod_websocket_mask_t *mask) { return getentropy(mask->key, sizeof mask->key) == 0; }

/* One segment of the whole frame: copied, and masked. */
static int send_copy(iod_websocket_t *ws, iod_websocket_frame_t *frame, const char *bytes, char *room) {
  iod_websocket_mask_t mask;
  if (ws->masks && !mask_new(&mask)) {
    iod_stream_close(&ws->line.stream);
    return IOD_E_CLOSED;
  }
  size_t head = iod_websocket_frame_write(room, frame, ws->masks ? &mask : NULL), length = (size_t)frame->length;
  if (ws->masks)
    iod_websocket_mask(room + head, bytes, length, mask, 0);
  else if (length)
    memcpy(room + head, bytes, length);
  iod_segment_t segment = iod_segment_bytes(room, head + length);
  return iod_line_send(&ws->line, &segment, 1);
}

static int send_large_copy(iod_websocket_t *ws, iod_websocket_frame_t *frame, const char *bytes) {
  char *room = iod_alloc(IOD_WEBSOCKET_HEAD_MAX + (size_t)frame->length);
  if (!room) {
    iod_stream_close(&ws->line.stream);
    return IOD_E_CLOSED;
  }
  int result = send_copy(ws, frame, bytes, room);
  iod_free(room);
  return result;
}

static int send_frame(iod_websocket_t *ws, iod_websocket_frame_t *frame, const iod_segment_t *payload) {
  char room[IOD_WEBSOCKET_HEAD_MAX + JOINED];
  const iod_releaser_t *releaser = &ws->line.stream.loop->releaser;
  bool small = payload->length <= JOINED;
  frame->length = payload->length;
  if (small || ws->masks) {
    int result = small ? send_copy(ws, frame, payload->bytes, room) : send_large_copy(ws, frame, payload->bytes);
    iod_segment_drop(payload, releaser);
    return result;
  }
  iod_segment_t segments[] = {iod_segment_bytes(room, iod_websocket_frame_write(room, frame, NULL)), *payload};
  return iod_line_send(&ws->line, segments, 2);
}

static int send_control(iod_websocket_t *ws, uint8_t opcode, iod_slice_t payload) {
  iod_websocket_frame_t frame = {.opcode = opcode, .final = true};
  iod_segment_t segment = iod_segment_bytes(payload.at, payload.length);
  return send_frame(ws, &frame, &segment);
}

/* ---- the end ---- */

static int send_close(iod_websocket_t *ws, uint16_t code, iod_slice_t reason) {
  char payload[IOD_WEBSOCKET_CONTROL_MAX];
  iod_connection_t *c = ws->line.connection;
  if (ws->close_sent) return 0;
  size_t length = iod_websocket_close_write(payload, code, reason);
  int result = send_control(ws, IOD_WEBSOCKET_CLOSE, (iod_slice_t){payload, length});
  ws->close_sent = true;
  atomic_store(&c->open, false);
  iod_pubsub_leave(c->strand.server, &c->subscriber); /* nothing may follow */
  return result;
}

/* Our close is out, and the peer's came or is not waited for. While it still sends, a reset could overtake our close:
 * then what comes is read away for a while. */
static void finish(iod_websocket_t *ws) {
  if (ws->failed) ws->line.stream.readable = true;
  iod_line_finish(&ws->line);
}

/* Nothing more is taken of the peer. What came before is heard and answered first. */
static void answer_close(iod_websocket_t *ws, uint16_t code) {
  ws->answer = code;
  if (ws->close_sent)
    finish(ws);
  else
    iod_line_end(&ws->line, 0);
}

/* What is wrong with the peer is told to it and to the application; it gets no second chance. */
static void fail(iod_websocket_t *ws, uint16_t code) {
  iod_log(IOD_LOG_DEBUG, "closed a WebSocket of %s with %u: %s", ws->line.remote.ip, code, iod_error_name(-(int)code));
  iod_connection_ends_with(ws->line.connection, code, (iod_slice_t){0});
  ws->failed = true;
  answer_close(ws, code);
}

static iod_slice_t farewell_reason(const iod_connection_t *c) {
  return c->farewell_reason ? (iod_slice_t){c->farewell_reason->bytes, c->farewell_reason->length} : (iod_slice_t){0};
}

static int send_farewell(iod_websocket_t *ws) {
  const iod_connection_t *c = ws->line.connection;
  if (ws->answer) return send_close(ws, ws->answer, (iod_slice_t){0});
  return send_close(ws, c->farewell ? c->farewell : IOD_CLOSE_NORMAL, farewell_reason(c));
}

/* ops->close: our half of the closing handshake; the peer's, if it hasn't come, has to come within a while. */
static void begin_close(iod_stream_t *s) {
  iod_websocket_t *ws = websocket_of(s);
  if (ws->close_sent) {
    if (s->peer_closed) finish(ws);
    return;
  }
  if (send_farewell(ws)) return;
  if (s->peer_closed || ws->answer)
    finish(ws);
  else
    iod_stream_deadline(s, s->loop->now + CLOSE_MS);
  if (iod_stream_open(s) && s->paused) iod_stream_resume(s); /* else its answer would not be read */
}

/* ---- what comes in ---- */

static void on_message(iod_websocket_t *ws, const iod_websocket_event_t *event) {
  iod_buffer_t owned = {0};
  if (ws->close_sent) return; /* it goes on until it has read our goodbye */
  bool given = iod_websocket_reader_give(&ws->reader, &owned);
  if (!iod_line_tell(&ws->line, event->data, event->opcode == IOD_WEBSOCKET_TEXT, given ? &owned : NULL))
    iod_buffer_deinit(&owned);
}

static void on_peer_close(iod_websocket_t *ws, const iod_websocket_event_t *event) {
  iod_connection_ends_with(ws->line.connection, event->code, event->data);
  answer_close(ws, event->code);
}

static void on_event(iod_websocket_t *ws, const iod_websocket_event_t *event) {
  switch (event->opcode) {
  case IOD_WEBSOCKET_TEXT:
  case IOD_WEBSOCKET_BINARY: on_message(ws, event); break;
  case IOD_WEBSOCKET_PING:
    if (!ws->close_sent) (void)!send_control(ws, IOD_WEBSOCKET_PONG, event->data);
    break;
  case IOD_WEBSOCKET_CLOSE: on_peer_close(ws, event); break;
  }
}

/* The reader unmasks in place: the loop's scratch and the stream's buffer are both ours to change. */
static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  iod_websocket_t *ws = websocket_of(s);
  iod_websocket_event_t event;
  int64_t used = iod_websocket_read(&ws->reader, (char *)(uintptr_t)bytes, length, &event);
  ws->pinged = false;
  if (!ws->close_sent) iod_line_touch(&ws->line);
  if (!iod_stream_open(s)) return length;
  if (used < 0) {
    fail(ws, used == IOD_E_NOMEM ? IOD_CLOSE_ERROR : (uint16_t)-used);
    return length;
  }
  if (event.opcode) on_event(ws, &event);
  if (iod_stream_open(s)) iod_websocket_reader_rest(&ws->reader);
  return (size_t)used;
}

static void on_timeout(iod_stream_t *s) {
  iod_websocket_t *ws = websocket_of(s);
  if (!iod_line_timed_out(&ws->line)) return;
  if (ws->close_sent || ws->pinged) {
    iod_log(IOD_LOG_DEBUG, "closed a WebSocket of %s that does not answer %s", ws->line.remote.ip,
            ws->close_sent ? "our close" : "pings");
    iod_stream_close(s);
    return;
  }
  ws->pinged = true;
  if (send_control(ws, IOD_WEBSOCKET_PING, (iod_slice_t){"", 0}) == 0) iod_line_touch(&ws->line);
}

static void on_close(iod_stream_t *s) {
  iod_websocket_reader_deinit(&websocket_of(s)->reader);
  iod_line_on_close(s);
}

const iod_stream_ops_t iod_websocket_stream_ops = {
    .on_data = on_data,
    .on_eof = iod_line_on_eof,
    .on_hangup = iod_line_on_hangup,
    .on_written = iod_line_on_written,
    .on_timeout = on_timeout,
    .on_close = on_close,
};

/* ---- the application's side ---- */

static int send_deflated(iod_websocket_t *ws, iod_websocket_frame_t *frame, const iod_segment_t *message) {
  iod_buffer_t out = {0};
  iod_slice_t bytes = {message->bytes, message->length};
  unsigned bits = iod_deflate_bits_for(bytes.length, ws->bits);
  if (iod_deflaters_run(&server_of(ws)->deflaters, bits, bytes, &out)) return send_frame(ws, frame, message);
  iod_segment_t segment = iod_segment_bytes(iod_buffer_head(&out), iod_buffer_length(&out));
  frame->compressed = true;
  int result = send_frame(ws, frame, &segment);
  iod_buffer_deinit(&out);
  iod_segment_drop(message, &ws->line.stream.loop->releaser);
  return result;
}

static int write_message(iod_stream_t *s, const iod_segment_t *segment, bool text) {
  iod_websocket_t *ws = websocket_of(s);
  iod_websocket_frame_t frame = {.opcode = text ? IOD_WEBSOCKET_TEXT : IOD_WEBSOCKET_BINARY, .final = true};
  if (ws->close_sent) {
    iod_segment_drop(segment, &s->loop->releaser);
    return IOD_E_CLOSED;
  }
  bool deflates = ws->bits && segment->length >= DEFLATE_MIN && segment->length <= DEFLATE_MAX;
  return deflates ? send_deflated(ws, &frame, segment) : send_frame(ws, &frame, segment);
}

static iod_payload_t *encode(iod_stream_t *s, iod_publication_t *publication, bool binary) {
  const iod_websocket_t *ws = websocket_of(s);
  if (ws->masks) return iod_publication_masked(publication, binary);
  return iod_publication_websocket(publication, binary, ws->bits, &server_of(ws)->deflaters);
}

static void refresh(iod_stream_t *s) {
  if (websocket_of(s)->close_sent)
    iod_stream_resume(s);
  else
    iod_line_refresh(iod_line_of(s));
}

const iod_connection_ops_t iod_websocket_ops = {
    .write = write_message, .encode = encode, .close = begin_close, .refresh = refresh};

/* ---- life ---- */

void iod_websocket_init(iod_websocket_t *ws, const iod_websocket_rules_t *rules,
                        const iod_websocket_deflate_t *agreed) {
  iod_websocket_reader_init(&ws->reader, rules, agreed);
  ws->masks = !rules->from_client;
  ws->bits = agreed->on ? (ws->masks ? agreed->client_bits : agreed->server_bits) : 0;
  ws->pinged = ws->close_sent = ws->failed = false;
  ws->answer = 0;
}

void iod_websocket_open(iod_http_t *http, iod_connection_t *connection, const iod_websocket_deflate_t *agreed) {
  const iod_settings_t *settings = &http->listener->settings;
  iod_websocket_deflate_t deflate = *agreed; /* its request goes */
  iod_stream_t *s = &http->stream;
  iod_http_become_line(http, connection, &iod_websocket_stream_ops, &iod_websocket_ops, settings->ping);
  if (iod_stream_open(s)) iod_websocket_init(websocket_of(s), &settings->websocket, &deflate);
}
