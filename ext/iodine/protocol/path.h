/* From a request's target to a file below a folder, and back (RFC 3986 sections 2.1, 3.3). Bytes in, bytes out: whether
 * there is such a file is not known here. Linear. */
#ifndef IOD_PROTOCOL_PATH_H
#define IOD_PROTOCOL_PATH_H

#include "../base/buffer.h"
#include "../base/result.h"
#include "../base/slice.h"

enum { IOD_PATH_ROOM = 4096 }; /* what a path may have with its NUL */

/* The file that a target's path (without "?") names, relative to the folder: decoded once, terminated, never with a
 * leading slash; empty for "/", with a slash at its end if the target has one. Runs of slashes count as one.
 * The length (without the NUL), or IOD_E_BAD_REQUEST when it names no file that is ever served:
 * - no leading slash; a '%' without two hex digits; longer than the room;
 * - a segment that begins with a dot ("..", ".", ".env"), but for a first one that is ".well-known";
 * - NUL, other controls, DEL or a backslash, as they are or encoded; an encoded slash.
 * out may not overlap path. */
IOD_MUST_USE long iod_path_resolve(char out[IOD_PATH_ROOM], iod_slice_t path);

/* Appends the Location of a folder that was asked for without its slash: "/docs/?a=b" for the file "docs" as resolved
 * and the query as sent (NULL: there was no "?"). Always one slash and a name: never another host or scheme. 0 or
 * IOD_E_NOMEM (then nothing was appended). */
IOD_MUST_USE int iod_path_append_location(iod_buffer_t *out, iod_slice_t file, const iod_slice_t *query);

#endif
