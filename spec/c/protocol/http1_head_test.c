#include "../../../ext/iodine/protocol/http1_head.h"
#include "../flush.h"
#include "../test.h"
#include "cuts.h"

#include <stdarg.h>
#include <stdio.h>

#define BYTES(literal) "" literal, sizeof(literal) - 1

static const iod_http1_limits_t LIMITS = {.head = HTTP_MAX_HEADER_LENGTH,
                                          .line = 8192,
                                          .request_line = 8192,
                                          .headers = HTTP_MAX_HEADER_COUNT,
                                          .body = 50000000};

/* ---- what a head was understood as, in words ---- */

static char words[65536];
static size_t words_length;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  words_length += (size_t)vsnprintf(words + words_length, sizeof(words) - words_length, format, arguments);
  va_end(arguments);
}

static void describe_headers(const iod_http1_parser_t *p, const char *bytes) {
  static const char *const known[] = {"",       "host",    "connection", "length", "coding",
                                      "expect", "upgrade", "type",       "cookie", "dropped"};
  for (size_t i = 0; i < p->head.header_count; i++) {
    const iod_header_t *h = &p->headers[i];
    say(" | %.*s=%.*s", (int)h->name.length, bytes + h->name.at, (int)h->value.length, bytes + h->value.at);
    if (h->known) say(" (%s)", known[h->known]);
  }
}

/* "GET /path ?query 1.1 host keep-alive | Name=value (what it is known as) | …" */
static void describe(const iod_http1_parser_t *p, const char *bytes) {
  const iod_http1_head_t *h = &p->head;
  words_length = 0;
  say("%.*s %.*s", (int)h->method.length, bytes + h->method.at, (int)h->path.length, bytes + h->path.at);
  if (h->has_query) say(" ?%.*s", (int)h->query.length, bytes + h->query.at);
  say(" 1.%d %.*s", h->minor, (int)h->host.length, bytes + h->host.at);
  if (h->keep_alive) say(" keep-alive");
  if (h->body == IOD_BODY_LENGTH) say(" length %llu", (unsigned long long)h->content_length);
  if (h->body == IOD_BODY_CHUNKED) say(" chunked");
  if (h->expect_continue) say(" expect");
  if (h->upgrade) say(" upgrade");
  describe_headers(p, bytes);
}

typedef struct accepted {
  const char *name, *input;
  size_t length;
  const char *expected;
} accepted_t;

