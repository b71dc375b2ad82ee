#include "../../../ext/iodine/base/base64.h"
#include "../flush.h"
#include "../test.h"

static const struct {
  iod_slice_t bytes;
  const char *text;
} CASES[] = {
    {{"", 0}, ""},
    {{"f", 1}, "Zg=="},
    {{"fo", 2}, "Zm8="},
    {{"foo", 3}, "Zm9v"},
    {{"foob", 4}, "Zm9vYg=="},
    {{"fooba", 5}, "Zm9vYmE="},
    {{"foobar", 6}, "Zm9vYmFy"},
    {{"\0\0\0", 3}, "AAAA"},
    {{"\xff\xff\xff\xff", 4}, "/////w=="},
    {{"\xfb\xef\xbe", 3}, "++++"},
};

TEST(base64_forth_and_back) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    char text[16];
    uint8_t bytes[16];
    size_t n = CASES[i].bytes.length, length = strlen(CASES[i].text);
    CHECK_INT(IOD_BASE64_LENGTH(n), length);
    CHECK_INT(iod_base64_encode(text, (iod_slice_t){test_flush(CASES[i].bytes.at, n), n}), length);
    CHECK_BYTES(text, length, CASES[i].text);
    CHECK_INT(iod_base64_decode(bytes, (iod_slice_t){test_flush(CASES[i].text, length), length}), n);
    CHECK(memcmp(bytes, CASES[i].bytes.at, n) == 0);
  }
}

TEST(base64_that_is_none) {
  static const char *const cases[] = {"A",        "AA",     "AAA",     "====",     "A===", "AA=A", "=AAA",
                                      "AAA ",     "AA\n=",  "AA-A",    "AA_A",     "AB==", "AAB=", "AA==AAAA",
                                      "Zg==Zg==", "AAAA\n", "\x80zzz", "AAAAA===", "AAAAA"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t bytes[16];
    test_case(cases[i]);
    CHECK_INT(iod_base64_decode(bytes, (iod_slice_t){test_flush(cases[i], strlen(cases[i])), strlen(cases[i])}),
              IOD_E_BAD_REQUEST);
  }
}
