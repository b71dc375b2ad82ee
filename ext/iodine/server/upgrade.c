#include "upgrade.h"

#include "../base/alloc.h"
#include "../protocol/event_stream.h"
#include "../protocol/websocket_handshake.h"
#include "event_line.h"
#include "http.h"
#include "raw.h"
#include "server.h"
#include "websocket.h"

/* ---- what is asked for ---- */

static iod_websocket_handshake_t handshake_of(const iod_request_t *r) {
  iod_websocket_handshake_t h = iod_websocket_handshake(&r->listener->settings.policy);
  for (unsigned i = 0; i < r->head.header_count; i++) {
    const iod_header_t *header = &r->headers[i];
    iod_websocket_handshake_see(&h, iod_request_slice(r, header->name), iod_request_slice(r, header->value));
  }
  return h;
}

static bool accepts_events(const iod_request_t *r) {
  for (unsigned i = 0; i < r->head.header_count; i++) {
    const iod_header_t *header = &r->headers[i];
    if (header->known == IOD_HEADER_OTHER && iod_slice_is(iod_request_slice(r, header->name), IOD_SLICE("accept")) &&
        iod_accepts_event_stream(iod_request_slice(r, header->value)))
      return true;
  }
  return false;
}

int iod_upgrade_read(iod_request_t *r) {
  if (r->head.method_id != IOD_METHOD_GET || r->head.minor == 0) return 0;
  if (r->head.upgrade) {
    iod_websocket_handshake_t h = handshake_of(r);
    int result = iod_websocket_handshake_check(&h);
    if (result < 0) return result;
    if (result > 0) r->asks = IOD_ASKS_WEBSOCKET;
    r->deflate = h.agreed;
  }
  if (!r->asks && accepts_events(r)) r->asks = IOD_ASKS_EVENTS;
  return 0;
}

iod_slice_t iod_upgrade_lines(int status) {
  return status == 426 ? IOD_SLICE("upgrade: websocket\r\n" IOD_WEBSOCKET_VERSION_LINE) : (iod_slice_t){0};
}

/* ---- the answer ---- */

int iod_upgrade_answer(const iod_request_t *r, iod_buffer_t *out) {
  static const iod_slice_t events =
      IOD_SLICE("content-type: text/event-stream\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"
                "connection: close\r\n");
  if (r->asks == IOD_ASKS_EVENTS) return iod_buffer_append(out, events.at, events.length);
  iod_websocket_handshake_t h = handshake_of(r);
  return iod_websocket_handshake_answer(&h, out);
}

typedef struct upgrade_command {
  iod_command_t command; /* first */
  iod_request_t *request;
  iod_connection_t *connection;
  int status;
  size_t length;
  char head[];
} upgrade_command_t;

/* The client has gone: it never was open. */
static void refuse(iod_connection_t *c) { iod_connection_closed(c); }

static void upgrade(iod_server_t *server, iod_request_t *request, iod_connection_t *c, int status, iod_slice_t head) {
  iod_http_t *http = iod_http_of(server, request);
  if (!http) {
    refuse(c);
    return;
  }
  iod_segment_t segment = iod_segment_bytes(head.at, head.length);
  iod_http_uncork(http);
  http->status = (uint16_t)status;
  if (!iod_stream_open(&http->stream) || iod_stream_send(&http->stream, &segment, head.length > 0)) {
    refuse(c);
    return;
  }
  switch ((iod_connection_kind_t)c->kind) {
  case IOD_CONNECTION_WEBSOCKET: iod_websocket_open(http, c, &request->deflate); break;
  case IOD_CONNECTION_SSE: iod_event_line_open(http, c); break;
  case IOD_CONNECTION_RAW: iod_http_become_line(http, c, &iod_raw_stream_ops, &iod_raw_ops, 0); break;
  }
}

static void apply_upgrade(iod_server_t *server, iod_command_t *command) {
  upgrade_command_t *u = (upgrade_command_t *)command;
  upgrade(server, u->request, u->connection, u->status, (iod_slice_t){u->head, u->length});
  iod_request_unref(u->request);
  iod_free(u);
}

void iod_request_upgrade(iod_server_t *server, iod_request_t *request, iod_connection_t *c, int status,
                         iod_slice_t head) {
  if (server->inherited) return;
  if (!iod_server_trylock(server)) {
    upgrade_command_t *u = iod_alloc(sizeof *u + head.length);
    if (u) {
      *u = (upgrade_command_t){
          .command.apply = apply_upgrade, .request = request, .connection = c, .status = status, .length = head.length};
      memcpy(u->head, head.at, head.length);
      atomic_fetch_add(&request->references, 1);
      iod_server_command(server, &u->command);
      return;
    }
    iod_server_lock(server); /* without memory for a command there is no way but to wait */
  }
  upgrade(server, request, c, status, head);
  iod_server_unlock(server);
}
