/* Responses after which the connection speaks another protocol: env["rack.upgrade"] and its older names. With the GVL.
 */
#ifndef IOD_BRIDGE_RACK_UPGRADE_H
#define IOD_BRIDGE_RACK_UPGRADE_H

#include "rack_exchange.h"

void iod_rack_upgrade_init(VALUE iodine_module);

/* If the application wants it, and the request asks for it, and the status is under 300: sends the answer and hands the
 * connection to the callbacks. False: the response is an ordinary one. [raises] */
bool iod_rack_upgrade(iod_rack_exchange_t *exchange);

#endif
