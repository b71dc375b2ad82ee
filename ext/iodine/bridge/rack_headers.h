/* The headers of a Rack response, or of early hints: checked, written as lines, and read where they concern the server.
 * With the GVL. */
#ifndef IOD_BRIDGE_RACK_HEADERS_H
#define IOD_BRIDGE_RACK_HEADERS_H

#include "../base/buffer.h"

#include <ruby.h>
#include <stdbool.h>
#include <stdint.h>

/* What the headers say to the server. Those lines are not in the output (but for a date); the server writes its own. */
typedef struct iod_rack_headers {
  uint64_t length; /* content-length */
  VALUE hijack;    /* "rack.hijack", or nil */
  VALUE protocol;  /* "rack.protocol", or nil */
  VALUE sendfile;  /* x-sendfile, or nil */
  VALUE coding;    /* transfer-encoding, if its last coding is chunked, or nil */
  bool has_length;
  bool bad_length; /* it isn't a number */
  bool close;      /* connection: close */
  bool has_date;
} iod_rack_headers_t;

void iod_rack_headers_init(void);

/* Appends the lines to `out`. A value that is an Array, or holds line feeds (Rack 2), becomes several lines; nil
 * becomes none. Raises ArgumentError for a name or value that can't be sent (nothing that an attacker wrote splits a
 * response), TypeError for headers that are not a Hash or don't respond to each. */
void iod_rack_headers_write(VALUE headers, iod_buffer_t *out, iod_rack_headers_t *read);

#endif
