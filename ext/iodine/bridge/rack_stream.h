/* The stream that a body which responds to call writes to: class Iodine::Rack::Stream. The application closes it, from
 * any thread, also after `call` has returned. With the GVL. */
#ifndef IOD_BRIDGE_RACK_STREAM_H
#define IOD_BRIDGE_RACK_STREAM_H

#include "rack_writer.h"

#include <ruby.h>
#include <stdbool.h>

void iod_rack_stream_init(VALUE rack_module);

/* The writer moves into the stream. input: what `read` reads. May raise NoMemoryError. */
VALUE iod_rack_stream_new(iod_rack_writer_t *writer, VALUE input);

/* `call` has returned: the head goes out at the latest now. [raises] */
void iod_rack_stream_returned(VALUE stream);

/* The application has not closed it yet. */
bool iod_rack_stream_open(VALUE stream);

/* `call` has failed: the response is broken off. True if the client is gone, so that the failure is no surprise. Never
 * raises. */
bool iod_rack_stream_abort(VALUE stream);

#endif
