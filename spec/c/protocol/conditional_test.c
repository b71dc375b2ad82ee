#include "../../../ext/iodine/protocol/conditional.h"
#include "../flush.h"
#include "../test.h"

#define ETAG   "\"a,b-1\""
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define MTIME  "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

enum { MAX_LINES = 3 };

static const struct {
  const char *name;
  struct {
    const char *name, *value;
  } lines[MAX_LINES];
  int status;
  bool no_range;
} CASES[] = {
    {"no header", {{0}}, 0, false},
    {"others", {{"Host", ETAG}, {"If", ETAG}, {"If-Matchx", "\"x\""}}, 0, false},

    {"If-None-Match: ours", {{"If-None-Match", ETAG}}, 304, false},
    {"in any case", {{"IF-NONE-MATCH", ETAG}}, 304, false},
    {"weakly", {{"if-none-match", "W/" ETAG}}, 304, false},
    {"a star", {{"if-none-match", "*"}}, 304, false},
    {"in a list", {{"if-none-match", "\"x\", W/\"y\" ,\t" ETAG ",\"z\""}}, 304, false},
    {"in a list without blanks", {{"if-none-match", "\"x\"," ETAG}}, 304, false},
    {"with empty members", {{"if-none-match", ", ,\"x\",," ETAG ",,"}}, 304, false},
    {"behind malformed ones", {{"if-none-match", "x, \"y\"z, 'w', " ETAG}}, 304, false},
    {"in the second line", {{"if-none-match", "\"x\""}, {"if-none-match", ETAG}}, 304, false},
    {"in the first line", {{"if-none-match", ETAG}, {"if-none-match", "\"x\""}}, 304, false},
    {"another", {{"if-none-match", "\"x\""}}, 0, false},
    {"a part of it", {{"if-none-match", "\"a\", \"b-1\", \"a,b-\""}}, 0, false},
    {"in another case", {{"if-none-match", "\"A,b-1\""}}, 0, false},
    {"w/", {{"if-none-match", "w/" ETAG}}, 0, false},
    {"no quotes", {{"if-none-match", "a,b-1"}}, 0, false},
    {"no quote at the end", {{"if-none-match", "\"a,b-1"}}, 0, false},
    {"no quote at the start", {{"if-none-match", "a,b-1\""}}, 0, false},
    {"something behind", {{"if-none-match", ETAG "x"}}, 0, false},
    {"another behind, without a comma", {{"if-none-match", ETAG " \"x\""}}, 0, false},
    {"W/ and a blank", {{"if-none-match", "W/ " ETAG}}, 0, false},
    {"a star in a list", {{"if-none-match", "\"x\", *"}}, 0, false},
    {"a star in quotes", {{"if-none-match", "\"*\""}}, 0, false},
    {"nothing", {{"if-none-match", ""}}, 0, false},
    {"a quote", {{"if-none-match", "\""}}, 0, false},
    {"W", {{"if-none-match", "W"}}, 0, false},

    {"If-Modified-Since: the same", {{"If-Modified-Since", MTIME}}, 304, false},
    {"later", {{"if-modified-since", AFTER}}, 304, false},
    {"earlier", {{"if-modified-since", BEFORE}}, 0, false},
    {"asctime", {{"if-modified-since", "Sun Nov  6 08:49:37 1994"}}, 304, false},
    {"malformed", {{"if-modified-since", "now"}}, 0, false},
    {"twice", {{"if-modified-since", MTIME}, {"if-modified-since", MTIME}}, 0, false},
    {"three times", {{"if-modified-since", MTIME}, {"if-modified-since", "x"}, {"if-modified-since", MTIME}}, 0, false},
    {"If-None-Match decides, no", {{"if-modified-since", MTIME}, {"if-none-match", "\"x\""}}, 0, false},
    {"If-None-Match decides, yes", {{"if-none-match", ETAG}, {"if-modified-since", BEFORE}}, 304, false},

    {"If-Match: ours", {{"If-Match", ETAG}}, 0, false},
    {"If-Match: a star", {{"if-match", "*"}}, 0, false},
    {"If-Match: a list", {{"if-match", "\"x\", " ETAG}}, 0, false},
    {"If-Match: another", {{"if-match", "\"x\""}}, 412, false},
    {"If-Match: weak", {{"if-match", "W/" ETAG}}, 412, false},
    {"If-Match: malformed", {{"if-match", "a,b-1"}}, 412, false},
    {"If-Match: two lines", {{"if-match", "\"x\""}, {"if-match", ETAG}}, 0, false},

    {"If-Unmodified-Since: the same", {{"If-Unmodified-Since", MTIME}}, 0, false},
    {"If-Unmodified-Since: later", {{"if-unmodified-since", AFTER}}, 0, false},
    {"If-Unmodified-Since: earlier", {{"if-unmodified-since", BEFORE}}, 412, false},
    {"If-Unmodified-Since: malformed", {{"if-unmodified-since", "x"}}, 0, false},
    {"If-Unmodified-Since: twice", {{"if-unmodified-since", BEFORE}, {"if-unmodified-since", BEFORE}}, 0, false},
    {"If-Match decides", {{"if-unmodified-since", BEFORE}, {"if-match", ETAG}}, 0, false},
    {"412 before 304", {{"if-none-match", ETAG}, {"if-match", "\"x\""}}, 412, false},
    {"412 before 304 by dates", {{"if-modified-since", AFTER}, {"if-unmodified-since", BEFORE}}, 412, false},
    {"both hold: 304", {{"if-match", ETAG}, {"if-none-match", ETAG}}, 304, false},

    {"If-Range: ours", {{"If-Range", ETAG}}, 0, false},
    {"If-Range: the date", {{"if-range", MTIME}}, 0, false},
    {"If-Range: another", {{"if-range", "\"x\""}}, 0, true},
    {"If-Range: weak", {{"if-range", "W/" ETAG}}, 0, true},
    {"If-Range: a later date", {{"if-range", AFTER}}, 0, true},
    {"If-Range: an earlier date", {{"if-range", BEFORE}}, 0, true},
    {"If-Range: a list", {{"if-range", ETAG ", \"x\""}}, 0, true},
    {"If-Range: a star", {{"if-range", "*"}}, 0, true},
    {"If-Range: nothing", {{"if-range", ""}}, 0, true},
    {"If-Range: malformed", {{"if-range", "a,b-1"}}, 0, true},
    {"If-Range: twice", {{"if-range", ETAG}, {"if-range", ETAG}}, 0, true},
    {"If-Range: with a 304", {{"if-range", ETAG}, {"if-none-match", ETAG}}, 304, false},
};

static iod_slice_t flush(const char *text) {
  size_t length = strlen(text);
  return (iod_slice_t){test_flush(text, length), length};
}

TEST(conditions_are_weighed) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].name);
    iod_conditional_t c = iod_conditional(IOD_SLICE(ETAG), 784111777, 1795000000);
    for (size_t j = 0; j < MAX_LINES && CASES[i].lines[j].name; j++) {
      iod_slice_t name = {CASES[i].lines[j].name, strlen(CASES[i].lines[j].name)};
      iod_conditional_see(&c, name, flush(CASES[i].lines[j].value));
    }
    CHECK_INT(iod_conditional_status(&c), CASES[i].status);
    CHECK_INT(iod_conditional_range_applies(&c), !CASES[i].no_range);
  }
}
