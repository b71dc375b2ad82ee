#include "../../../ext/iodine/base/clock.h"
#include "../../../ext/iodine/protocol/http_date.h"
#include "../flush.h"
#include "../test.h"

#define NOW INT64_C(1795000000) /* in November 2026 */
#define BAD INT64_MIN

static const struct {
  const char *text;
  int64_t seconds;
} CASES[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200},
    {"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
    {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
    {"Tue Nov 16 08:49:37 1994", 784975777},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777}, /* not a Monday */
    {"Thursday, 19-Nov-26 00:00:00 GMT", 1795046400},
    {"Saturday, 01-Jan-00 00:00:00 GMT", 946684800},
    {"Wednesday, 01-Jan-76 00:00:00 GMT", 3345062400}, /* 2076 */
    {"Saturday, 01-Jan-77 00:00:00 GMT", 220924800},   /* over 50 years ahead: 1977 */
    {"Thursday, 31-Dec-70 00:00:00 GMT", 3187209600},  /* 2070 */
    {"Tuesday, 29-Feb-00 00:00:00 GMT", 951782400},

    {"", BAD},
    {"0", BAD},
    {"now", BAD},
    {"784111777", BAD},
    {"Sun, 6 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 06 Nov 1994 08:49:37 UTC", BAD},
    {"Sun, 06 Nov 1994 08:49:37 +00", BAD},
    {"Sun, 06 Nov 1994 08:49:37", BAD},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", BAD},
    {" Sun, 06 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 06 nov 1994 08:49:37 GMT", BAD},
    {"sun, 06 Nov 1994 08:49:37 GMT", BAD},
    {"Xyz, 06 Nov 1994 08:49:37 GMT", BAD},
    {"unM, 06 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 06 ovD 1994 08:49:37 GMT", BAD},
    {"Sun, 00 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 31 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 32 Dec 1994 08:49:37 GMT", BAD},
    {"Wed, 29 Feb 2023 00:00:00 GMT", BAD},
    {"Thu, 29 Feb 1900 00:00:00 GMT", BAD},
    {"Sun, 06 Nov 1994 24:00:00 GMT", BAD},
    {"Sun, 06 Nov 1994 08:60:37 GMT", BAD},
    {"Sun, 06 Nov 1994 08:49:61 GMT", BAD},
    {"Sun, 06 Nov 19x4 08:49:37 GMT", BAD},
    {"Sun, -6 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 06-Nov-1994 08:49:37 GMT", BAD},
    {"Sun, 06-Nov-94 08:49:37 GMT", BAD},
    {"Sonntag, 06-Nov-94 08:49:37 GMT", BAD},
    {"Sunday, 06-Nov-94 08:49:37", BAD},
    {", 06-Nov-94 08:49:37 GMT", BAD},
    {"Sunday, 31-Feb-94 08:49:37 GMT", BAD},
    {"Sun Nov 6 08:49:37 1994", BAD},
    {"Sun Nov 06 08:49:37 94  ", BAD},
    {"Sun Nov    08:49:37 1994", BAD},
    {"Sun Nov  0 08:49:37 1994", BAD},
    {"Sun Nov 6  08:49:37 1994", BAD},
};

static int64_t seconds_of(const char *text, size_t length) {
  int64_t seconds;
  return iod_http_date_parse((iod_slice_t){test_flush(text, length), length}, NOW, &seconds) == 0 ? seconds : BAD;
}

TEST(http_dates_are_parsed) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].text);
    CHECK_INT(seconds_of(CASES[i].text, strlen(CASES[i].text)), CASES[i].seconds);
  }
}

TEST(http_dates_come_back) {
  char text[IOD_DATE_LENGTH];
  for (int64_t seconds = 0; seconds <= 253402300799; seconds += 86400 * 17 + 3671) {
    iod_date_format(text, (time_t)seconds);
    if (!CHECK(seconds_of(text, sizeof(text)) == seconds)) break;
  }
}
