#include "range.h"

#include "chars.h"
#include "http1_response.h"

typedef struct text {
  const char *at, *end;
} text_t;

static bool more(const text_t *text) { return text->at < text->end; }

static bool take(text_t *text, char c) {
  if (!more(text) || *text->at != c) return false;
  text->at++;
  return true;
}

static void skip_blanks(text_t *text) {
  while (more(text) && iod_char_is(*text->at, IOD_CHAR_BLANK)) text->at++;
}

/* False when there is no digit. A number that is too large for any file stays the largest. */
static bool take_number(text_t *text, uint64_t *number) {
  const char *start = text->at;
  uint64_t n = 0;
  for (; more(text) && *text->at >= '0' && *text->at <= '9'; text->at++) {
    unsigned digit = (unsigned)(*text->at - '0');
    n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
  }
  *number = n;
  return text->at > start;
}

/* One member. False when it is malformed; one without a byte of the file has the length 0. */
static bool take_range(text_t *text, uint64_t file_length, iod_range_t *range) {
  uint64_t first = 0, last = UINT64_MAX;
  bool from_start = take_number(text, &first);
  if (!take(text, '-')) return false;
  bool to_end = !take_number(text, &last);
  if (to_end && !from_start) return false;
  if (!from_start) {
    uint64_t length = last < file_length ? last : file_length;
    *range = (iod_range_t){file_length - length, length};
    return true;
  }
  if (to_end) last = UINT64_MAX;
  if (last < first) return false;
  bool inside = first < file_length;
  if (inside && last > file_length - 1) last = file_length - 1;
  *range = (iod_range_t){first, inside ? last - first + 1 : 0};
  return true;
}

static bool touch(const iod_range_t *a, const iod_range_t *b) {
  return a->first <= b->first + b->length && b->first <= a->first + a->length;
}

static iod_range_t joined(const iod_range_t *a, const iod_range_t *b) {
  uint64_t first = a->first < b->first ? a->first : b->first;
  uint64_t a_end = a->first + a->length, b_end = b->first + b->length;
  return (iod_range_t){first, (a_end > b_end ? a_end : b_end) - first};
}

/* Those that the new one touches become one with it, in the place of the first of them. The others are apart from it
 * whatever it grew to: a range that grows does so only by ranges they were apart from. False when there are too many.
 */
static bool add(iod_ranges_t *ranges, iod_range_t range) {
  size_t kept = 0, place = IOD_RANGES_MAX;
  for (size_t i = 0; i < ranges->count; i++) {
    if (touch(&ranges->at[i], &range)) {
      range = joined(&ranges->at[i], &range);
      if (place == IOD_RANGES_MAX) place = kept++;
    } else {
      ranges->at[kept++] = ranges->at[i];
    }
  }
  if (place == IOD_RANGES_MAX) {
    if (kept == IOD_RANGES_MAX) return false;
    place = kept++;
  }
  ranges->at[place] = range;
  ranges->count = kept;
  return true;
}

/* Of a ranges-specifier, what stands behind "bytes=". */
static bool take_set(iod_ranges_t *ranges, text_t *text, uint64_t file_length, bool *any) {
  for (;;) {
    skip_blanks(text);
    if (take(text, ',')) continue; /* empty members are allowed: RFC 9110 section 5.6.1.2 */
    if (!more(text)) return true;
    iod_range_t range;
    if (!take_range(text, file_length, &range)) return false;
    if (range.length > 0 && !add(ranges, range)) return false;
    *any = true;
    skip_blanks(text);
    if (more(text) && !take(text, ',')) return false;
  }
}

int iod_ranges_parse(iod_ranges_t *ranges, iod_slice_t value, uint64_t file_length) {
  static const size_t unit = sizeof("bytes=") - 1;
  ranges->count = 0;
  if (file_length == 0 || value.length < unit || !iod_slice_is((iod_slice_t){value.at, unit}, IOD_SLICE("bytes=")))
    return 0;
  text_t text = {value.at + unit, value.at + value.length};
  bool any = false;
  if (!take_set(ranges, &text, file_length, &any) || !any) return 0;
  return ranges->count > 0 ? (int)ranges->count : IOD_E_RANGE;
}

size_t iod_range_content(char room[IOD_CONTENT_RANGE_ROOM], const iod_range_t *range, uint64_t file_length) {
  char *out = room;
  memcpy(out, "bytes ", 6);
  out += 6;
  if (range) {
    out += iod_decimal(out, range->first);
    *out++ = '-';
    out += iod_decimal(out, range->first + range->length - 1);
  } else {
    *out++ = '*';
  }
  *out++ = '/';
  out += iod_decimal(out, file_length);
  return (size_t)(out - room);
}
