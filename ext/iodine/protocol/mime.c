#include "mime.h"

#include "mime_table.h"

enum { EXTENSIONS = sizeof(MIME_EXTENSIONS) / sizeof(*MIME_EXTENSIONS) };

typedef struct key {
  char bytes[sizeof(MIME_EXTENSIONS[0].name)];
} mime_key_t;

/* Lower case and padded; false when there is none or it is longer than all known ones. */
static bool key_of(iod_slice_t path, mime_key_t *key) {
  const char *end = path.at + path.length, *p = end;
  while (p > path.at && p[-1] != '.' && p[-1] != '/') p--;
  size_t length = (size_t)(end - p);
  if (p == path.at || p[-1] != '.' || length >= sizeof(key->bytes)) return false;
  memset(key, 0, sizeof(*key));
  for (size_t i = 0; i < length; i++) key->bytes[i] = (unsigned)(p[i] - 'A') < 26u ? (char)(p[i] | 0x20) : p[i];
  return true;
}

iod_slice_t iod_mime_type(iod_slice_t path) {
  mime_key_t key;
  size_t low = 0, high = key_of(path, &key) ? EXTENSIONS : 0;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = memcmp(key.bytes, MIME_EXTENSIONS[middle].name, sizeof(key.bytes));
    if (order == 0) return MIME_TYPES[MIME_EXTENSIONS[middle].type];
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return IOD_SLICE("application/octet-stream");
}
