/* What a cluster counts, as text. Reads the shared mapping alone: any thread, of any process that has it. */
#ifndef IOD_SERVER_STATS_TEXT_H
#define IOD_SERVER_STATS_TEXT_H

#include "../base/printer.h"
#include "shared.h"

/* What is the same for both texts. */
typedef struct iod_totals {
  iod_counters_t counters;
  uint64_t http, requests, waiting, lines[IOD_STATS_LINES];
  uint64_t threads, running;
  uint32_t places;  /* that were ever used by workers */
  uint32_t serving; /* workers that take connections */
  uint32_t ready;   /* those of them that get to it */
  uint64_t now_us;
} iod_totals_t;

/* Two counts that were read one after the other may disagree. */
static inline uint64_t iod_less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

void iod_totals_sum(iod_totals_t *totals, const iod_shared_t *shared);

/* A JSON object in one line. */
void iod_stats_print_json(iod_printer_t *printer, const iod_shared_t *shared);

/* Prometheus' text format, version 0.0.4. */
void iod_stats_print_prometheus(iod_printer_t *printer, const iod_shared_t *shared);

#endif
