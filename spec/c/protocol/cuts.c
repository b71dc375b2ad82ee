#include "cuts.h"

#include "../flush.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_CUT_UP_TO = 1024, SOME_CUTS = 61 };

static size_t step_for(size_t length) { return length <= EVERY_CUT_UP_TO ? 1 : length / SOME_CUTS; }

static int differ(const char *how, size_t cut) {
  printf("  not the same as whole: %s %zu\n", how, cut);
  return CUTS_DIFFER;
}

/* ---- heads ---- */

static int parse(iod_http1_parser_t *parser, const iod_http1_limits_t *limits, const char *bytes, size_t length) {
  return iod_http1_parse_head(parser, limits, test_flush(bytes, length), length);
}

static void start(iod_http1_parser_t *parser) {
  memset(parser, 0xa5, sizeof(*parser)); /* what reset leaves alone must not matter */
  iod_http1_parser_reset(parser);
}

static bool same_header(const iod_header_t *a, const iod_header_t *b) {
  return a->name.at == b->name.at && a->name.length == b->name.length && a->value.at == b->value.at &&
         a->value.length == b->value.length && a->known == b->known;
}

static bool same_head(const iod_http1_parser_t *a, const iod_http1_parser_t *b) {
  if (memcmp(&a->head, &b->head, sizeof(a->head)) != 0) return false;
  for (size_t i = 0; i < a->head.header_count; i++)
    if (!same_header(&a->headers[i], &b->headers[i])) return false;
  return true;
}

static bool same_outcome(int expected, const iod_http1_parser_t *whole, int result, const iod_http1_parser_t *other) {
  return result == expected && (result <= 0 || same_head(whole, other));
}

/* A part of it, then all of it. */
static int parse_cut(iod_http1_parser_t *parser, const iod_http1_limits_t *limits, const char *bytes, size_t length,
                     size_t cut) {
  start(parser);
  int result = parse(parser, limits, bytes, cut);
  return result != 0 ? result : parse(parser, limits, bytes, length);
}

static int parse_growing(iod_http1_parser_t *parser, const iod_http1_limits_t *limits, const char *bytes,
                         size_t length) {
  int result = 0;
  start(parser);
  for (size_t n = 0; n <= length && result == 0; n++) result = parse(parser, limits, bytes, n);
  return result;
}

/* What follows a head, or an error in it, changes nothing. */
static bool same_with_more(const iod_http1_limits_t *limits, const char *bytes, size_t length, int expected,
                           const iod_http1_parser_t *whole) {
  static const char *const more[] = {"x", "\n", "\r\n\r\n", "POST / HTTP/1.1\r\nHost: other\r\n\r\n", ": :\n\n"};
  char *longer = malloc(length + 64);
  bool same = true;
  for (size_t i = 0; i < sizeof(more) / sizeof(more[0]) && same; i++) {
    memcpy(longer, bytes, length);
    strcpy(longer + length, more[i]);
    iod_http1_parser_t other;
    start(&other);
    int result = parse(&other, limits, longer, length + strlen(more[i]));
    same = same_outcome(expected, whole, result, &other);
  }
  free(longer);
  return same;
}

int cuts_head(const iod_http1_limits_t *limits, const char *bytes, size_t length, iod_http1_parser_t *parser) {
  start(parser);
  int expected = parse(parser, limits, bytes, length);
  iod_http1_parser_t other;
  for (size_t cut = 0; cut < length; cut += step_for(length)) {
    int result = parse_cut(&other, limits, bytes, length, cut);
    if (!same_outcome(expected, parser, result, &other)) return differ("cut at", cut);
  }
  int result = parse_growing(&other, limits, bytes, length);
  if (!same_outcome(expected, parser, result, &other)) return differ("byte by byte, of", length);
  if (expected != 0 && !same_with_more(limits, bytes, length, expected, parser))
    return differ("with more behind", length);
  return expected;
}

/* ---- bodies ---- */

static void feed(iod_http1_body_t *body, cuts_body_t *result, const char *bytes, size_t length) {
  const char *piece = test_flush(bytes, length);
  while (length > 0 && result->error == 0 && !iod_http1_body_done(body)) {
    iod_slice_t data;
    int64_t used = iod_http1_body_decode(body, piece, length, &data);
    if (used <= 0 || (size_t)used > length || data.at < piece || data.at + data.length > piece + used) {
      result->error =
          used < 0 ? used : CUTS_DIFFER; /* 0 with bytes left, or a span outside of them, breaks the contract */
      return;
    }
    memcpy(result->data + result->length, data.at, data.length);
    result->length += data.length;
    result->used += (size_t)used;
    piece += used;
    length -= (size_t)used;
  }
}

