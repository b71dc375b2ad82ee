/* Content types by a file name's extension. Pure; the table is generated (rake mime). */
#ifndef IOD_PROTOCOL_MIME_H
#define IOD_PROTOCOL_MIME_H

#include "../base/slice.h"

/* "text/html; charset=utf-8" for "a/b.HTML": by what is behind the last dot of the last segment, in any case. Text of
 * all kinds (JavaScript, JSON and XML too) is said to be UTF-8. Unknown: "application/octet-stream". Static. */
iod_slice_t iod_mime_type(iod_slice_t path);

#endif
