#pragma once
/* Which message of which publisher reached which subscriber, and in which order. */
#include <stdint.h>

typedef struct {
  uint64_t unique, lost, doubled, reordered; /* lost: a later one came */
} ledger_t;

extern ledger_t ledger;

void ledger_prepare(int subscribers, int publishers);
/* 0 if it came before. */
int ledger_add(int subscriber, unsigned publisher, uint32_t number);
