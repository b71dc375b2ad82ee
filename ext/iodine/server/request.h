/* Making requests; what the application's side sees of them is in handler.h. */
#ifndef IOD_SERVER_REQUEST_H
#define IOD_SERVER_REQUEST_H

#include "handler.h"
#include "spool.h"

/* With two references, the connection's and the application's; bytes of the head are copied. NULL when out of memory.
 */
IOD_MUST_USE iod_request_t *iod_request_new(const iod_http1_parser_t *parser, const char *bytes);

/* Moves the body in. */
void iod_request_set_body(iod_request_t *request, iod_spool_t *spool);

#endif
