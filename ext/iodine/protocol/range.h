/* Range requests (RFC 9110 section 14). Pure; numbers of any size; linear, whatever the number of ranges. */
#ifndef IOD_PROTOCOL_RANGE_H
#define IOD_PROTOCOL_RANGE_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum { IOD_RANGES_MAX = 16 };

typedef struct iod_range {
  uint64_t first, length; /* length > 0; all of it inside the file */
} iod_range_t;

typedef struct iod_ranges {
  size_t count;
  iod_range_t at[IOD_RANGES_MAX]; /* in the order asked; apart from each other by at least a byte */
} iod_ranges_t;

/* A Range header's value for a file of this length. > 0: their number; ranges that overlap or touch are one, in the
 * place of the first. 0: there is nothing to obey, the whole file is the answer: another unit, malformed (also last <
 * first), a 17th range apart from those before it, or an empty file (no 206 can say "no bytes"). IOD_E_RANGE: well
 * formed, and none has a byte of the file (416). Several Range lines are none: the caller doesn't ask then. */
IOD_MUST_USE int iod_ranges_parse(iod_ranges_t *ranges, iod_slice_t value, uint64_t file_length);

/* A Content-Range value: "bytes 0-4/10", or with range NULL that of a 416, an asterisk in its place. Its length. */
enum { IOD_CONTENT_RANGE_ROOM = 70 };
size_t iod_range_content(char room[IOD_CONTENT_RANGE_ROOM], const iod_range_t *range, uint64_t file_length);

#endif
