/* Strings lent to the server: kept alive, and in their place, until it has sent them. With the GVL. */
#ifndef IOD_BRIDGE_RACK_PIN_H
#define IOD_BRIDGE_RACK_PIN_H

#include "../server/handler.h"

#include <ruby.h>

/* From this size on lending is cheaper than copying. */
enum { IOD_RACK_PIN_MIN = 32 * 1024 };

void iod_rack_pin_init(void);

/* A segment of the string's bytes: lent (copy on write: the string stays the application's to change) if it is long,
 * else borrowed until the caller's return. May raise NoMemoryError. */
iod_segment_t iod_rack_segment(VALUE string, size_t length);

/* The server has finished with a segment. */
void iod_rack_released(iod_release_job_t *job);

#endif
