#include "message.h"

#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOSING = 64 }; /* room kept for the end of a JSON document */

message_t message;

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

void message_mask(uint8_t *out, const void *bytes, size_t length, size_t offset) {
  const uint8_t *in = bytes;
  for (size_t i = 0; i < length; i++) out[i] = in[i] ^ key[(offset + i) & 3];
}

static void put_number(uint8_t *out, uint64_t value, unsigned bytes) {
  while (bytes--) out[bytes] = (uint8_t)value, value >>= 8;
}

size_t message_head(uint8_t *head, unsigned opcode, uint64_t length) {
  unsigned extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
  head[0] = (uint8_t)(0x80 | opcode);
  head[1] = (uint8_t)(0x80 | (extra == 0 ? length : extra == 2 ? 126 : 127));
  put_number(head + 2, length, extra);
  memcpy(head + 2 + extra, key, sizeof key);
  return 2 + extra + sizeof key;
}

/* Text that doesn't repeat itself at once. */
static void fill(char *out, size_t length) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_ ";
  for (size_t i = 0; i < length; i++) out[i] = letters[i * 7 % (sizeof letters - 1)];
}

/* A list of things as web applications send them, whose numbers differ; spaces make the length up. */
static void fill_json(char *out, size_t length) {
  static const char *const colours[] = {"red", "green", "blue", "black", "white"};
  unsigned random = 1;
  size_t at = (size_t)snprintf(out, length, "\",\"items\":[");
  for (unsigned id = 1000; at + 2 * CLOSING < length; id++) {
    random = random * 1103515245 + 12345;
    at += (size_t)snprintf(
        out + at, length - at, "%s{\"id\":%u,\"name\":\"Item %u\",\"colour\":\"%s\",\"price\":%u.%02u}",
        id > 1000 ? "," : "", id, random >> 20, colours[random >> 16 & 3], random >> 24, random % 100);
  }
  memset(out + at, ' ', length - at);
  memcpy(out + length - 2, "]}", 2);
}

static char *escaped(const char *text) {
  char *out = malloc(strlen(text) * 2 + 1), *end = out;
  if (!out) exit(1);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') *end++ = '\\';
    *end++ = *text;
  }
  *end = 0;
  return out;
}

const char *message_identifier(bool publisher) {
  static char *identifiers[2];
  const char *own = publisher && options.cable_pub ? options.cable_pub : options.cable;
  if (!identifiers[publisher]) identifiers[publisher] = escaped(own);
  return identifiers[publisher];
}

/* The text, and where its stamp is. */
static void make_text(size_t size) {
  const char *before = options.json ? "{\"stamp\":\"" : "";
  message.text = malloc(size + 1);
  if (!message.text) exit(1);
  message.length = size;
  message.stamp_at = strlen(before);
  memcpy(message.text, before, message.stamp_at);
  size_t rest = message.stamp_at + STAMP;
  memset(message.text + message.stamp_at, '-', STAMP);
  (options.json ? fill_json : fill)(message.text + rest, size - rest);
  message.text[size] = 0;
}

/* The frame around it, with Action Cable's command if that is spoken. */
static void make_frame(const char *before, const char *after) {
  size_t lead = strlen(before), trail = strlen(after), rest = message.length - message.stamp_at - STAMP;
  uint8_t head[14];
  size_t head_length = message_head(head, 1, lead + message.length + trail);
  message.front_length = head_length + lead + message.stamp_at;
  message.rest_length = rest + trail;
  message.front = malloc(message.front_length);
  message.rest = malloc(message.rest_length + 1);
  if (!message.front || !message.rest) exit(1);
  memcpy(message.front, head, head_length);
  message_mask(message.front + head_length, before, lead, 0);
  message_mask(message.front + head_length + lead, message.text, message.stamp_at, lead);
  message.mask_at = lead + message.stamp_at;
  size_t behind = message.mask_at + STAMP;
  message_mask(message.rest, message.text + message.stamp_at + STAMP, rest, behind);
  message_mask(message.rest + rest, after, trail, behind + rest);
}

void message_make(size_t size, bool echo) {
  char before[1024] = "";
  make_text(size);
  if (options.cable)
    snprintf(before, sizeof before,
             "{\"command\":\"message\",\"identifier\":\"%s\",\"data\":\"{\\\"action\\\":\\\"%s\\\",\\\"m\\\":\\\"",
             message_identifier(!echo), echo ? "echo" : "pub");
  make_frame(before, options.cable ? "\\\"}\"}" : "");
}

static void put_hex(char *out, uint64_t value, unsigned digits) {
  while (digits--) out[digits] = "0123456789abcdef"[value & 15], value >>= 4;
}

void message_stamp(uint8_t out[STAMP], stamp_t stamp) {
  char plain[STAMP] = "WSL:";
  put_hex(plain + 4, stamp.publisher, 4);
  put_hex(plain + 8, stamp.number, 8);
  put_hex(plain + 16, stamp.time, 16);
  message_mask(out, plain, STAMP, message.mask_at);
}

static bool get_hex(const char *text, unsigned digits, uint64_t *value) {
  for (*value = 0; digits--; text++) {
    bool number = *text >= '0' && *text <= '9';
    if (!number && (*text < 'a' || *text > 'f')) return false;
    *value = *value << 4 | (uint64_t)(number ? *text - '0' : *text - 'a' + 10);
  }
  return true;
}

bool message_find(const char *text, size_t length, stamp_t *stamp) {
  const char *at = memmem(text, length, "WSL:", 4);
  uint64_t publisher, number;
  if (!at || at + STAMP > text + length) return false;
  if (!get_hex(at + 4, 4, &publisher) || !get_hex(at + 8, 8, &number) || !get_hex(at + 16, 16, &stamp->time))
    return false;
  stamp->publisher = (unsigned)publisher;
  stamp->number = (uint32_t)number;
  return true;
}

bool message_same(const uint8_t *bytes, size_t length, size_t offset) {
  if (offset + length > message.length) return false;
  size_t before = message.stamp_at, after = message.stamp_at + STAMP;
  if (offset < before) {
    size_t part = length < before - offset ? length : before - offset;
    if (memcmp(bytes, message.text + offset, part) != 0) return false;
  }
  if (offset + length <= after) return true;
  size_t skip = offset < after ? after - offset : 0;
  return memcmp(bytes + skip, message.text + offset + skip, length - skip) == 0;
}
