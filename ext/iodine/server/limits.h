/* How many connections this process can hold. */
#ifndef IOD_SERVER_LIMITS_H
#define IOD_SERVER_LIMITS_H

#include <stdint.h>

/* Raises the limit of descriptors to the hard one, and keeps some for the application's files and databases. At
 * least 1. */
uint32_t iod_limits_capacity(void);

#endif
