/* File names that change with their content, so that a client may keep the file for ever. Pure. */
#ifndef IOD_PROTOCOL_FINGERPRINT_H
#define IOD_PROTOCOL_FINGERPRINT_H

#include "../base/slice.h"

/* True for a path (relative, as iod_path_resolve gives it) under "assets/" whose last segment has a name, '-' or '.',
 * 8 to 64 hex digits and then '.' and an extension: "assets/app-0a1b2c3d.js", "assets/a/b.0a1b2c3d.css.map". */
bool iod_fingerprint_in(iod_slice_t path);

#endif
