/* rack.input: class Iodine::Rack::Input. With the GVL. */
#ifndef IOD_BRIDGE_RACK_INPUT_H
#define IOD_BRIDGE_RACK_INPUT_H

#include "../server/handler.h"

#include <ruby.h>

void iod_rack_input_init(VALUE rack_module);

/* The input of every request that has no body: it can't be closed or used up. */
VALUE iod_rack_input_empty(void);

/* Takes the body out of the request. May raise NoMemoryError. */
VALUE iod_rack_input_new(iod_request_t *request);

/* As read(length = nil, buffer = nil), for whatever reads a request's body. */
VALUE iod_rack_input_read(int argc, const VALUE *argv, VALUE input);

/* Gives the memory or the file back now; the object may live on. */
void iod_rack_input_close(VALUE input);

#endif
