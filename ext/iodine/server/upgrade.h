/* Requests whose connection becomes something else if the application wants it: a WebSocket or an event stream. */
#ifndef IOD_SERVER_UPGRADE_H
#define IOD_SERVER_UPGRADE_H

#include "connection.h"
#include "listener.h"

/* Reads what a complete request asks for into it, before anybody sees it. 0; or an error whose number is the status of
 * the answer: a WebSocket's handshake that is malformed, of another version (426), or of an origin that is not allowed
 * (403). */
IOD_MUST_USE int iod_upgrade_read(iod_request_t *request);

/* The lines of an answer to a status of iod_upgrade_read, or empty. */
iod_slice_t iod_upgrade_lines(int status);

/* Appends the lines of the answer that are the protocol's own, for a request that asks for it. 0 or IOD_E_NOMEM. */
IOD_MUST_USE int iod_upgrade_answer(const iod_request_t *request, iod_buffer_t *out);

/* The connection of a request that asks for it, and that nobody has answered, becomes `connection` (new, of the kind
 * that is asked for, with its callbacks' side ready); head is the whole answer. It is told OPEN, or, if the client has
 * gone, CLOSE alone. Takes over the reactor's reference to it. [app] */
void iod_request_upgrade(iod_server_t *server, iod_request_t *request, iod_connection_t *connection, int status,
                         iod_slice_t head);

#endif
