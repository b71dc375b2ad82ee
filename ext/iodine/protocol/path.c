#include "path.h"

#include "chars.h"

/* The byte at *at, decoded; *at then is at its last one. Negative when it stands in no file's name: '/' is for the
 * caller, so an encoded one is not. */
static int name_byte(const char **at, const char *end) {
  const char *p = *at;
  char c = *p;
  if (iod_char_is(c, IOD_CHAR_HOST)) return c; /* most are */
  if (c == '%') {
    if (end - p < 3 || !iod_char_is(p[1], IOD_CHAR_HEX) || !iod_char_is(p[2], IOD_CHAR_HEX)) return -1;
    c = (char)(iod_char_hex(p[1]) << 4 | iod_char_hex(p[2]));
    if (c == '/') return -1;
    *at = p + 2;
  }
  if (c == '\\' || c == '\t' || !iod_char_is(c, IOD_CHAR_VALUE)) return -1;
  return (unsigned char)c;
}

/* Of the names that begin with a dot only the first may be served, and only this one (RFC 8615). */
static bool hidden(const char *file) {
  static const char known[] = ".well-known";
  size_t n = sizeof(known) - 1;
  return file[0] == '.' && (strncmp(file, known, n) != 0 || (file[n] != '/' && file[n] != '\0'));
}

long iod_path_resolve(char out[IOD_PATH_ROOM], iod_slice_t path) {
  if (path.length == 0 || *path.at != '/') return IOD_E_BAD_REQUEST;
  size_t length = 0;
  bool in_name = false;
  for (const char *p = path.at, *end = p + path.length; p < end; p++) {
    if (*p == '/' && !in_name) continue;
    int c = name_byte(&p, end);
    if (c < 0 || (c == '.' && !in_name && length > 0) || length == IOD_PATH_ROOM - 1) return IOD_E_BAD_REQUEST;
    out[length++] = (char)c;
    in_name = c != '/';
  }
  out[length] = '\0';
  return hidden(out) ? IOD_E_BAD_REQUEST : (long)length;
}

/* As RFC 3986 section 3.3 has it in a path; the rest is encoded. */
static bool plain(char c) { return iod_char_is(c, IOD_CHAR_HOST) || c == '/' || c == ':' || c == '@'; }

/* Room was reserved. */
static void put(iod_buffer_t *out, char c) { out->bytes[out->end++] = c; }

int iod_path_append_location(iod_buffer_t *out, iod_slice_t file, const iod_slice_t *query) {
  static const char digits[] = "0123456789ABCDEF";
  size_t query_length = query ? query->length : 0;
  if (file.length > IOD_PATH_ROOM || query_length > SIZE_MAX / 2) return IOD_E_NOMEM;
  if (iod_buffer_reserve(out, 3 * file.length + query_length + 3) != 0) return IOD_E_NOMEM;
  put(out, '/');
  for (size_t i = 0; i < file.length; i++) {
    char c = file.at[i];
    if (plain(c)) {
      put(out, c);
    } else {
      put(out, '%');
      put(out, digits[(unsigned char)c >> 4]);
      put(out, digits[c & 15]);
    }
  }
  put(out, '/');
  if (!query) return 0;
  put(out, '?');
  for (size_t i = 0; i < query_length; i++) put(out, query->at[i]);
  return 0;
}
