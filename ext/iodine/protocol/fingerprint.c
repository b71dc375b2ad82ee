#include "fingerprint.h"

#include "chars.h"

enum { SHORTEST = 8, LONGEST = 64 };

bool iod_fingerprint_in(iod_slice_t path) {
  static const char folder[] = "assets/";
  if (path.length < sizeof(folder) || memcmp(path.at, folder, sizeof(folder) - 1) != 0) return false;
  const char *name = path.at + sizeof(folder) - 1, *end = path.at + path.length;
  for (const char *p = name; p < end; p++)
    if (*p == '/') name = p + 1;
  const char *digits = NULL; /* behind the last '-' or '.', while there are only hex digits */
  for (const char *p = name; p < end; p++) {
    bool separates = *p == '-' || *p == '.';
    if (*p == '.' && digits && p - digits >= SHORTEST && p - digits <= LONGEST && p + 1 < end) return true;
    if (separates && p > name) {
      digits = p + 1;
    } else if (!iod_char_is(*p, IOD_CHAR_HEX)) {
      digits = NULL;
    }
  }
  return false;
}
