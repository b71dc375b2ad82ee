#include "conditional.h"

#include "chars.h"
#include "http_date.h"

enum { IF_MATCH = 1, IF_NONE_MATCH = 2, IF_MODIFIED_SINCE = 4, IF_UNMODIFIED_SINCE = 8, IF_RANGE = 16 };

static uint8_t header_of(iod_slice_t name) {
  static const struct {
    iod_slice_t name;
    uint8_t header;
  } headers[] = {
      {{"if-none-match", 13}, IF_NONE_MATCH},
      {{"if-modified-since", 17}, IF_MODIFIED_SINCE},
      {{"if-range", 8}, IF_RANGE},
      {{"if-match", 8}, IF_MATCH},
      {{"if-unmodified-since", 19}, IF_UNMODIFIED_SINCE},
  };
  if (name.length < 8 || (name.at[0] | 0x20) != 'i' || name.at[2] != '-') return 0;
  for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
    if (iod_slice_is(name, headers[i].name)) return headers[i].header;
  return 0;
}

static bool blank(char c) { return iod_char_is(c, IOD_CHAR_BLANK); }

/* The entity-tag at *at, with its quotes and without "W/"; *at is then behind it. An empty slice when there is none. */
static iod_slice_t take_tag(const char **at, const char *end, bool *weak) {
  const char *p = *at;
  *weak = end - p >= 2 && p[0] == 'W' && p[1] == '/';
  if (*weak) p += 2;
  if (p == end || *p != '"') return (iod_slice_t){p, 0};
  const char *quote = memchr(p + 1, '"', (size_t)(end - p - 1));
  if (!quote) return (iod_slice_t){p, 0};
  *at = quote + 1;
  return (iod_slice_t){p, (size_t)(quote + 1 - p)};
}

/* A member is a tag that a comma or the end follows; anything else up to the next comma is none. */
static bool lists(iod_slice_t value, iod_slice_t etag, bool weakly) {
  if (value.length == 1 && *value.at == '*') return true;
  for (const char *p = value.at, *end = p + value.length; p < end; p++) {
    if (*p == ',' || blank(*p)) continue;
    bool weak;
    iod_slice_t tag = take_tag(&p, end, &weak);
    while (p < end && blank(*p)) p++;
    bool alone = p == end || *p == ',';
    if (alone && (weakly || !weak) && iod_slice_equal(tag, etag)) return true;
    while (p < end && *p != ',') p++;
  }
  return false;
}

static bool range_holds(const iod_conditional_t *c, iod_slice_t value) {
  const char *p = value.at, *end = p + value.length;
  bool weak;
  iod_slice_t tag = take_tag(&p, end, &weak);
  if (tag.length > 0) return p == end && !weak && iod_slice_equal(tag, c->etag);
  int64_t date;
  return iod_http_date_parse(value, c->now, &date) == 0 && date == c->mtime;
}

static void see_date(iod_conditional_t *c, uint8_t header, iod_slice_t value) {
  int64_t date;
  bool valid = !(c->seen & header) && iod_http_date_parse(value, c->now, &date) == 0;
  c->present = (uint8_t)(valid ? c->present | header : c->present & ~header);
  if (valid && (header == IF_MODIFIED_SINCE ? c->mtime > date : c->mtime <= date)) c->satisfied |= header;
}

static void see_range(iod_conditional_t *c, iod_slice_t value) {
  bool holds = !(c->seen & IF_RANGE) && range_holds(c, value);
  c->present |= IF_RANGE;
  c->satisfied = (uint8_t)(holds ? c->satisfied | IF_RANGE : c->satisfied & ~IF_RANGE);
}

static void see_tags(iod_conditional_t *c, uint8_t header, iod_slice_t value) {
  c->present |= header;
  if (lists(value, c->etag, header == IF_NONE_MATCH)) c->satisfied |= header;
}

void iod_conditional_see(iod_conditional_t *c, iod_slice_t name, iod_slice_t value) {
  uint8_t header = header_of(name);
  switch (header) {
  case 0: return;
  case IF_MATCH:
  case IF_NONE_MATCH: see_tags(c, header, value); break;
  case IF_RANGE: see_range(c, value); break;
  default: see_date(c, header, value);
  }
  c->seen |= header;
}

int iod_conditional_status(const iod_conditional_t *c) {
  if (c->present & IF_MATCH) {
    if (!(c->satisfied & IF_MATCH)) return 412;
  } else if (c->present & ~c->satisfied & IF_UNMODIFIED_SINCE) {
    return 412;
  }
  if (c->present & IF_NONE_MATCH) return c->satisfied & IF_NONE_MATCH ? 304 : 0;
  return c->present & ~c->satisfied & IF_MODIFIED_SINCE ? 304 : 0;
}

bool iod_conditional_range_applies(const iod_conditional_t *c) { return !(c->present & ~c->satisfied & IF_RANGE); }
