#include "../../../ext/iodine/protocol/glob.h"
#include "../test.h"

#include <stdlib.h>

static const struct {
  const char *pattern, *name;
  bool matches;
} CASES[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "", false},
    {"*", "a", true},
    {"*", "", false},
    {"**", "abc", true},
    {"abc", "abc", true},
    {"abc", "abd", false},
    {"abc", "ab", false},
    {"abc", "abcd", false},
    {"a*", "a", true},
    {"a**", "a", true},
    {"a*", "ba", false},
    {"*a", "banana", true},
    {"*a", "bananas", false},
    {"b*n*a", "banana", true},
    {"b*x*a", "banana", false},
    {"*.*", "a.b", true},
    {"?", "a", true},
    {"?", "ab", false},
    {"a?c", "abc", true},
    {"a?", "a", false},
    {"*?", "a", true},
    {"?*?", "a", false},
    {"[abc]", "b", true},
    {"[abc]", "d", false},
    {"[^abc]", "d", true},
    {"[^abc]", "a", false},
    {"[a-c]", "b", true},
    {"[a-c]", "d", false},
    {"[c-a]", "b", true},
    {"[^a-c]", "d", true},
    {"[a-c0-9]x", "5x", true},
    {"[]", "a", false},
    {"[^]", "a", true},
    {"[a", "a", true},
    {"[a", "b", false},
    {"[", "[", false},
    {"[^", "x", true},
    {"[a-]", "]", true},
    {"[a-]", "b", false},
    {"[a\\]]", "]", true},
    {"[\\-]", "-", true},
    {"[\\a-c]", "b", false},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\", "\\", true},
    {"a\\", "a\\", true},
    {"\\\\", "\\", true},
    {"\\a", "a", true},
    {"[a\\", "\\", true},
    {"h[ae]llo*", "hello world", true},
    {"room:*:*", "room:1:2", true},
    {"room:*:*", "room:1", false},
    {"*\xff*",
     "a\xff"
     "b",
     true},
    {"[\x80-\xff]", "\xc3", true},
};

TEST(globs) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].pattern);
    iod_slice_t pattern = {CASES[i].pattern, strlen(CASES[i].pattern)}, name = {CASES[i].name, strlen(CASES[i].name)};
    CHECK(iod_glob_matches(pattern, name) == CASES[i].matches);
  }
}

/* Exponential in the stars it would never end. */
TEST(globs_with_many_stars) {
  enum { NAME = 5000, STARS = 200 };
  char *name = malloc(NAME), pattern[2 * STARS + 1];
  memset(name, 'a', NAME);
  for (size_t i = 0; i < STARS; i++) memcpy(pattern + 2 * i, "*a", 2);
  CHECK(iod_glob_matches((iod_slice_t){pattern, 2 * STARS}, (iod_slice_t){name, NAME}));
  pattern[2 * STARS] = 'b';
  CHECK(!iod_glob_matches((iod_slice_t){pattern, 2 * STARS + 1}, (iod_slice_t){name, NAME}));
  free(name);
}