static void check_accepted(const accepted_t *table, size_t count) {
  for (size_t i = 0; i < count; i++) {
    test_case(table[i].name);
    iod_http1_parser_t parser;
    int result = cuts_head(&LIMITS, table[i].input, table[i].length, &parser);
    CHECK_INT(result, table[i].length);
    if (result <= 0) continue;
    CHECK_INT(parser.head.length, table[i].length);
    describe(&parser, table[i].input);
    CHECK_BYTES(words, words_length, table[i].expected);
  }
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define HOST         "Host: a\r\n"

TEST(heads_accepted) {
  static const accepted_t table[] = {
      {"least", BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"), "GET / 1.1 a keep-alive | Host=a (host)"},
      {"1.0 without Host", BYTES("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0 "},
      {"1.0 with Host", BYTES("GET / HTTP/1.0\r\n" HOST "\r\n"), "GET / 1.0 a | Host=a (host)"},
      {"a higher minor is 1", BYTES("GET / HTTP/1.9\r\n" HOST "\r\n"), "GET / 1.1 a keep-alive | Host=a (host)"},
      {"empty lines before", BYTES("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), "GET / 1.1 a keep-alive | Host=a (host)"},
      {"query", BYTES("GET /a/b?c=d&e=%20?f HTTP/1.1\r\n" HOST "\r\n"),
       "GET /a/b ?c=d&e=%20?f 1.1 a keep-alive | Host=a (host)"},
      {"empty query", BYTES("GET /? HTTP/1.1\r\n" HOST "\r\n"), "GET / ? 1.1 a keep-alive | Host=a (host)"},
      {"path as sent", BYTES("GET //a/../%2e%zz|^`{}\"<>\\ HTTP/1.1\r\n" HOST "\r\n"),
       "GET //a/../%2e%zz|^`{}\"<>\\ 1.1 a keep-alive | Host=a (host)"},
      {"bytes over 127 in a target", BYTES("GET /\xc3\xa4\xff?\x80 HTTP/1.1\r\n" HOST "\r\n"),
       "GET /\xc3\xa4\xff ?\x80 1.1 a keep-alive | Host=a (host)"},
      {"a path that looks like a version", BYTES("GET /HTTP/1.0 HTTP/1.1\r\n" HOST "\r\n"),
       "GET /HTTP/1.0 1.1 a keep-alive | Host=a (host)"},
      {"unknown method", BYTES("M-SEARCH!#$%&'*+.^_`|~09 / HTTP/1.1\r\n" HOST "\r\n"),
       "M-SEARCH!#$%&'*+.^_`|~09 / 1.1 a keep-alive | Host=a (host)"},
      {"OPTIONS *", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), "OPTIONS * 1.1 a keep-alive | Host=a (host)"},
      {"absolute target", BYTES("GET http://b:80/c?d HTTP/1.1\r\n" HOST "\r\n"),
       "GET /c ?d 1.1 b:80 keep-alive | Host=a (host)"},
      {"absolute target behind Host's back", BYTES("GET HTTPS://b/ HTTP/1.1\r\nHost: evil\r\n\r\n"),
       "GET / 1.1 b keep-alive | Host=evil (host)"},
      {"absolute target without a path", BYTES("GET http://b HTTP/1.1\r\n" HOST "\r\n"),
       "GET / 1.1 b keep-alive | Host=a (host)"},
      {"absolute target, query without a path", BYTES("GET hTTp://b?c/d HTTP/1.1\r\n" HOST "\r\n"),
       "GET / ?c/d 1.1 b keep-alive | Host=a (host)"},
      {"absolute target on 1.0", BYTES("GET http://b/ HTTP/1.0\r\n\r\n"), "GET / 1.0 b"},
      {"empty Host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET / 1.1  keep-alive | Host= (host)"},
      {"empty Host, absolute target", BYTES("GET http://b/ HTTP/1.1\r\nHost: \r\n\r\n"),
       "GET / 1.1 b keep-alive | Host= (host)"},
      {"IPv6 host", BYTES("GET / HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n"),
       "GET / 1.1 [::1]:3000 keep-alive | Host=[::1]:3000 (host)"},
      {"white space around values",
       BYTES("GET / HTTP/1.1\r\nHost: \t a\t \r\nB:b\r\nC:  c  c\t\r\nD: \r\nE:\t\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | B=b | C=c  c | D= | E="},
      {"tab and bytes over 127 in a value", BYTES("GET / HTTP/1.1\r\n" HOST "B: \x80 c\td \xff\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | B=\x80 c\td \xff"},
      {"many tabs in a long value", BYTES("GET / HTTP/1.1\r\n" HOST "B: \t0123456\t\t01234567\t0123456789\t\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | B=0123456\t\t01234567\t0123456789"},
      {"colons in a value", BYTES("GET / HTTP/1.1\r\n" HOST "B::c: d\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | B=:c: d"},
      {"all of a name's characters", BYTES("GET / HTTP/1.1\r\n" HOST "!#$%&'*+-.^`|~09azAZ: b\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | !#$%&'*+-.^`|~09azAZ=b"},
      {"names with an underscore",
       BYTES("GET / HTTP/1.1\r\n" HOST "Content_Length: 9\r\n_: b\r\nX_: c\r\nHost_: d\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | Content_Length=9 (dropped) | _=b (dropped) | X_=c (dropped) | Host_=d "
       "(dropped)"},
      {"known names in any case",
       BYTES("GET / HTTP/1.1\r\nhOST: a\r\nCOOKIE: b\r\ncontent-TYPE: c\r\nuPGRADE: d\r\nExpect: e\r\n\r\n"),
       "GET / 1.1 a keep-alive | hOST=a (host) | COOKIE=b (cookie) | content-TYPE=c (type) | uPGRADE=d (upgrade) | "
       "Expect=e (expect)"},
      {"names as long as known ones",
       BYTES("GET / HTTP/1.1\r\n" HOST "Hosu: 1\r\nCookif: 1\r\nExpecu: 1\r\nUpgradf: 1\r\nConnectioo: close\r\n"
             "Content-Typf: 1\r\nContent-Lengti: 1\r\nTransfer-Encodinh: 1\r\nTransfer.Encoding: 1\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | Hosu=1 | Cookif=1 | Expecu=1 | Upgradf=1 | Connectioo=close | "
       "Content-Typf=1 | "
       "Content-Lengti=1 | Transfer-Encodinh=1 | Transfer.Encoding=1"},
      {"a browser's",
       BYTES("GET /articles/12?page=2 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
             "x86_64)\r\n"
             "Accept: text/html,*/*;q=0.8\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n\r\n"),
       "GET /articles/12 ?page=2 1.1 www.example.com keep-alive | Host=www.example.com (host) | User-Agent=Mozilla/5.0 "
       "(X11; Linux "
       "x86_64) | Accept=text/html,*/*;q=0.8 | Connection=keep-alive (connection) | Cookie=a=b; c=d (cookie)"},
  };
  check_accepted(table, COUNT(table));
}

TEST(heads_with_a_body) {
  static const accepted_t table[] = {
      {"length", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"),
       "POST / 1.1 a keep-alive length 5 | Host=a (host) | Content-Length=5 (length)"},
      {"length 0", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
       "POST / 1.1 a keep-alive length 0 | Host=a (host) | Content-Length=0 (length)"},
      {"leading zeroes", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 000000000000000010\r\n\r\n"),
       "POST / 1.1 a keep-alive length 10 | Host=a (host) | Content-Length=000000000000000010 (length)"},
      {"GET with a length", BYTES("GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"),
       "GET / 1.1 a keep-alive length 5 | Host=a (host) | Content-Length=5 (length)"},
      {"equal lengths", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5 ,\t5\r\ncontent-length: 5\r\n\r\n"),
       "POST / 1.1 a keep-alive length 5 | Host=a (host) | Content-Length=5, 5 ,\t5 (length) | content-length=5 "
       "(length)"},
      {"length at the limit", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 50000000\r\n\r\n"),
       "POST / 1.1 a keep-alive length 50000000 | Host=a (host) | Content-Length=50000000 (length)"},
      {"chunked", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
       "POST / 1.1 a keep-alive chunked | Host=a (host) | Transfer-Encoding=chunked (coding)"},
      {"chunked in any case", BYTES("POST / HTTP/1.1\r\n" HOST "TRANSFER-encoding:\t CHUnked \r\n\r\n"),
       "POST / 1.1 a keep-alive chunked | Host=a (host) | TRANSFER-encoding=CHUnked (coding)"},
  };
  check_accepted(table, COUNT(table));
}

TEST(heads_with_connection_options) {
  static const accepted_t table[] = {
      {"close", BYTES("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
       "GET / 1.1 a | Host=a (host) | Connection=close (connection)"},
      {"1.0 keep-alive", BYTES("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
       "GET / 1.0  keep-alive | Connection=Keep-Alive (connection)"},
      {"options before Host", BYTES("GET / HTTP/1.1\r\nConnection: close\r\n" HOST "\r\n"),
       "GET / 1.1 a | Connection=close (connection) | Host=a (host)"},
      {"close and what is unknown", BYTES("GET / HTTP/1.1\r\n" HOST "Connection: close, b\r\n\r\n"),
       "GET / 1.1 a | Host=a (host) | Connection=close, b (connection)"},
      {"close wins", BYTES("GET / HTTP/1.0\r\nConnection: keep-alive ,, CLOSE\r\n\r\n"),
       "GET / 1.0  | Connection=keep-alive ,, CLOSE (connection)"},
      {"close wins over two lines",
       BYTES("GET / HTTP/1.1\r\n" HOST "Connection: close\r\nConnection: keep-alive\r\n\r\n"),
       "GET / 1.1 a | Host=a (host) | Connection=close (connection) | Connection=keep-alive (connection)"},
      {"options alike", BYTES("GET / HTTP/1.1\r\n" HOST "Connection: closed, clos, xclose, keep-alivf\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | Connection=closed, clos, xclose, keep-alivf (connection)"},
      {"empty", BYTES("GET / HTTP/1.1\r\n" HOST "Connection:\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | Connection= (connection)"},
      {"upgrade", BYTES("GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"),
       "GET / 1.1 a keep-alive upgrade | Host=a (host) | Connection=keep-alive, Upgrade (connection) | "
       "Upgrade=websocket (upgrade)"},
      {"upgrade not named in Connection", BYTES("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n"),
       "GET / 1.1 a keep-alive | Host=a (host) | Upgrade=websocket (upgrade)"},
      {"upgrade on 1.0", BYTES("GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
       "GET / 1.0  | Upgrade=websocket (upgrade) | Connection=upgrade (connection)"},
      {"expect", BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"),
       "POST / 1.1 a keep-alive length 5 expect | Host=a (host) | Expect=100-Continue (expect) | Content-Length=5 "
       "(length)"},
      {"expect with one byte", BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
       "POST / 1.1 a keep-alive length 1 expect | Host=a (host) | Expect=100-continue (expect) | Content-Length=1 "
       "(length)"},
      {"expect with chunked",
       BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"),
       "POST / 1.1 a keep-alive chunked expect | Host=a (host) | Transfer-Encoding=chunked (coding) | "
       "Expect=100-continue (expect)"},
      {"expect without a body", BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"),
       "POST / 1.1 a keep-alive length 0 | Host=a (host) | Expect=100-continue (expect) | Content-Length=0 (length)"},
      {"expect on 1.0", BYTES("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
       "POST / 1.0  length 5 | Expect=100-continue (expect) | Content-Length=5 (length)"},
      {"expect what is unknown", BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 200-continue\r\nContent-Length: 5\r\n\r\n"),
       "POST / 1.1 a keep-alive length 5 | Host=a (host) | Expect=200-continue (expect) | Content-Length=5 (length)"},
  };
  check_accepted(table, COUNT(table));
}

/* ---- what is refused ---- */

typedef struct refused {
  const char *name, *input;
  size_t length;
} refused_t;

static void check_refused(const refused_t *table, size_t count, int error) {
  for (size_t i = 0; i < count; i++) {
    test_case(table[i].name);
    iod_http1_parser_t parser;
    CHECK_INT(cuts_head(&LIMITS, table[i].input, table[i].length, &parser), error);
  }
}

TEST(heads_that_are_malformed) {
  static const refused_t table[] = {
      {"three empty lines", BYTES("\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n")},
      {"empty line of LF", BYTES("\nGET / HTTP/1.1\r\n" HOST "\r\n")},
      {"space first", BYTES(" GET / HTTP/1.1\r\n" HOST "\r\n")},
      {"no target", BYTES("GET HTTP/1.1\r\n" HOST "\r\n")},
      {"empty target", BYTES("GET  HTTP/1.1\r\n" HOST "\r\n")},
      {"no version", BYTES("GET /\r\n" HOST "\r\n")},
      {"method alone", BYTES("GET\r\n\r\n")},
      {"method and space", BYTES("GET \r\n\r\n")},
      {"two spaces before the target", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n")},
      {"two spaces before the version", BYTES("GET /  HTTP/1.1\r\n" HOST "\r\n")},
      {"space behind the version", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n")},
      {"tab instead of space", BYTES("GET\t/ HTTP/1.1\r\n" HOST "\r\n")},
      {"tab before the version", BYTES("GET /\tHTTP/1.1\r\n" HOST "\r\n")},
      {"vertical tab and form feed", BYTES("GET /\x0b\x0c HTTP/1.1\r\n" HOST "\r\n")},
      {"space in the target", BYTES("GET /a b HTTP/1.1\r\n" HOST "\r\n")},
      {"another version in the target", BYTES("GET /a HTTP/1.0 HTTP/1.1\r\n" HOST "\r\n")},
      {"NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n" HOST "\r\n")},
      {"NUL in the query", BYTES("GET /?\0 HTTP/1.1\r\n" HOST "\r\n")},
      {"DEL in the target", BYTES("GET /\x7f HTTP/1.1\r\n" HOST "\r\n")},
      {"CR in the target", BYTES("GET /\ra HTTP/1.1\r\n" HOST "\r\n")},
      {"fragment in the path", BYTES("GET /a#b HTTP/1.1\r\n" HOST "\r\n")},
      {"fragment in the query", BYTES("GET /a?b#c HTTP/1.1\r\n" HOST "\r\n")},
      {"bad method", BYTES("G@T / HTTP/1.1\r\n" HOST "\r\n")},
      {"method over 127", BYTES("G\xc3\x8bT / HTTP/1.1\r\n" HOST "\r\n")},
      {"NUL in the method", BYTES("GET\0 / HTTP/1.1\r\n" HOST "\r\n")},
      {"lower case version", BYTES("GET / http/1.1\r\n" HOST "\r\n")},
      {"two digits of minor", BYTES("GET / HTTP/1.10\r\n" HOST "\r\n")},
      {"two digits of major", BYTES("GET / HTTP/11.1\r\n" HOST "\r\n")},
      {"leading zero of major", BYTES("GET / HTTP/01.1\r\n" HOST "\r\n")},
      {"comma in the version", BYTES("GET / HTTP/1,1\r\n" HOST "\r\n")},
      {"no minor", BYTES("GET / HTTP/1.\r\n" HOST "\r\n")},
      {"no major", BYTES("GET / HTTP/.1\r\n" HOST "\r\n")},
      {"letter as minor", BYTES("GET / HTTP/1.x\r\n" HOST "\r\n")},
      {"another protocol", BYTES("GET / ICAP/1.0\r\n" HOST "\r\n")},
      {"a TLS hello", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n")},
      {"LF ends the request line", BYTES("GET / HTTP/1.1\n" HOST "\r\n")},
      {"LF for CR LF, behind one byte more", BYTES("GET / HTTP/1.1X\n" HOST "\r\n")},
      {"LF in the request line", BYTES("GET / HTTP/1.1\nX: y\r\n" HOST "\r\n")},
      {"CR CR LF", BYTES("GET / HTTP/1.1\r\r\n" HOST "\r\n")},
      {"LF CR", BYTES("GET / HTTP/1.1\n\r" HOST "\r\n")},
      {"GET *", BYTES("GET * HTTP/1.1\r\n" HOST "\r\n")},
      {"OPTIONS **", BYTES("OPTIONS ** HTTP/1.1\r\n" HOST "\r\n")},
      {"OPTIONS *?a", BYTES("OPTIONS *?a HTTP/1.1\r\n" HOST "\r\n")},
      {"options *, another method", BYTES("options * HTTP/1.1\r\n" HOST "\r\n")},
      {"relative target", BYTES("GET a HTTP/1.1\r\n" HOST "\r\n")},
      {"query as target", BYTES("GET ?a HTTP/1.1\r\n" HOST "\r\n")},
      {"authority as target", BYTES("GET a:80 HTTP/1.1\r\n" HOST "\r\n")},
      {"LF ends a header", BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n")},
      {"LF ends a header that hides another",
       BYTES("GET / HTTP/1.1\r\n" HOST "A: b\nTransfer-Encoding: chunked\r\n\r\n")},
      {"CR in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\rTransfer-Encoding: chunked\r\n\r\n")},
      {"CR at a value's end", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\r\r\n\r\n")},
      {"CR first in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A:\r b\r\n\r\n")},
      {"NUL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n")},
      {"NUL in a long value", BYTES("GET / HTTP/1.1\r\n" HOST "A: 0123456789\0\"01234567890123456789\r\n\r\n")},
      {"DEL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\x7f\r\n\r\n")},
      {"control in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: \x1b[0m\r\n\r\n")},
      {"vertical tab around a value", BYTES("GET / HTTP/1.1\r\n" HOST "A:\x0b"
                                            "b\r\n\r\n")},
      {"LF ends the head", BYTES("GET / HTTP/1.1\r\n" HOST "\n")},
      {"CR ends the head", BYTES("GET / HTTP/1.1\r\n" HOST "\rx\n")},
      {"space before the first header", BYTES("GET / HTTP/1.1\r\n " HOST "\r\n")},
      {"tab before the first header", BYTES("GET / HTTP/1.1\r\n\t" HOST "\r\n")},
      {"folded header", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n")},
      {"folded with tab", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n")},
      {"fold that hides a coding", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n")},
      {"fold of white space alone", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\r\n \r\n\r\n")},
      {"space before the colon", BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n")},
      {"tab before the colon", BYTES("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding\t: chunked\r\n\r\n")},
      {"space in a name", BYTES("GET / HTTP/1.1\r\n" HOST "A B: c\r\n\r\n")},
      {"no name", BYTES("GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n")},
      {"no colon", BYTES("GET / HTTP/1.1\r\n" HOST "A\r\n\r\n")},
      {"no colon behind an underscore", BYTES("GET / HTTP/1.1\r\n" HOST "A_b\r\n\r\n")},
      {"NUL in a name", BYTES("GET / HTTP/1.1\r\n" HOST "A\0: b\r\n\r\n")},
      {"NUL behind an underscore", BYTES("GET / HTTP/1.1\r\n" HOST "A_\0: b\r\n\r\n")},
      {"CR in a name", BYTES("GET / HTTP/1.1\r\n" HOST "Transfer\rEncoding: chunked\r\n\r\n")},
      {"CR for the hyphen of a known name", BYTES("POST / HTTP/1.1\r\n" HOST "Content\rLength: 5\r\n\r\n")},
      {"byte over 127 in a name", BYTES("GET / HTTP/1.1\r\n" HOST "Transf\xc3\xa9r: b\r\n\r\n")},
      {"brackets in a name", BYTES("GET / HTTP/1.1\r\n" HOST "A[b]: c\r\n\r\n")},
      {"quotes around a name", BYTES("GET / HTTP/1.1\r\n" HOST "\"A\": c\r\n\r\n")},
      {"a second request line", BYTES("GET / HTTP/1.1\r\n" HOST "GET /admin HTTP/1.1\r\n\r\n")},
  };
  check_refused(table, COUNT(table), IOD_E_BAD_REQUEST);
}

TEST(heads_with_a_malformed_host) {
  static const refused_t table[] = {
      {"none", BYTES("GET / HTTP/1.1\r\nA: b\r\n\r\n")},
      {"no header at all", BYTES("GET / HTTP/1.1\r\n\r\n")},
      {"none, absolute target", BYTES("GET http://b/ HTTP/1.1\r\n\r\n")},
      {"none but a dropped one", BYTES("GET / HTTP/1.1\r\nHost_: a\r\n\r\n")},
      {"two", BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")},
      {"two equal ones", BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")},
      {"two, the first empty", BYTES("GET / HTTP/1.1\r\nHost:\r\nhost: a\r\n\r\n")},
      {"two on 1.0", BYTES("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")},
      {"malformed on 1.0", BYTES("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n")},
      {"user info", BYTES("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n")},
      {"path", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
      {"space inside", BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
      {"byte over 127", BYTES("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n")},
      {"port over 65535", BYTES("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n")},
      {"malformed beside an absolute target", BYTES("GET http://b/ HTTP/1.1\r\nHost: a@b\r\n\r\n")},
      {"absolute target without authority", BYTES("GET http:///a HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with a port alone", BYTES("GET http://:80/ HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target, end of it", BYTES("GET http:// HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with user info", BYTES("GET http://a@b/ HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with password", BYTES("GET http://a:c@b/ HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with a backslash", BYTES("GET http://a\\b/ HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with a fragment", BYTES("GET http://a#b HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with a space", BYTES("GET http://a /b HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target with one slash", BYTES("GET http:/b/c HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target of another scheme", BYTES("GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n")},
      {"absolute target of a longer scheme", BYTES("GET httpss://b/ HTTP/1.1\r\n" HOST "\r\n")},
      {"scheme with a control for the colon", BYTES("GET http\x1a//b/ HTTP/1.1\r\n" HOST "\r\n")},
      {"scheme with controls for the slashes", BYTES("GET http:\x0f\x0f"
                                                     "b/ HTTP/1.1\r\n" HOST "\r\n")},
  };
  check_refused(table, COUNT(table), IOD_E_BAD_REQUEST);
}

#define POST "POST / HTTP/1.1\r\n" HOST

TEST(heads_that_smuggle) {
  static const refused_t table[] = {
      {"CL.TE", BYTES(POST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n")},
      {"TE.CL", BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n")},
      {"CL 0 with TE", BYTES(POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n")},
      {"TE with a malformed CL", BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n")},
      {"TE on 1.0", BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
      {"lengths that differ", BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n")},
      {"lengths that differ in one line", BYTES(POST "Content-Length: 5, 6\r\n\r\n")},
      {"length 0 and another", BYTES(POST "Content-Length: 0\r\nContent-Length: 6\r\n\r\n")},
      {"length +5", BYTES(POST "Content-Length: +5\r\n\r\n")},
      {"length -5", BYTES(POST "Content-Length: -5\r\n\r\n")},
      {"length 0x5", BYTES(POST "Content-Length: 0x5\r\n\r\n")},
      {"length 5.0", BYTES(POST "Content-Length: 5.0\r\n\r\n")},
      {"length 5e0", BYTES(POST "Content-Length: 5e0\r\n\r\n")},
      {"length 1_0", BYTES(POST "Content-Length: 1_0\r\n\r\n")},
      {"length '5 5'", BYTES(POST "Content-Length: 5 5\r\n\r\n")},
      {"length in quotes", BYTES(POST "Content-Length: \"5\"\r\n\r\n")},
      {"length in other digits", BYTES(POST "Content-Length: \xd9\xa5\r\n\r\n")},
      {"length with a parameter", BYTES(POST "Content-Length: 5;a=b\r\n\r\n")},
      {"empty length", BYTES(POST "Content-Length:\r\n\r\n")},
      {"empty element first", BYTES(POST "Content-Length: ,5\r\n\r\n")},
      {"empty element last", BYTES(POST "Content-Length: 5,\r\n\r\n")},
      {"empty element between", BYTES(POST "Content-Length: 5,,5\r\n\r\n")},
      {"length with a vertical tab", BYTES(POST "Content-Length:\x0b"
                                                "5\r\n\r\n")},
      {"length of a negative in two", BYTES(POST "Content-Length: 5\r\nContent-Length: -5\r\n\r\n")},
      {"chunked twice", BYTES(POST "Transfer-Encoding: chunked, chunked\r\n\r\n")},
      {"chunked in two lines", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")},
      {"chunked, identity", BYTES(POST "Transfer-Encoding: chunked, identity\r\n\r\n")},
      {"chunked, gzip", BYTES(POST "Transfer-Encoding: chunked, gzip\r\n\r\n")},
      {"chunked, then identity", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n")},
      {"chunked,", BYTES(POST "Transfer-Encoding: chunked,\r\n\r\n")},
      {", chunked", BYTES(POST "Transfer-Encoding: , chunked\r\n\r\n")},
      {"empty coding", BYTES(POST "Transfer-Encoding:\r\n\r\n")},
      {"empty coding, then chunked", BYTES(POST "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n")},
      {"chunked with a parameter", BYTES(POST "Transfer-Encoding: chunked;a=b\r\n\r\n")},
      {"chunked in quotes", BYTES(POST "Transfer-Encoding: \"chunked\"\r\n\r\n")},
      {"a quote before chunked", BYTES(POST "Transfer-Encoding: \"chunked\r\n\r\n")},
      {"chunked and more words", BYTES(POST "Transfer-Encoding: chunked foo\r\n\r\n")},
      {"chunked behind a vertical tab", BYTES(POST "Transfer-Encoding: \x0b"
                                                   "chunked\r\n\r\n")},
      {"chunked behind a form feed", BYTES(POST "Transfer-Encoding: \x0c"
                                                "chunked\r\n\r\n")},
      {"chunked and NUL", BYTES(POST "Transfer-Encoding: chunked\0\r\n\r\n")},
      {"chunked behind a CR", BYTES(POST "Transfer-Encoding:\rchunked\r\n\r\n")},
      {"chunked behind a no-break space", BYTES(POST "Transfer-Encoding: \xc2\xa0"
                                                     "chunked\r\n\r\n")},
      {"coding with a space before the colon", BYTES(POST "Transfer-Encoding : chunked\r\n\r\n")},
      {"coding with a space before the line", BYTES(POST "A: b\r\n Transfer-Encoding: chunked\r\n\r\n")},
      {"coding behind a bare LF", BYTES(POST "A: b\n\nTransfer-Encoding: chunked\r\n\r\n")},
  };
  check_refused(table, COUNT(table), IOD_E_BAD_REQUEST);
}

TEST(heads_not_implemented) {
  static const refused_t table[] = {
      {"CONNECT", BYTES("CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n")},
      {"gzip", BYTES(POST "Transfer-Encoding: gzip\r\n\r\n")},
      {"gzip, chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
      {"identity", BYTES(POST "Transfer-Encoding: identity\r\n\r\n")},
      {"identity, then chunked", BYTES(POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n")},
      {"xchunked", BYTES(POST "Transfer-Encoding: xchunked\r\n\r\n")},
      {"chunke", BYTES(POST "Transfer-Encoding: chunke\r\n\r\n")},
      {"chunked's neighbour in bits", BYTES(POST "Transfer-Encoding: chunkee\r\n\r\n")},
  };
  check_refused(table, COUNT(table), IOD_E_NOT_IMPLEMENTED);
}

TEST(heads_of_another_version) {
  static const refused_t table[] = {
      {"2.0", BYTES("GET / HTTP/2.0\r\n" HOST "\r\n")},
      {"0.9", BYTES("GET / HTTP/0.9\r\n" HOST "\r\n")},
      {"3.1", BYTES("GET / HTTP/3.1\r\n" HOST "\r\n")},
      {"HTTP/2's preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
  };
  check_refused(table, COUNT(table), IOD_E_VERSION);
}

TEST(heads_with_too_large_a_body) {
  static const refused_t table[] = {
      {"one over", BYTES(POST "Content-Length: 50000001\r\n\r\n")},
      {"18 digits", BYTES(POST "Content-Length: 999999999999999999\r\n\r\n")},
      {"19 digits", BYTES(POST "Content-Length: 9999999999999999999\r\n\r\n")},
      {"2^64 + 5, five to who wraps", BYTES(POST "Content-Length: 18446744073709551621\r\n\r\n")},
  };
  check_refused(table, COUNT(table), IOD_E_BODY_TOO_LARGE);
}

TEST(heads_not_complete) {
  static const refused_t table[] = {
      {"nothing", BYTES("")},
      {"one byte", BYTES("G")},
      {"empty lines alone", BYTES("\r\n\r\n")},
      {"no LF", BYTES("GET / HTTP/1.1\r")},
      {"request line alone", BYTES("GET / HTTP/1.1\r\n")},
      {"no empty line", BYTES("GET / HTTP/1.1\r\n" HOST)},
      {"half an empty line", BYTES("GET / HTTP/1.1\r\n" HOST "\r")},
      {"a half line is not judged", BYTES("GET / HTTP/1.1\r\n" HOST "\x01")},
  };
  check_refused(table, COUNT(table), 0);
}

/* ---- limits ---- */

/* "GET /xxx… HTTP/1.1" with a line of this length, then a header line of this length, and headers to fill the head. */
static size_t build(char *out, size_t request_line, size_t header_line, size_t headers, size_t head) {
  size_t at = 0;
  at += (size_t)sprintf(out + at, "GET /");
  while (at < request_line - 9) out[at++] = 'x';
  at += (size_t)sprintf(out + at, " HTTP/1.1\r\nHost: a\r\n");
  size_t from = at;
  at += (size_t)sprintf(out + at, "A:");
  while (at - from < header_line) out[at++] = 'y';
  at += (size_t)sprintf(out + at, "\r\n");
  for (size_t i = 2; i < headers; i++) at += (size_t)sprintf(out + at, "B:\r\n");
  if (head) {
    at += (size_t)sprintf(out + at, "C:");
    while (at < head - 4) out[at++] = 'z';
    at += (size_t)sprintf(out + at, "\r\n");
  }
  return at + (size_t)sprintf(out + at, "\r\n");
}

TEST(heads_at_their_limits) {
  static const iod_http1_limits_t limits = {.head = 600, .line = 100, .request_line = 50, .headers = 10, .body = 0};
  static const struct {
    const char *name;
    size_t request_line, header_line, headers, head;
    int error;
  } table[] = {
      {"request line of 50", 50, 10, 2, 0, 0},
      {"request line of 51", 51, 10, 2, 0, IOD_E_TARGET_TOO_LONG},
      {"request line of 52", 52, 10, 2, 0, IOD_E_TARGET_TOO_LONG},
      {"request line over the head's limit", 700, 10, 2, 0, IOD_E_TARGET_TOO_LONG},
      {"header line of 100", 20, 100, 2, 0, 0},
      {"header line of 101", 20, 101, 2, 0, IOD_E_HEAD_TOO_LARGE},
      {"header line of 102", 20, 102, 2, 0, IOD_E_HEAD_TOO_LARGE},
      {"header line over the head's limit", 20, 1000, 2, 0, IOD_E_HEAD_TOO_LARGE},
      {"10 headers", 20, 10, 10, 0, 0},
      {"11 headers", 20, 10, 11, 0, IOD_E_HEAD_TOO_LARGE},
  };
  static char input[4096];
  for (size_t i = 0; i < COUNT(table); i++) {
    test_case(table[i].name);
    size_t length = build(input, table[i].request_line, table[i].header_line, table[i].headers, table[i].head);
    iod_http1_parser_t parser;
    CHECK_INT(cuts_head(&limits, input, length, &parser), table[i].error ? table[i].error : (int)length);
  }
}

TEST(heads_as_long_as_allowed) {
  iod_http1_limits_t limits = {.head = 300, .line = 1000, .request_line = 1000, .headers = 10, .body = 0};
  static char input[HTTP_MAX_HEADER_LENGTH + 4096];
  iod_http1_parser_t parser;
  test_case("head of 300 at 300");
  size_t length = build(input, 20, 10, 2, 300);
  CHECK_INT(length, 300);
  CHECK_INT(cuts_head(&limits, input, length, &parser), 300);
  test_case("head of 301 at 300");
  length = build(input, 20, 10, 2, 301);
  CHECK_INT(cuts_head(&limits, input, length, &parser), IOD_E_HEAD_TOO_LARGE);
  test_case("request line that fills the head");
  length = build(input, 298, 10, 2, 0);
  CHECK_INT(cuts_head(&limits, input, length, &parser), IOD_E_HEAD_TOO_LARGE);
  length = build(input, 299, 10, 2, 0);
  CHECK_INT(cuts_head(&limits, input, length, &parser), IOD_E_TARGET_TOO_LONG);

  test_case("the greatest head there is");
  limits = LIMITS;
  limits.line = HTTP_MAX_HEADER_LENGTH;
  length = build(input, 20, 10, 2, HTTP_MAX_HEADER_LENGTH);
  CHECK_INT(length, HTTP_MAX_HEADER_LENGTH);
  CHECK_INT(cuts_head(&limits, input, length, &parser), length);
  test_case("as many headers as there may be");
  length = build(input, 20, 10, HTTP_MAX_HEADER_COUNT, 0);
  CHECK_INT(cuts_head(&limits, input, length, &parser), length);
  CHECK_INT(parser.head.header_count, HTTP_MAX_HEADER_COUNT);
  test_case("one header more");
  length = build(input, 20, 10, HTTP_MAX_HEADER_COUNT + 1, 0);
  CHECK_INT(cuts_head(&limits, input, length, &parser), IOD_E_HEAD_TOO_LARGE);
}

/* What is wrong in a line that is too long: its length comes first, wherever the input was cut. */
TEST(heads_too_long_and_malformed) {
  static const iod_http1_limits_t limits = {.head = 500, .line = 20, .request_line = 20, .headers = 10, .body = 0};
  static const struct {
    const char *name, *input;
    size_t length;
    int error;
  } table[] = {
      {"malformed request line", BYTES("G@T /0123456789 HTTP/1.1\r\n"), IOD_E_TARGET_TOO_LONG},
      {"request line of LF", BYTES("GET /01234567 HTTP/1.1\n"), IOD_E_TARGET_TOO_LONG},
      {"request line of LF, at the limit", BYTES("GET /012345 HTTP/1.1\n"), IOD_E_BAD_REQUEST},
      {"malformed header", BYTES("GET / HTTP/1.1\r\nA B: 01234567890123456789\r\n"), IOD_E_HEAD_TOO_LARGE},
      {"control in a header",
       BYTES("GET / HTTP/1.1\r\nA: \x01"
             "01234567890123456789\r\n"),
       IOD_E_HEAD_TOO_LARGE},
      {"header without an end",
       BYTES("GET / HTTP/1.1\r\nA B\x01"
             "01234567890123456789"),
       IOD_E_HEAD_TOO_LARGE},
      {"too large a body, too long a line", BYTES("GET / HTTP/1.1\r\nContent-Length:       123\r\n"),
       IOD_E_HEAD_TOO_LARGE},
      {"header of LF, at the limit", BYTES("GET / HTTP/1.1\r\nA: 012345678901234567\n"), IOD_E_BAD_REQUEST},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    test_case(table[i].name);
    iod_http1_parser_t parser;
    CHECK_INT(cuts_head(&limits, table[i].input, table[i].length, &parser), table[i].error);
  }
}

/* ---- the rest ---- */

TEST(methods_have_numbers) {
  static const struct {
    const char *method;
    int id;
  } table[] = {
      {"GET", IOD_METHOD_GET},         {"HEAD", IOD_METHOD_HEAD},   {"POST", IOD_METHOD_POST},
      {"PUT", IOD_METHOD_PUT},         {"PATCH", IOD_METHOD_PATCH}, {"DELETE", IOD_METHOD_DELETE},
      {"OPTIONS", IOD_METHOD_OPTIONS}, {"TRACE", IOD_METHOD_TRACE}, {"get", IOD_METHOD_OTHER},
      {"GEX", IOD_METHOD_OTHER},       {"POSX", IOD_METHOD_OTHER},  {"PATCX", IOD_METHOD_OTHER},
      {"OPTIONX", IOD_METHOD_OTHER},   {"GETS", IOD_METHOD_OTHER},  {"PURGE", IOD_METHOD_OTHER},
      {"OPTION", IOD_METHOD_OTHER},    {"LINK", IOD_METHOD_OTHER},  {"PROPFIND", IOD_METHOD_OTHER},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    test_case(table[i].method);
    char input[64];
    int length = snprintf(input, sizeof(input), "%s / HTTP/1.1\r\n" HOST "\r\n", table[i].method);
    iod_http1_parser_t parser;
    CHECK_INT(cuts_head(&LIMITS, input, (size_t)length, &parser), length);
    CHECK_INT(parser.head.method_id, table[i].id);
  }
}

TEST(hosts) {
  static const struct {
    const char *host;
    bool valid;
  } table[] = {
      {"", true},
      {"a", true},
      {"example.com", true},
      {"example.com.", true},
      {"a:", true},
      {"a:0", true},
      {"a:80", true},
      {"a:65535", true},
      {"a:00080", true},
      {"127.0.0.1", true},
      {"127.0.0.1:3000", true},
      {"a_b", true},
      {"-", true},
      {"!$&'()*+,;=~", true},
      {"%41%4f", true},
      {"[::]", true},
      {"[::1]", true},
      {"[::1]:80", true},
      {"[1::]", true},
      {"[1:2:3:4:5:6:7:8]", true},
      {"[1:2:3:4:5:6:7::]", true},
      {"[::2:3:4:5:6:7:8]", true},
      {"[fe80::AbCd:0012]", true},
      {"[::ffff:127.0.0.1]", true},
      {"[1:2:3:4:5:6:1.2.3.4]", true},
      {"[::255.255.255.255]:1", true},

      {":", false},
      {":80", false},
      {"a:65536", false},
      {"a:000080", false},
      {"a:8a", false},
      {"a:-1", false},
      {"a:80:80", false},
      {"a:80 ", false},
      {" a", false},
      {"a b", false},
      {"a/", false},
      {"a?", false},
      {"a#", false},
      {"a@b", false},
      {"a\\b", false},
      {"a\"", false},
      {"<a>", false},
      {"a|b", false},
      {"a^", false},
      {"a`", false},
      {"{a}", false},
      {"\x7f", false},
      {"\x80", false},
      {"a\tb", false},
      {"%", false},
      {"%4", false},
      {"%4g", false},
      {"%g4", false},
      {"[1:", false},
      {"a%", false},
      {"[", false},
      {"[]", false},
      {"[:]", false},
      {"[:::]", false},
      {"[::1", false},
      {"::1", false},
      {"[::1]a", false},
      {"[::1]]", false},
      {"a[::1]", false},
      {"[::1]:x", false},
      {"[1:2:3:4:5:6:7]", false},
      {"[1:2:3:4:5:6:7:8:9]", false},
      {"[1:2:3:4:5:6:7:8::]", false},
      {"[1::2::3]", false},
      {"[12345::]", false},
      {"[g::]", false},
      {"[1:]", false},
      {"[:1]", false},
      {"[::1:]", false},
      {"[fe80::1%25eth0]", false},
      {"[v1.a]", false},
      {"[1.2.3.4]", false},
      {"[::1.2.3]", false},
      {"[::1.2.3.256]", false},
      {"[::1.2.3.4.5]", false},
      {"[::1.2.3.04]", false},
      {"[::1.2.3.4:5]", false},
      {"[1:2:3:4:5:6:7:1.2.3.4]", false},
      {"[::1.2.3.]", false},
      {"[::.1.2.3]", false},
      {"[::1.2.3.4", false},
      {"[1:2", false},
      {"[1", false},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    test_case(table[i].host);
    size_t length = strlen(table[i].host);
    CHECK(iod_http1_host_valid(test_flush(table[i].host, length), length) == table[i].valid);
  }
  test_case("host with NUL");
  CHECK(!iod_http1_host_valid("a\0b", 3));
}

TEST(heads_of_nothing) {
  iod_http1_parser_t parser;
  iod_http1_parser_reset(&parser);
  CHECK_INT(iod_http1_parse_head(&parser, &LIMITS, NULL, 0), 0);
  CHECK_INT(iod_http1_parse_head(&parser, &LIMITS, test_flush("\n", 1), 1), IOD_E_BAD_REQUEST);
}

/* Requests that follow each other in one input. */
TEST(heads_in_a_row) {
  static const char input[] = "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n";
  static iod_http1_parser_t parser;
  int first = iod_http1_parse_head(&parser, &LIMITS, input, sizeof(input) - 1);
  CHECK_INT(first, 28);
  iod_http1_parser_reset(&parser);
  CHECK_INT(iod_http1_parse_head(&parser, &LIMITS, input + first, sizeof(input) - 1 - (size_t)first),
            sizeof(input) - 1 - 28);
  CHECK_INT(parser.head.content_length, 1);
  CHECK_INT(parser.head.header_count, 2);
}
