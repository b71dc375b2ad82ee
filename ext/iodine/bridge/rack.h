/* Rack: one request from the server to the application and its response back. With the GVL. */
#ifndef IOD_BRIDGE_RACK_H
#define IOD_BRIDGE_RACK_H

#include "../server/handler.h"
#include "rack_env.h" /* iod_rack_listener_new */
#include "rack_pin.h" /* iod_rack_released */

#include <ruby.h>

void iod_rack_init(VALUE iodine_module);

/* Calls the listener's application with the request and sends its response; closes the body, runs what waits for the
 * end of the response and gives the request back, whatever happens. Never raises: 0, or a state that the caller must
 * jump with (this thread is being killed). */
int iod_rack_serve(iod_server_t *server, iod_request_t *request, VALUE listener);

#endif
