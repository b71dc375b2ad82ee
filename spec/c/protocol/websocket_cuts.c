#include "websocket_cuts.h"

#include "../flush.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVERY_CUT_UP_TO = 300, SOME_CUTS = 23 };

static void say(iod_buffer_t *said, const char *text, size_t length) {
  if (iod_buffer_append(said, text, length) != 0) abort();
}

static void say_event(iod_buffer_t *said, const iod_websocket_event_t *event) {
  static const char *const names[16] = {[1] = "text", [2] = "binary", [8] = "close", [9] = "ping", [10] = "pong"};
  char head[32];
  if (!names[event->opcode]) abort();
  if (iod_buffer_length(said) > 0) say(said, " ", 1);
  int n = event->opcode == IOD_WEBSOCKET_CLOSE ? sprintf(head, "close(%d%s", event->code, event->data.length ? "," : "")
                                               : sprintf(head, "%s(", names[event->opcode]);
  say(said, head, (size_t)n);
  say(said, event->data.at, event->data.length);
  say(said, ")", 1);
}

static void say_error(iod_buffer_t *said, int64_t error) {
  char text[32];
  say(said, text, (size_t)sprintf(text, "%serror(%d)", iod_buffer_length(said) ? " " : "", (int)-error));
}

static bool feed(iod_websocket_reader_t *reader, const char *bytes, size_t length, iod_buffer_t *said) {
  char *at = test_flush(bytes, length);
  while (length > 0) {
    iod_websocket_event_t event;
    int64_t n = iod_websocket_read(reader, at, length, &event);
    if (n < 0) {
      say_error(said, n);
      return false;
    }
    if (event.opcode != 0) say_event(said, &event);
    if ((size_t)n > length || (event.opcode == 0 && (size_t)n < length)) abort(); /* breaks the contract */
    at += n;
    length -= (size_t)n;
  }
  return true;
}

/* A first piece, and then pieces of `size`. */
static iod_buffer_t in_pieces(const iod_websocket_rules_t *rules, const iod_websocket_deflate_t *agreed,
                              const char *bytes, size_t length, size_t first, size_t size) {
  iod_websocket_reader_t reader;
  iod_buffer_t said = {0};
  iod_websocket_reader_init(&reader, rules, agreed);
  bool on = feed(&reader, bytes, first, &said);
  for (size_t at = first; on && at < length; at += size)
    on = feed(&reader, bytes + at, length - at < size ? length - at : size, &said);
  iod_websocket_reader_rest(&reader);
  if (reader.message.capacity > 2 * rules->limit + 1024) abort(); /* at most twice what is allowed */
  iod_websocket_reader_deinit(&reader);
  return said;
}

static bool same(iod_buffer_t *other, const iod_buffer_t *said, const char *how, size_t n) {
  size_t length = iod_buffer_length(said);
  bool equal = iod_buffer_length(other) == length &&
               (length == 0 || memcmp(iod_buffer_head(other), iod_buffer_head(said), length) == 0);
  if (!equal)
    printf("  %s %zu: \"%.*s\", but whole: \"%.*s\"\n", how, n, (int)iod_buffer_length(other),
           other->bytes ? iod_buffer_head(other) : "", (int)length, said->bytes ? iod_buffer_head(said) : "");
  iod_buffer_deinit(other);
  return equal;
}

bool websocket_cuts(const iod_websocket_rules_t *rules, const iod_websocket_deflate_t *agreed, const char *bytes,
                    size_t length, iod_buffer_t *said) {
  *said = in_pieces(rules, agreed, bytes, length, length, 1);
  size_t step = length <= EVERY_CUT_UP_TO ? 1 : length / SOME_CUTS;
  for (size_t cut = 1; cut < length; cut += step) {
    iod_buffer_t other = in_pieces(rules, agreed, bytes, length, cut, length);
    if (!same(&other, said, "cut at", cut)) return false;
  }
  for (size_t size = 1; size <= 3; size++) {
    iod_buffer_t other = in_pieces(rules, agreed, bytes, length, 0, size);
    if (!same(&other, said, "in pieces of", size)) return false;
  }
  return true;
}
