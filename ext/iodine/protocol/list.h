/* Field values that are lists (RFC 9110 section 5.6.1): elements between marks, with white space around them that is
 * none of theirs. */
#ifndef IOD_PROTOCOL_LIST_H
#define IOD_PROTOCOL_LIST_H

#include "../base/slice.h"

/* Without the spaces and tabs around it. */
iod_slice_t iod_list_trim(iod_slice_t text);

/* What stands before the first mark, trimmed; `rest` gets what is behind it. For a list that isn't empty. */
iod_slice_t iod_list_take(iod_slice_t *rest, char mark);

/* Is this an element between commas, but for case? */
bool iod_list_names(iod_slice_t list, iod_slice_t lower);

#endif
