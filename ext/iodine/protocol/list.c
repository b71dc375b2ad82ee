#include "list.h"

#include "chars.h"

iod_slice_t iod_list_trim(iod_slice_t text) {
  while (text.length && iod_char_is(text.at[0], IOD_CHAR_BLANK)) text.at++, text.length--;
  while (text.length && iod_char_is(text.at[text.length - 1], IOD_CHAR_BLANK)) text.length--;
  return text;
}

iod_slice_t iod_list_take(iod_slice_t *rest, char mark) {
  const char *found = rest->length ? memchr(rest->at, mark, rest->length) : NULL;
  iod_slice_t part = {rest->at, found ? (size_t)(found - rest->at) : rest->length};
  size_t used = part.length + (found != NULL);
  *rest = (iod_slice_t){rest->at + used, rest->length - used};
  return iod_list_trim(part);
}

bool iod_list_names(iod_slice_t list, iod_slice_t lower) {
  while (list.length)
    if (iod_slice_is(iod_list_take(&list, ','), lower)) return true;
  return false;
}
