#include "clock.h"

#include <string.h>

static struct timespec monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now;
}

uint64_t iod_clock_ms(void) {
  struct timespec now = monotonic();
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t iod_clock_us(void) {
  struct timespec now = monotonic();
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

enum { SECONDS_A_DAY = 86400, DAYS_IN_400_YEARS = 146097 };
static const int64_t LAST_SECOND = INT64_C(253402300799); /* Fri, 31 Dec 9999 23:59:59 GMT */

typedef struct civil {
  unsigned year, month, day; /* month and day from 0 */
} civil_t;

/* Years that begin in March have the leap day last, so the months' lengths are one linear formula. Day 719468 of that
 * calendar, which begins on March 1st of the year 0, is 1970-01-01. */
static civil_t civil_of_day(unsigned day) {
  unsigned shifted = day + 719468;
  unsigned era = shifted / DAYS_IN_400_YEARS, of_era = shifted % DAYS_IN_400_YEARS;
  unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
  unsigned march_month = (5 * of_year + 2) / 153;
  unsigned month = march_month < 10 ? march_month + 2 : march_month - 10;
  return (civil_t){
      .year = year + era * 400 + (month < 2), .month = month, .day = of_year - (153 * march_month + 2) / 5};
}

static void put_two(char *out, unsigned n) {
  out[0] = (char)('0' + n / 10);
  out[1] = (char)('0' + n % 10);
}

void iod_date_format(char out[IOD_DATE_LENGTH], time_t seconds) {
  int64_t t = (int64_t)seconds;
  if (t < 0) t = 0;
  if (t > LAST_SECOND) t = LAST_SECOND;
  unsigned day = (unsigned)(t / SECONDS_A_DAY), second = (unsigned)(t % SECONDS_A_DAY);
  civil_t date = civil_of_day(day);
  memcpy(out, "Ddd, 00 Mmm 0000 00:00:00 GMT", IOD_DATE_LENGTH);
  memcpy(out, &"ThuFriSatSunMonTueWed"[day % 7 * 3], 3); /* 1970-01-01 was a Thursday */
  put_two(out + 5, date.day + 1);
  memcpy(out + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[date.month * 3], 3);
  put_two(out + 12, date.year / 100);
  put_two(out + 14, date.year % 100);
  put_two(out + 17, second / 3600);
  put_two(out + 20, second / 60 % 60);
  put_two(out + 23, second % 60);
}
