#include "../../../ext/iodine/protocol/http1_body.h"
#include "../test.h"
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 100 };

#define BYTES(literal) "" literal, sizeof(literal) - 1

typedef struct body_case {
  const char *name, *input;
  size_t length;
  int error;        /* or 0: */
  const char *data; /* what is decoded, */
  size_t left;      /* and how many bytes of the input come after the end; MORE: it isn't there yet */
} body_case_t;

#define MORE ((size_t)-1)

static void check_body(const iod_http1_body_t *start, const body_case_t *c) {
  cuts_body_t result;
  test_case(c->name);
  CHECK_INT(cuts_body(start, c->input, c->length, &result), 0);
  CHECK_INT(result.error, c->error);
  if (c->error == 0) {
    CHECK_BYTES(result.data, result.length, c->data);
    CHECK(result.done == (c->left != MORE));
    CHECK_INT(result.used, c->left == MORE ? c->length : c->length - c->left);
  }
  free(result.data);
}

TEST(bodies_by_length) {
  static const struct {
    uint64_t content_length;
    body_case_t body;
  } table[] = {
      {0, {"length 0", BYTES("GET / HTTP"), 0, "", 10}},
      {0, {"length 0, no input", BYTES(""), 0, "", 0}},
      {5, {"exactly", BYTES("hello"), 0, "hello", 0}},
      {5, {"a request behind", BYTES("helloGET / HTTP/1.1\r\n"), 0, "hello", 16}},
      {6, {"one short", BYTES("hello"), 0, "hello", MORE}},
      {3, {"line ends are data", BYTES("\r\n\n"), 0, "\r\n\n", 0}},
  };
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    iod_http1_body_t start;
    iod_http1_body_length(&start, table[i].content_length);
    CHECK(iod_http1_body_done(&start) == (table[i].content_length == 0));
    check_body(&start, &table[i].body);
  }
}

enum { BAD = IOD_E_BAD_REQUEST, TOO_LARGE = IOD_E_BODY_TOO_LARGE };

