#include "../../../ext/iodine/base/clock.h"
#include "../test.h"

TEST(dates_by_hand) {
  static const struct {
    long long seconds;
    const char *date;
  } table[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110's */
      {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
      {1795368592, "Sun, 22 Nov 2026 17:29:52 GMT"},
      {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
      {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, /* no leap year */
      {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
  };
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    test_case(table[i].date);
    char date[IOD_DATE_LENGTH];
    iod_date_format(date, (time_t)table[i].seconds);
    CHECK_BYTES(date, IOD_DATE_LENGTH, table[i].date);
  }
}

TEST(dates_as_strftime) {
  /* A step that is no multiple of a day meets every day of the week, month and leap case from 1970 to 9999. */
  for (long long t = 0; t < 253402300800; t += 86400LL * 29 + 12345) {
    time_t seconds = (time_t)t;
    struct tm parts;
    char expected[64], date[IOD_DATE_LENGTH];
    strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &parts));
    iod_date_format(date, seconds);
    CHECK_BYTES(date, IOD_DATE_LENGTH, expected);
  }
}

TEST(clock_goes_forward) {
  uint64_t us = iod_clock_us(), ms = iod_clock_ms();
  CHECK(us > 0);
  CHECK(ms >= us / 1000);
  CHECK(ms - us / 1000 < 10000);
  CHECK(iod_clock_us() >= us);
}
