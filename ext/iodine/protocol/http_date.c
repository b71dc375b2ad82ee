#include "http_date.h"

#include <stdbool.h>

/* In a form a lower-case letter is a digit of the number of that name, three of 'w' or 'b' are a name of the week's
 * days or the months, 'e' may be a blank too; all else is itself. */
#define IMF_FIXDATE "www, dd bbb yyyy hh:mm:ss GMT"
#define RFC_850     ", dd-bbb-yy hh:mm:ss GMT" /* behind the day of the week */
#define ASCTIME     "www bbb ed hh:mm:ss yyyy"

typedef struct numbers {
  int of['z' - 'a' + 1];
} numbers_t;

#define OF(numbers, letter) (numbers)->of[(letter) - 'a']

/* Which of these three-letter names text begins with, or -1. */
static int name_at(const char *text, const char *names) {
  for (int i = 0; names[3 * i] != '\0'; i++)
    if (memcmp(text, names + 3 * i, 3) == 0) return i;
  return -1;
}

static bool match_name(const char *text, const char *names, int *number) {
  *number = name_at(text, names);
  return *number >= 0;
}

static bool match_digit(const char *text, char letter, numbers_t *numbers) {
  if (letter == 'e') return *text == ' ' || match_digit(text, 'd', numbers);
  if (*text < '0' || *text > '9') return false;
  int *number = &OF(numbers, letter);
  *number = *number * 10 + (*text - '0');
  return true;
}

static bool match(const char *text, const char *form, numbers_t *numbers) {
  *numbers = (numbers_t){0};
  bool fits = true;
  for (size_t i = 0; fits && form[i] != '\0'; i++) {
    char letter = form[i];
    if (letter == 'w' || letter == 'b') {
      const char *names = letter == 'w' ? "SunMonTueWedThuFriSat" : "JanFebMarAprMayJunJulAugSepOctNovDec";
      fits = match_name(text + i, names, &OF(numbers, letter));
      i += 2;
    } else if (letter >= 'a' && letter <= 'z') {
      fits = match_digit(text + i, letter, numbers);
    } else {
      fits = text[i] == letter;
    }
  }
  return fits;
}

static bool long_weekday(iod_slice_t name) {
  static const char *const names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
    if (iod_slice_equal(name, (iod_slice_t){names[i], strlen(names[i])})) return true;
  return false;
}

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_of(int month, int year) {
  return month == 1 ? 28 + is_leap(year) : 30 + ((month + (month > 6)) % 2 == 0);
}

/* From 1970 to January 1st of a year from 0 on. */
static int64_t days_before(int year) {
  int64_t leaps = year == 0 ? 0 : (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1; /* the year 0 is one */
  return (int64_t)year * 365 + leaps - 719528;
}

/* A second more than 59 is a leap second, and the next minute's first. */
static int seconds_of(const numbers_t *n, int year, int64_t *seconds) {
  int month = OF(n, 'b'), day = OF(n, 'd');
  if (day < 1 || day > days_of(month, year)) return IOD_E_BAD_REQUEST;
  if (OF(n, 'h') > 23 || OF(n, 'm') > 59 || OF(n, 's') > 60) return IOD_E_BAD_REQUEST;
  int64_t days = days_before(year) + day - 1;
  for (int i = 0; i < month; i++) days += days_of(i, year);
  *seconds = days * 86400 + OF(n, 'h') * 3600 + OF(n, 'm') * 60 + OF(n, 's');
  return 0;
}

/* The latest year with these last digits that is not over 50 years after `now`, to the second. */
static int parse_short_year(const numbers_t *n, int64_t now, int64_t *seconds) {
  static const int64_t fifty_years = INT64_C(50) * 31556952; /* of 365.2425 days */
  int result = IOD_E_BAD_REQUEST;
  for (int century = 99; century >= 0; century--) {
    result = seconds_of(n, century * 100 + OF(n, 'y'), seconds);
    if (result == 0 && *seconds <= now + fifty_years) return 0;
  }
  return IOD_E_BAD_REQUEST;
}

int iod_http_date_parse(iod_slice_t text, int64_t now, int64_t *seconds) {
  numbers_t n;
  if (text.length == sizeof(IMF_FIXDATE) - 1 && match(text.at, IMF_FIXDATE, &n))
    return seconds_of(&n, OF(&n, 'y'), seconds);
  if (text.length == sizeof(ASCTIME) - 1 && match(text.at, ASCTIME, &n)) return seconds_of(&n, OF(&n, 'y'), seconds);
  if (text.length < sizeof(RFC_850)) return IOD_E_BAD_REQUEST;
  size_t weekday = text.length - (sizeof(RFC_850) - 1);
  if (!long_weekday((iod_slice_t){text.at, weekday}) || !match(text.at + weekday, RFC_850, &n))
    return IOD_E_BAD_REQUEST;
  return parse_short_year(&n, now, seconds);
}