TEST(chunked_bodies) {
  static const body_case_t table[] = {
      {"empty", BYTES("0\r\n\r\n"), 0, "", 0},
      {"one chunk", BYTES("5\r\nhello\r\n0\r\n\r\n"), 0, "hello", 0},
      {"chunks", BYTES("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"), 0, "hello world", 0},
      {"a request behind", BYTES("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), 0, "hello", 18},
      {"hex digits in both cases", BYTES("A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"), 0,
       "01234567890123456789a", 0},
      {"9 and an extension with spaces", BYTES("9 ; a b\t#?\r\n012345678\r\n0\r\n\r\n"), 0, "012345678", 0},
      {"leading zeroes", BYTES("0005\r\nhello\r\n000\r\n\r\n"), 0, "hello", 0},
      {"line ends in the data", BYTES("4\r\n\r\n\r\n\r\n0\r\n\r\n"), 0, "\r\n\r\n", 0},
      {"extension", BYTES("5;a=b\r\nhello\r\n0;last\r\n\r\n"), 0, "hello", 0},
      {"quoted white space", BYTES("5;a=\"b \tc\\ d\"\r\nhello\r\n0\r\n\r\n"), 0, "hello", 0},
      {"quoted extension", BYTES("5;a=\"b;c\\\"d\"\r\nhello\r\n0\r\n\r\n"), 0, "hello", 0},
      {"white space before an extension", BYTES("5 \t;a\r\nhello\r\n0\r\n\r\n"), 0, "hello", 0},
      {"trailers", BYTES("5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\nrest"), 0, "hello", 4},
      {"no end yet", BYTES("5\r\nhello\r\n"), 0, "hello", MORE},
      {"no empty line yet", BYTES("5\r\nhello\r\n0\r\n"), 0, "hello", MORE},
      {"half an empty line", BYTES("5\r\nhello\r\n0\r\n\r"), 0, "hello", MORE},
      {"up to the limit",
       BYTES("32\r\n01234567890123456789012345678901234567890123456789\r\n"
             "32\r\n01234567890123456789012345678901234567890123456789\r\n0\r\n\r\n"),
       0,
       "01234567890123456789012345678901234567890123456789"
       "01234567890123456789012345678901234567890123456789",
       0},

      {"over the limit in one", BYTES("65\r\n"), TOO_LARGE, "", 0},
      {"over the limit in sum", BYTES("5\r\nhello\r\n60\r\n"), TOO_LARGE, "", 0},
      {"just under 2^60", BYTES("fffffffffffffff\r\n"), TOO_LARGE, "", 0},
      {"2^60", BYTES("1000000000000000\r\n"), BAD, "", 0},
      {"2^64 + 5, five to who wraps", BYTES("10000000000000005\r\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"ffffffffffffffff, minus one", BYTES("ffffffffffffffff\r\nhello\r\n"), BAD, "", 0},
      {"16 digits", BYTES("0000000000000005\r\nhello\r\n"), 0, "hello", MORE},
      {"17 digits", BYTES("00000000000000005\r\nhello\r\n"), BAD, "", 0},
      {"no size", BYTES("\r\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"size of an extension alone", BYTES(";a\r\n"), BAD, "", 0},
      {"negative", BYTES("-5\r\nhello\r\n"), BAD, "", 0},
      {"plus", BYTES("+5\r\nhello\r\n"), BAD, "", 0},
      {"0x", BYTES("0x5\r\nhello\r\n"), BAD, "", 0},
      {"underscore", BYTES("1_0\r\n0123456789abcdef\r\n"), BAD, "", 0},
      {"not hex", BYTES("g\r\n"), BAD, "", 0},
      {"space before the size", BYTES(" 5\r\nhello\r\n"), BAD, "", 0},
      {"space behind the size", BYTES("5 \r\nhello\r\n"), BAD, "", 0},
      {"two sizes", BYTES("5 5\r\nhello\r\n"), BAD, "", 0},
      {"comma", BYTES("5,5\r\nhello\r\n"), BAD, "", 0},
      {"NUL in the size", BYTES("5\0\r\nhello\r\n"), BAD, "", 0},
      {"LF ends the size", BYTES("5\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"CR ends the size", BYTES("5\rhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"CR CR LF", BYTES("5\r\r\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"LF ends an extension (TERM.EXT)", BYTES("5;a\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"LF in an extension hides a chunk (EXT.TERM)", BYTES("2;\nxx\r\n40\r\n0\r\n\r\nGET /admin"), BAD, "", 0},
      {"CR in an extension", BYTES("5;a\rb\r\nhello\r\n"), BAD, "", 0},
      {"LF in a quoted extension", BYTES("5;a=\"\n\"\r\nhello\r\n"), BAD, "", 0},
      {"escaped quotes", BYTES("5;a=\"\\\"\";b=\"\\\\\"\r\nhello\r\n0\r\n\r\n"), 0, "hello", 0},
      {"a quote that is escaped does not close", BYTES("5;a=\"\\\"\r\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"an escaped CR", BYTES("5;a=\"\\\r\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"CRLF in a quoted extension", BYTES("5;a=\"\r\n\"\r\nhe\r\n"), BAD, "", 0},
      {"NUL in an extension", BYTES("5;a\0b\r\nhello\r\n"), BAD, "", 0},
      {"data longer than its size (TERM.SPILL)", BYTES("5\r\nhelloAB0\r\n\r\n"), BAD, "", 0},
      {"LF behind the data", BYTES("5\r\nhello\n0\r\n\r\n"), BAD, "", 0},
      {"CR behind the data", BYTES("5\r\nhello\r0\r\n\r\n"), BAD, "", 0},
      {"two LFs behind the data", BYTES("5\r\nhello\n\n0\r\n\r\n"), BAD, "", 0},
      {"nothing behind the data", BYTES("5\r\nhello0\r\n\r\n"), BAD, "", 0},
      {"data shorter than its size", BYTES("6\r\nhello\r\n0\r\n\r\n"), BAD, "", 0},
      {"an empty line too many", BYTES("5\r\nhello\r\n\r\n0\r\n\r\n"), BAD, "", 0},
      {"LF ends the last line", BYTES("0\r\n\n"), BAD, "", 0},
      {"CR ends the last line", BYTES("0\r\n\rG"), BAD, "", 0},
      {"LF ends the last chunk's line", BYTES("0\n\r\n"), BAD, "", 0},
      {"a request in the trailers' place", BYTES("0\r\nGET / HTTP/1.1\r\n\r\n"), BAD, "", 0},
      {"trailer without a colon", BYTES("0\r\nab\r\n\r\n"), BAD, "", 0},
      {"trailer without a name", BYTES("0\r\n: b\r\n\r\n"), BAD, "", 0},
      {"trailer with a space before the colon", BYTES("0\r\na : b\r\n\r\n"), BAD, "", 0},
      {"trailer with a bad name", BYTES("0\r\na@b: c\r\n\r\n"), BAD, "", 0},
      {"trailer with a bad first byte", BYTES("0\r\n@: c\r\n\r\n"), BAD, "", 0},
      {"folded trailer", BYTES("0\r\na: b\r\n c\r\n\r\n"), BAD, "", 0},
      {"LF ends a trailer", BYTES("0\r\na: b\n\r\n"), BAD, "", 0},
      {"CR in a trailer", BYTES("0\r\na: b\rc: d\r\n\r\n"), BAD, "", 0},
      {"NUL in a trailer", BYTES("0\r\na: \0\r\n\r\n"), BAD, "", 0},
  };
  iod_http1_body_t start;
  iod_http1_body_chunked(&start, LIMIT);
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) check_body(&start, &table[i]);
}

/* Framing around a length of filler. */
static int decode_filled(const char *before, size_t filler, const char *after) {
  static char input[20000];
  size_t length = strlen(before);
  memcpy(input, before, length);
  memset(input + length, 'x', filler);
  length += filler;
  memcpy(input + length, after, strlen(after));
  length += strlen(after);
  iod_http1_body_t start;
  iod_http1_body_chunked(&start, LIMIT);
  cuts_body_t result;
  int differs = cuts_body(&start, input, length, &result);
  free(result.data);
  if (differs != 0) return differs;
  return result.error != 0 ? (int)result.error : result.done ? 1 : 0;
}

TEST(chunked_framing_has_an_end) {
  test_case("a size line of 256 bytes");
  CHECK_INT(decode_filled("1;", 254, "\r\na\r\n0\r\n\r\n"), 1);
  CHECK_INT(decode_filled("1\r\na\r\n1;", 254, "\r\na\r\n0\r\n\r\n"), 1);
  test_case("a size line of 257 bytes");
  CHECK_INT(decode_filled("1;", 255, "\r\na\r\n0\r\n\r\n"), BAD);
  CHECK_INT(decode_filled("1\r\na\r\n1;", 255, "\r\na\r\n0\r\n\r\n"), BAD);
  CHECK_INT(decode_filled("1\r\na\r\n1;", 255, ""), BAD);
  test_case("trailers of 8192 bytes");
  CHECK_INT(decode_filled("0\r\na:", 8192 - 6, "\r\n\r\n"), 1);
  test_case("trailers of 8193 bytes");
  CHECK_INT(decode_filled("0\r\na:", 8192 - 5, "\r\n\r\n"), BAD);
  CHECK_INT(decode_filled("0\r\na:", 8193, ""), BAD);
}

/* n chunks of one byte with 251 bytes of extension each; or the error. */
static int decode_extended(int n) {
  static char input[20000];
  size_t length = 0;
  for (int i = 0; i < n; i++) length += (size_t)sprintf(input + length, "1;%0250d\r\na\r\n", 0);
  length += (size_t)sprintf(input + length, "0\r\n\r\n");
  iod_http1_body_t start;
  iod_http1_body_chunked(&start, LIMIT);
  cuts_body_t result;
  int differs = cuts_body(&start, input, length, &result);
  free(result.data);
  return differs ? differs : result.error ? (int)result.error : (int)result.length;
}

TEST(chunked_extensions_have_a_sum) {
  CHECK_INT(decode_extended(8192 / 251), 8192 / 251);
  CHECK_INT(decode_extended(8192 / 251 + 1), BAD);
}

TEST(chunked_limit_may_be_nothing) {
  static const body_case_t empty = {"limit 0, no data", BYTES("0\r\n\r\n"), 0, "", 0};
  static const body_case_t one = {"limit 0, one byte", BYTES("1\r\na"), TOO_LARGE, "", 0};
  iod_http1_body_t start;
  iod_http1_body_chunked(&start, 0);
  check_body(&start, &empty);
  check_body(&start, &one);
}
