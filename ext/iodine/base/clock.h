/* Time. Monotonic milliseconds for deadlines, wall-clock seconds for dates. Any thread. */
#ifndef IOD_BASE_CLOCK_H
#define IOD_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

uint64_t iod_clock_ms(void); /* CLOCK_MONOTONIC */
uint64_t iod_clock_us(void);

/* RFC 9110 section 5.6.7 IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT": always these 29 bytes, not terminated. No
 * locale, no gmtime. Seconds before 1970 or past 9999 are clamped. */
enum { IOD_DATE_LENGTH = 29 };
void iod_date_format(char out[IOD_DATE_LENGTH], time_t seconds);

#endif
