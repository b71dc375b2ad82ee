/* What a server answers, whole and byte by byte. And its lines as parts of a request: what is written must be one
 * request, whose handshake is fine. */
#include "../../ext/iodine/protocol/websocket_reply.h"
#include "../../ext/iodine/protocol/websocket_request.h"
#include "fuzz.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

enum { FIELDS = 8 };

static iod_websocket_reply_t start(void) {
  iod_websocket_reply_t reply;
  iod_websocket_reply_init(&reply, IOD_SLICE(KEY), IOD_SLICE("chat, superchat"));
  return reply;
}

static void check_reply(const uint8_t *input, size_t length) {
  iod_websocket_reply_t whole = start(), grown = start();
  int expected = iod_websocket_reply_parse(&whole, test_flush(input, length), length), result = 0;
  REQUIRE(expected <= 0 ? (expected < 0) == (whole.why != NULL) : (size_t)expected <= length && whole.status == 101);
  for (size_t n = 0; n <= length && result == 0; n++)
    result = iod_websocket_reply_parse(&grown, test_flush(input, n), n);
  REQUIRE(result == expected && grown.status == whole.status && grown.why == whole.why);
  REQUIRE(grown.protocol.at == whole.protocol.at && grown.protocol.length == whole.protocol.length);
}

/* The next line; an empty one behind the last. */
static iod_slice_t line_of(iod_slice_t *rest) {
  const char *feed = rest->length ? memchr(rest->at, '\n', rest->length) : NULL;
  iod_slice_t line = {rest->at, feed ? (size_t)(feed - rest->at) : rest->length};
  size_t used = line.length + (feed != NULL);
  *rest = (iod_slice_t){rest->at + used, rest->length - used};
  return line;
}

static size_t fields_of(iod_slice_t *rest, iod_websocket_field_t fields[FIELDS]) {
  size_t count = 0;
  while (count < FIELDS && rest->length) {
    iod_slice_t line = line_of(rest);
    const char *colon = line.length ? memchr(line.at, ':', line.length) : NULL;
    if (!colon) break;
    size_t name = (size_t)(colon - line.at);
    fields[count].name = (iod_slice_t){line.at, name};
    fields[count++].value = (iod_slice_t){colon + 1, line.length - name - 1};
  }
  return count;
}

static void check_handshake(const iod_http1_parser_t *parser, const char *bytes) {
  static const iod_websocket_policy_t policy;
  iod_websocket_handshake_t h = iod_websocket_handshake(&policy);
  for (size_t i = 0; i < parser->head.header_count; i++) {
    iod_span_t name = parser->headers[i].name, value = parser->headers[i].value;
    iod_websocket_handshake_see(&h, (iod_slice_t){bytes + name.at, name.length},
                                (iod_slice_t){bytes + value.at, value.length});
  }
  REQUIRE(iod_websocket_handshake_check(&h) == 1);
}

static void check_request(const uint8_t *input, size_t length) {
  static const iod_http1_limits_t limits = {
      .head = 32768, .line = 32768, .request_line = 32768, .headers = 128, .body = 32768};
  static iod_http1_parser_t parser;
  iod_slice_t rest = {test_flush(input, length), length};
  iod_websocket_field_t headers[FIELDS], cookies[FIELDS];
  iod_websocket_request_t r = {.headers = headers, .cookies = cookies};
  r.target = line_of(&rest);
  r.host = line_of(&rest);
  r.protocols = line_of(&rest);
  r.header_count = fields_of(&rest, headers);
  r.cookie_count = fields_of(&rest, cookies);
  r.body = rest;
  iod_buffer_t out = {0};
  size_t key_at;
  int result = iod_websocket_request_write(&r, &out, &key_at);
  REQUIRE(result == (iod_websocket_request_fault(&r) ? IOD_E_BAD_REQUEST : 0));
  if (result == 0) {
    const char *bytes = iod_buffer_head(&out);
    memcpy(iod_buffer_head(&out) + key_at, KEY, strlen(KEY));
    iod_http1_parser_reset(&parser);
    int head = iod_http1_parse_head(&parser, &limits, bytes, iod_buffer_length(&out));
    REQUIRE(head > 0 && (size_t)head + r.body.length == iod_buffer_length(&out));
    size_t lines = 5u + (r.protocols.length > 0) + r.header_count + (r.cookie_count > 0) + (r.body.length > 0);
    REQUIRE(parser.head.upgrade && parser.head.header_count == lines);
    check_handshake(&parser, bytes);
  }
  iod_buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  check_reply(input, length);
  check_request(input, length);
  return 0;
}
