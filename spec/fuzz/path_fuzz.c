/* Any bytes as a target's path: a file that can't be outside its folder, and the Location that leads back to it. */
#include "../../ext/iodine/protocol/path.h"
#include "fuzz.h"

static void check_segments(const char *file, size_t length) {
  static const char known[] = ".well-known";
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)file[i];
    REQUIRE(c >= ' ' && c != 0x7f && c != '\\');
    bool starts = i == 0 || file[i - 1] == '/';
    REQUIRE(!(starts && c == '/'));
    if (!starts || c != '.') continue;
    size_t n = sizeof(known) - 1;
    REQUIRE(i == 0 && length >= n && memcmp(file, known, n) == 0 && (length == n || file[n] == '/'));
  }
}

static void check_location(iod_slice_t file) {
  char again[IOD_PATH_ROOM];
  iod_buffer_t location = {0};
  REQUIRE(iod_path_append_location(&location, file, NULL) == 0);
  const char *text = iod_buffer_head(&location);
  size_t length = iod_buffer_length(&location);
  REQUIRE(length > 2 && text[0] == '/' && text[1] != '/' && text[1] != '\\');
  for (size_t i = 0; i < length; i++) REQUIRE(text[i] > ' ' && text[i] < 0x7f && text[i] != '?');
  long n = iod_path_resolve(again, (iod_slice_t){text, length});
  if (file.length < IOD_PATH_ROOM - 2)
    REQUIRE(n == (long)file.length + 1 && memcmp(again, file.at, file.length) == 0 && again[n - 1] == '/');
  iod_buffer_deinit(&location);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  static char file[IOD_PATH_ROOM];
  long n = iod_path_resolve(file, (iod_slice_t){test_flush(input, length), length});
  if (n < 0) {
    REQUIRE(n == IOD_E_BAD_REQUEST);
    return 0;
  }
  REQUIRE((size_t)n < length && file[n] == '\0');
  check_segments(file, (size_t)n);
  if (n > 0 && file[n - 1] != '/') check_location((iod_slice_t){file, (size_t)n});
  return 0;
}
