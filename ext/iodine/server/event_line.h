/* Event streams (HTML Standard, section 9.2): connections that an application writes events to. Under the state lock.
 */
#ifndef IOD_SERVER_EVENT_LINE_H
#define IOD_SERVER_EVENT_LINE_H

#include "connection.h"
#include "http.h"

/* A request whose answer's head is out. Takes over the reactor's reference. */
void iod_event_line_open(iod_http_t *http, iod_connection_t *connection);

#endif
