/* From what the application returned to what the client gets. With the GVL. */
#ifndef IOD_BRIDGE_RACK_RESPONSE_H
#define IOD_BRIDGE_RACK_RESPONSE_H

#include "rack_exchange.h"

void iod_rack_response_init(void);

/* Takes [status, headers, body] apart and sends it, to its end. The body isn't closed. Raises what the body raises, and
 * TypeError or ArgumentError for what can't be sent; then exchange->writer (or ->stream) says how far it came. */
void iod_rack_respond(iod_rack_exchange_t *exchange, VALUE response);

#endif
