/* Text that is put together piece by piece. Memory that is missing is noticed once, at the end. Not thread safe. */
#ifndef IOD_BASE_PRINTER_H
#define IOD_BASE_PRINTER_H

#include "buffer.h"

#include <stdbool.h>

/* All zeroes is an empty one. The buffer is the caller's (iod_buffer_deinit). */
typedef struct iod_printer {
  iod_buffer_t buffer;
  bool failed; /* there was no memory for some of it */
} iod_printer_t;

void iod_print(iod_printer_t *printer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
