#include "event_stream.h"

#include "chars.h"

static iod_slice_t trim(iod_slice_t text) {
  while (text.length && iod_char_is(text.at[0], IOD_CHAR_BLANK)) text.at++, text.length--;
  while (text.length && iod_char_is(text.at[text.length - 1], IOD_CHAR_BLANK)) text.length--;
  return text;
}

/* What stands before the mark; `rest` gets what is behind it. */
static iod_slice_t take(iod_slice_t *rest, char mark) {
  const char *found = rest->length ? memchr(rest->at, mark, rest->length) : NULL;
  iod_slice_t part = {rest->at, found ? (size_t)(found - rest->at) : rest->length};
  size_t used = part.length + (found != NULL);
  *rest = (iod_slice_t){rest->at + used, rest->length - used};
  return trim(part);
}

/* "q=0", "q=0.", "q=0.000" */
static bool refuses(iod_slice_t parameter) {
  if (parameter.length < 3 || !iod_slice_is((iod_slice_t){parameter.at, 3}, IOD_SLICE("q=0"))) return false;
  for (size_t i = 3; i < parameter.length; i++)
    if (parameter.at[i] != (i == 3 ? '.' : '0')) return false;
  return true;
}

bool iod_accepts_event_stream(iod_slice_t accept) {
  while (accept.length) {
    iod_slice_t member = take(&accept, ',');
    if (!iod_slice_is(take(&member, ';'), IOD_SLICE("text/event-stream"))) continue;
    bool refused = false;
    while (member.length) refused |= refuses(take(&member, ';'));
    if (!refused) return true;
  }
  return false;
}
