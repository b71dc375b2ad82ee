#include "../../../ext/iodine/protocol/path.h"
#include "../flush.h"
#include "../test.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
  const char *path;
  size_t length;
  const char *file; /* NULL: refused */
} CASES[] = {
    {BYTES("/"), ""},
    {BYTES("//"), ""},
    {BYTES("/a"), "a"},
    {BYTES("/a/"), "a/"},
    {BYTES("/a/b.txt"), "a/b.txt"},
    {BYTES("//host/a"), "host/a"},
    {BYTES("///a//b///"), "a/b/"},
    {BYTES("/a%20b"), "a b"},
    {BYTES("/%61%2D%5a"), "a-Z"},
    {BYTES("/a+b"), "a+b"},
    {BYTES("/a.b..c."), "a.b..c."},
    {BYTES("/a:b@c;d=e,f"), "a:b@c;d=e,f"},
    {BYTES("/%3F%23"), "?#"},
    {BYTES("/\xc3\xa9/%C3%A9"), "\xc3\xa9/\xc3\xa9"},
    {BYTES("/\xff"), "\xff"},
    {BYTES("/%252e%252e/a"), "%2e%2e/a"},
    {BYTES("/%252fa"), "%2fa"},
    {BYTES("/~a"), "~a"},
    {BYTES("/.well-known"), ".well-known"},
    {BYTES("/.well-known/"), ".well-known/"},
    {BYTES("//.well-known/acme-challenge/x"), ".well-known/acme-challenge/x"},
    {BYTES("/%2Ewell-known/x"), ".well-known/x"},
    {BYTES(""), NULL},
    {BYTES("*"), NULL},
    {BYTES("a"), NULL},
    {BYTES("../a"), NULL},
    {BYTES("%2fa"), NULL},
    {BYTES("/."), NULL},
    {BYTES("/.."), NULL},
    {BYTES("/./a"), NULL},
    {BYTES("/../a"), NULL},
    {BYTES("/a/../b"), NULL},
    {BYTES("/a/.."), NULL},
    {BYTES("//../a"), NULL},
    {BYTES("/%2e%2e/a"), NULL},
    {BYTES("/.%2e/a"), NULL},
    {BYTES("/a/%2e./b"), NULL},
    {BYTES("/..%2fa"), NULL},
    {BYTES("/a%2f..%2fb"), NULL},
    {BYTES("/a%2Fb"), NULL},
    {BYTES("/.../a"), NULL},
    {BYTES("/.env"), NULL},
    {BYTES("/a/.git/config"), NULL},
    {BYTES("/.well-knownx"), NULL},
    {BYTES("/.well-know"), NULL},
    {BYTES("/.WELL-KNOWN/a"), NULL},
    {BYTES("/.well-known/../a"), NULL},
    {BYTES("/.well-known/.a"), NULL},
    {BYTES("/a/.well-known/b"), NULL},
    {BYTES("/a\\b"), NULL},
    {BYTES("/..\\a"), NULL},
    {BYTES("/a%5cb"), NULL},
    {BYTES("/a%5Cb"), NULL},
    {BYTES("/a\0b"), NULL},
    {BYTES("/a%00"), NULL},
    {BYTES("/a%00.txt"), NULL},
    {BYTES("/a\tb"), NULL},
    {BYTES("/a%09b"), NULL},
    {BYTES("/a%0d%0ab"), NULL},
    {BYTES("/%7f"), NULL},
    {BYTES("/a%"), NULL},
    {BYTES("/a%4"), NULL},
    {BYTES("/a%4g"), NULL},
    {BYTES("/a%g4"), NULL},
    {BYTES("/a%%41"), NULL},
    {BYTES("/%u002e%u002e/a"), NULL},
    {BYTES("/%c0%ae%c0%ae/a"), "\xc0\xae\xc0\xae/a"}, /* a name of four bytes: overlong forms are not dots */
};

TEST(paths_name_files) {
  static char out[IOD_PATH_ROOM];
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].path);
    long n = iod_path_resolve(out, (iod_slice_t){test_flush(CASES[i].path, CASES[i].length), CASES[i].length});
    if (CASES[i].file) {
      CHECK_BYTES(out, (size_t)(n < 0 ? 0 : n), CASES[i].file);
      CHECK(n < 0 || out[n] == '\0');
    } else {
      CHECK_INT(n, IOD_E_BAD_REQUEST);
    }
  }
}

TEST(paths_have_an_end) {
  static char path[3 * IOD_PATH_ROOM], out[IOD_PATH_ROOM];
  memset(path, 'a', sizeof(path));
  path[0] = '/';
  test_case("one that fits with its NUL");
  CHECK_INT(iod_path_resolve(out, (iod_slice_t){path, IOD_PATH_ROOM}), IOD_PATH_ROOM - 1);
  test_case("one byte more");
  CHECK_INT(iod_path_resolve(out, (iod_slice_t){path, IOD_PATH_ROOM + 1}), IOD_E_BAD_REQUEST);
  test_case("slashes that count as one");
  memset(path, '/', sizeof(path));
  path[sizeof(path) - 1] = 'a';
  CHECK_INT(iod_path_resolve(out, (iod_slice_t){path, sizeof(path)}), 1);
}

static const struct {
  const char *file, *query, *location;
} LOCATIONS[] = {
    {"docs", NULL, "/docs/"},       {"docs", "", "/docs/?"},           {"docs", "a=b&c=%20", "/docs/?a=b&c=%20"},
    {"a/b", "//x", "/a/b/?//x"},    {"http:@b", NULL, "/http:@b/"},    {"a b", NULL, "/a%20b/"},
    {"100%", NULL, "/100%25/"},     {"%2e%2e", NULL, "/%252e%252e/"},  {"a?b#c", NULL, "/a%3Fb%23c/"},
    {"\xc3\xa9", NULL, "/%C3%A9/"}, {"a\"<>'", NULL, "/a%22%3C%3E'/"}, {".well-known", NULL, "/.well-known/"},
};

TEST(folders_have_locations) {
  for (size_t i = 0; i < sizeof LOCATIONS / sizeof *LOCATIONS; i++) {
    test_case(LOCATIONS[i].location);
    iod_slice_t file = {LOCATIONS[i].file, strlen(LOCATIONS[i].file)}, query = {LOCATIONS[i].query, 0};
    if (query.at) query.length = strlen(query.at);
    iod_buffer_t out = {0};
    CHECK_INT(iod_path_append_location(&out, file, query.at ? &query : NULL), 0);
    CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), LOCATIONS[i].location);
    iod_buffer_deinit(&out);
  }
}

static void append_location(void) {
  iod_buffer_t out = {0};
  iod_slice_t query = IOD_SLICE("q");
  int result = iod_path_append_location(&out, IOD_SLICE("a"), &query);
  CHECK(result == 0 || (result == IOD_E_NOMEM && iod_buffer_length(&out) == 0));
  iod_buffer_deinit(&out);
}

TEST(location_without_memory) { test_each_allocation_fails(append_location); }
