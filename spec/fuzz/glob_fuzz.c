/* A pattern, a line's end and a name: the same as a matcher that tries everything, while that has few stars to try. */
#include "../../ext/iodine/protocol/glob.h"
#include "fuzz.h"

typedef struct text {
  const uint8_t *at;
  size_t n;
} text_t;

static text_t skip(text_t text, size_t n) { return (text_t){text.at + n, text.n - n}; }

/* How long the token that stands for one byte is; *has: c is one of its. */
static size_t token(text_t p, uint8_t c, bool *has) {
  if (p.at[0] == '?') return *has = true, 1;
  if (p.at[0] == '\\' && p.n > 1) return *has = p.at[1] == c, 2;
  if (p.at[0] != '[') return *has = p.at[0] == c, 1;
  size_t i = 1;
  bool inverse = p.n > 1 && p.at[1] == '^', found = false;
  for (i += inverse; i < p.n && p.at[i] != ']';) {
    if (p.at[i] == '\\' && p.n - i > 1) {
      found |= p.at[i + 1] == c;
      i += 2;
    } else if (p.n - i > 2 && p.at[i + 1] == '-') {
      uint8_t a = p.at[i], b = p.at[i + 2];
      found |= (a <= c && c <= b) || (b <= c && c <= a);
      i += 3;
    } else {
      found |= p.at[i++] == c;
    }
  }
  *has = found != inverse;
  return i < p.n ? i + 1 : i;
}

static bool tries(text_t p, text_t s) {
  if (p.n == 0) return s.n == 0;
  if (p.at[0] == '*') return tries(skip(p, 1), s) || (s.n > 0 && tries(p, skip(s, 1)));
  bool has;
  if (s.n == 0) return false;
  size_t n = token(p, s.at[0], &has);
  return has && tries(skip(p, n), skip(s, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  const char *at = test_flush(input, length);
  const char *feed = length > 0 ? memchr(at, '\n', length) : NULL;
  if (!feed) return 0;
  iod_slice_t pattern = {at, (size_t)(feed - at)}, name = {feed + 1, length - pattern.length - 1};
  bool matches = iod_glob_matches(pattern, name);
  size_t stars = 0;
  for (size_t i = 0; i < pattern.length; i++) stars += pattern.at[i] == '*';
  if (stars > 4 || name.length > 40 || name.length == 0) return 0;
  text_t p = {(const uint8_t *)pattern.at, pattern.length}, s = {(const uint8_t *)name.at, name.length};
  REQUIRE(tries(p, s) == matches);
  return 0;
}
