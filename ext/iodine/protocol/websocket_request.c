#include "websocket_request.h"

#include "../base/base64.h"
#include "chars.h"
#include "http1_head.h"
#include "list.h"

#include <stdio.h>

enum { HOST_MAX = 255, HOST_ROOM = HOST_MAX + sizeof ":65535" };

void iod_websocket_key(char out[IOD_WEBSOCKET_KEY_LENGTH], const uint8_t nonce[IOD_WEBSOCKET_NONCE]) {
  iod_base64_encode(out, (iod_slice_t){(const char *)nonce, IOD_WEBSOCKET_NONCE});
}

/* ---- what may be written ---- */

static bool is_token(iod_slice_t text) {
  for (size_t i = 0; i < text.length; i++)
    if (!iod_char_is(text.at[i], IOD_CHAR_TOKEN)) return false;
  return text.length > 0;
}

static bool is_target(iod_slice_t text) {
  for (size_t i = 0; i < text.length; i++)
    if (!iod_char_is(text.at[i], IOD_CHAR_PATH) && text.at[i] != '?') return false;
  return text.length == 0 || text.at[0] == '/';
}

/* The value of Host; empty: there is no such host. */
static iod_slice_t host_of(const iod_websocket_request_t *r, char room[HOST_ROOM]) {
  if (r->host.length == 0 || r->host.length > HOST_MAX) return (iod_slice_t){0};
  size_t length = r->host.length;
  memcpy(room, r->host.at, length);
  if (r->port && r->port != (r->secure ? 443 : 80))
    length += (size_t)snprintf(room + length, HOST_ROOM - length, ":%u", (unsigned)r->port);
  return (iod_slice_t){room, iod_http1_host_valid(room, length) ? length : 0};
}

static bool is_value(iod_slice_t text) { return iod_chars_are_value(text.at, text.length); }

static bool are_protocols(iod_slice_t list) {
  while (list.length)
    if (!is_token(iod_list_take(&list, ','))) return false;
  return true;
}

static bool begins(iod_slice_t name, iod_slice_t lower) {
  return name.length >= lower.length && iod_slice_is((iod_slice_t){name.at, lower.length}, lower);
}

static bool is_ours(const iod_websocket_request_t *r, iod_slice_t name) {
  static const iod_slice_t names[] = {
      {"host", 4}, {"connection", 10}, {"upgrade", 7}, {"content-length", 14}, {"transfer-encoding", 17}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (iod_slice_is(name, names[i])) return true;
  if (r->cookie_count && iod_slice_is(name, IOD_SLICE("cookie"))) return true;
  return begins(name, IOD_SLICE("sec-websocket-"));
}

static const char *header_fault(const iod_websocket_request_t *r) {
  for (size_t i = 0; i < r->header_count; i++) {
    if (!is_token(r->headers[i].name)) return "a header's name is malformed";
    if (!is_value(r->headers[i].value)) return "a header's value has control characters";
    if (is_ours(r, r->headers[i].name)) return "a header is set that belongs to the handshake";
  }
  return NULL;
}

static const char *cookie_fault(const iod_websocket_request_t *r) {
  for (size_t i = 0; i < r->cookie_count; i++) {
    iod_slice_t value = r->cookies[i].value;
    if (!is_token(r->cookies[i].name)) return "a cookie's name is malformed";
    if (!is_value(value) || (value.length && memchr(value.at, ';', value.length)))
      return "a cookie's value has control characters or a semicolon";
  }
  return NULL;
}

const char *iod_websocket_request_fault(const iod_websocket_request_t *r) {
  char room[HOST_ROOM];
  if (r->method.length && !is_token(r->method)) return "the method is malformed";
  if (!is_target(r->target)) return "the path is malformed";
  if (host_of(r, room).length == 0) return "the host's name is malformed";
  if (!are_protocols(r->protocols)) return "the sub-protocols are no list of names";
  const char *fault = header_fault(r);
  return fault ? fault : cookie_fault(r);
}

/* ---- writing ---- */

static int add(iod_buffer_t *out, iod_slice_t text) { return iod_buffer_append(out, text.at, text.length); }

static int add_line(iod_buffer_t *out, iod_slice_t name, iod_slice_t value) {
  return add(out, name) || add(out, IOD_SLICE(": ")) || add(out, value) || add(out, IOD_SLICE("\r\n"));
}

static int add_start(iod_buffer_t *out, const iod_websocket_request_t *r) {
  char room[HOST_ROOM];
  return add(out, r->method.length ? r->method : IOD_SLICE("GET")) || add(out, IOD_SLICE(" ")) ||
         add(out, r->target.length ? r->target : IOD_SLICE("/")) || add(out, IOD_SLICE(" HTTP/1.1\r\n")) ||
         add_line(out, IOD_SLICE("Host"), host_of(r, room)) ||
         add(out, IOD_SLICE("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"));
}

static int add_key_line(iod_buffer_t *out) {
  static const char room[IOD_WEBSOCKET_KEY_LENGTH];
  return add_line(out, IOD_SLICE("Sec-WebSocket-Key"), (iod_slice_t){room, sizeof room});
}

static int add_cookies(iod_buffer_t *out, const iod_websocket_request_t *r) {
  for (size_t i = 0; i < r->cookie_count; i++) {
    const iod_websocket_field_t *cookie = &r->cookies[i];
    if (add(out, i == 0 ? IOD_SLICE("Cookie: ") : IOD_SLICE("; ")) || add(out, cookie->name) ||
        add(out, IOD_SLICE("=")) || add(out, cookie->value))
      return IOD_E_NOMEM;
  }
  return r->cookie_count ? add(out, IOD_SLICE("\r\n")) : 0;
}

static int add_lines(iod_buffer_t *out, const iod_websocket_request_t *r) {
  char length[24];
  if (r->protocols.length && add_line(out, IOD_SLICE("Sec-WebSocket-Protocol"), r->protocols)) return IOD_E_NOMEM;
  for (size_t i = 0; i < r->header_count; i++)
    if (add_line(out, r->headers[i].name, r->headers[i].value)) return IOD_E_NOMEM;
  if (add_cookies(out, r)) return IOD_E_NOMEM;
  if (r->body.length == 0) return 0;
  int digits = snprintf(length, sizeof length, "%zu", r->body.length);
  return add_line(out, IOD_SLICE("Content-Length"), (iod_slice_t){length, (size_t)digits});
}

int iod_websocket_request_write(const iod_websocket_request_t *r, iod_buffer_t *out, size_t *key_at) {
  size_t before = iod_buffer_length(out);
  if (iod_websocket_request_fault(r)) return IOD_E_BAD_REQUEST;
  if (add_start(out, r) == 0 && add_key_line(out) == 0) {
    *key_at = iod_buffer_length(out) - before - IOD_WEBSOCKET_KEY_LENGTH - strlen("\r\n");
    if (add_lines(out, r) == 0 && add(out, IOD_SLICE("\r\n")) == 0 && add(out, r->body) == 0) return 0;
  }
  iod_buffer_cut(out, iod_buffer_length(out) - before);
  return IOD_E_NOMEM;
}
