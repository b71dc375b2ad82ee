#pragma once
/* The text message that all send: the same bytes but for the stamp in it, which says who sent it, as which, and when.
 * Frames are masked with one constant key, so that all but the stamp is masked once for all. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP = 32 }; /* "WSL:", and in hex: publisher 4, number 8, time 16 */

typedef struct {
  unsigned publisher;
  uint32_t number;
  uint64_t time; /* ns: when it was due */
} stamp_t;

typedef struct {
  uint8_t *front; /* the frame's head and the masked text before the stamp */
  uint8_t *rest;  /* the masked text behind the stamp */
  size_t front_length, rest_length;
  size_t mask_at; /* the stamp's offset in the frame's payload */
  char *text;     /* what comes back, not masked */
  size_t length, stamp_at;
} message_t;

extern message_t message;

/* size ≥ STAMP; echo says which action Action Cable's message names. */
void message_make(size_t size, bool echo);
/* The stamp as it is sent behind message.front. */
void message_stamp(uint8_t out[STAMP], stamp_t stamp);
/* False if text of that length has no whole stamp. */
bool message_find(const char *text, size_t length, stamp_t *stamp);
/* Are these length bytes, at that offset of an echo, what was sent? The stamp is left out. */
bool message_same(const uint8_t *bytes, size_t length, size_t offset);
/* Action Cable's identifier of subscribers or publishers, as the inside of a JSON string. */
const char *message_identifier(bool publisher);
/* The masked head of a frame of that length; at most 14 bytes. */
size_t message_head(uint8_t *head, unsigned opcode, uint64_t length);
void message_mask(uint8_t *out, const void *bytes, size_t length, size_t offset);
