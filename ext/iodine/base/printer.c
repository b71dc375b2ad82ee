#include "printer.h"

#include <stdarg.h>
#include <stdio.h>

enum { STEP = 256 };

/* How long it is, or < 0. */
static int print_into(iod_buffer_t *b, const char *format, va_list arguments) {
  return vsnprintf(iod_buffer_tail(b), iod_buffer_room(b), format, arguments);
}

void iod_print(iod_printer_t *p, const char *format, ...) {
  iod_buffer_t *b = &p->buffer;
  if (p->failed || (p->failed = iod_buffer_reserve(b, STEP) != 0)) return;
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int n = print_into(b, format, arguments);
  if (n >= 0 && (size_t)n >= iod_buffer_room(b)) /* with the terminator */
    n = iod_buffer_reserve(b, (size_t)n + 1) ? -1 : print_into(b, format, again);
  va_end(again);
  va_end(arguments);
  p->failed = n < 0;
  if (n > 0) iod_buffer_extend(b, (size_t)n);
}
