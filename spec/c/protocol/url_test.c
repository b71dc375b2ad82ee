#include "../../../ext/iodine/protocol/url.h"
#include "../flush.h"
#include "../test.h"

static const struct {
  const char *text, *decoded; /* NULL: an error */
} CASES[] = {
    {"", ""},         {"a", "a"},       {"a+b++", "a b  "}, {"%41%7a%7A", "Azz"}, {"%c3%A9", "\xc3\xa9"},
    {"%2B%25", "+%"}, {"%2541", "%41"}, {"a%", NULL},       {"a%4", NULL},        {"%", NULL},
    {"%4g", NULL},    {"%g4", NULL},    {"%%41", NULL},     {"a=b&c", "a=b&c"},   {"%:0", NULL},
    {"%@0", NULL},    {"%`0", NULL},    {"\xff", "\xff"},
};

TEST(form_text_is_decoded) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    char out[32];
    size_t length = strlen(CASES[i].text);
    test_case(CASES[i].text);
    long n = iod_url_decode_form(out, (iod_slice_t){test_flush(CASES[i].text, length), length});
    if (CASES[i].decoded)
      CHECK_BYTES(out, (size_t)(n < 0 ? 0 : n), CASES[i].decoded);
    else
      CHECK_INT(n, IOD_E_BAD_REQUEST);
  }
}
