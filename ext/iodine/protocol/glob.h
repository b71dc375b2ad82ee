/* Patterns of channel names, with the meaning they have in Redis: * any bytes, ? one, [a-z0] one of these, [^x] one but
 * these, \ the next byte as it is. Bytes, not characters. Pure. */
#ifndef IOD_PROTOCOL_GLOB_H
#define IOD_PROTOCOL_GLOB_H

#include "../base/slice.h"

/* Any pattern is well formed: a class without its end goes to the pattern's end, and a last \ is itself. An empty name
 * matches only an empty pattern. At most pattern × name steps, whatever the number of stars. */
bool iod_glob_matches(iod_slice_t pattern, iod_slice_t name);

#endif