static void begin(cuts_body_t *result, size_t length) { *result = (cuts_body_t){.data = calloc(1, length + 1)}; }

static void end(iod_http1_body_t *body, cuts_body_t *result) {
  result->done = iod_http1_body_done(body);
  if (result->error != 0) result->used = 0; /* how far it came in a piece isn't told */
  if (result->error == 0 && body->total != result->length) result->error = CUTS_DIFFER;
}

static bool same_body(const cuts_body_t *a, const cuts_body_t *b) {
  return a->error == b->error && a->used == b->used && a->length == b->length && a->done == b->done &&
         memcmp(a->data, b->data, a->length) == 0;
}

/* In pieces of `size` bytes after a first one of `first`. */
static bool same_in_pieces(const iod_http1_body_t *from, const cuts_body_t *expected, const char *bytes, size_t length,
                           size_t first, size_t size) {
  iod_http1_body_t body = *from;
  cuts_body_t result;
  begin(&result, length);
  feed(&body, &result, bytes, first);
  for (size_t at = first; at < length; at += size)
    feed(&body, &result, bytes + at, length - at < size ? length - at : size);
  end(&body, &result);
  bool same = same_body(expected, &result);
  free(result.data);
  return same;
}

int cuts_body(const iod_http1_body_t *from, const char *bytes, size_t length, cuts_body_t *result) {
  iod_http1_body_t body = *from;
  begin(result, length);
  feed(&body, result, bytes, length);
  end(&body, result);
  if (result->error == CUTS_DIFFER) return differ("contract broken, whole, of", length);
  for (size_t cut = 0; cut < length; cut += step_for(length))
    if (!same_in_pieces(from, result, bytes, length, cut, length)) return differ("cut at", cut);
  for (size_t size = 1; size <= 3; size++)
    if (!same_in_pieces(from, result, bytes, length, 0, size)) return differ("in pieces of", size);
  return 0;
}

/* ---- PROXY headers ---- */

int cuts_proxy_header(const char *bytes, size_t length, iod_proxy_header_t *header) {
  int expected = iod_proxy_header_parse(test_flush(bytes, length), length, header);
  for (size_t n = 0; n <= length; n += n < EVERY_CUT_UP_TO ? 1 : SOME_CUTS) {
    iod_proxy_header_t other;
    int result = iod_proxy_header_parse(test_flush(bytes, n), n, &other);
    if (result == 0 && (expected <= 0 || n < (size_t)expected)) continue; /* the rest decides */
    if (result != expected) return differ("cut at", n);
    if (result <= 0) continue;
    if (other.named != header->named) return differ("cut at", n);
    if (other.named && memcmp(&other.client, &header->client, sizeof other.client) != 0) return differ("cut at", n);
  }
  return expected;
}

/* ---- answers to a handshake ---- */

static int parse_reply(iod_websocket_reply_t *reply, const char *bytes, size_t length) {
  return iod_websocket_reply_parse(reply, test_flush(bytes, length), length);
}

static bool same_reply(int expected, const iod_websocket_reply_t *whole, int result,
                       const iod_websocket_reply_t *other) {
  return result == expected && other->status == whole->status && other->why == whole->why &&
         other->protocol.at == whole->protocol.at && other->protocol.length == whole->protocol.length;
}

static int reply_growing(iod_websocket_reply_t *reply, const char *bytes, size_t length) {
  int result = 0;
  for (size_t n = 0; n <= length && result == 0; n += n < EVERY_CUT_UP_TO ? 1 : SOME_CUTS)
    result = parse_reply(reply, bytes, n);
  return result != 0 ? result : parse_reply(reply, bytes, length);
}

int cuts_websocket_reply(const iod_websocket_reply_t *from, const char *bytes, size_t length,
                         iod_websocket_reply_t *reply) {
  *reply = *from;
  int expected = parse_reply(reply, bytes, length);
  for (size_t cut = 0; cut < length; cut += step_for(length)) {
    iod_websocket_reply_t other = *from;
    int result = parse_reply(&other, bytes, cut);
    if (result == 0) result = parse_reply(&other, bytes, length);
    if (!same_reply(expected, reply, result, &other)) return differ("cut at", cut);
  }
  iod_websocket_reply_t other = *from;
  int result = reply_growing(&other, bytes, length);
  return same_reply(expected, reply, result, &other) ? expected : differ("byte by byte, of", length);
}
