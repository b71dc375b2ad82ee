#include "../../../ext/iodine/protocol/proxy_header.h"
#include "../test.h"
#include "cuts.h"

#include <stdio.h>

#define BYTES(literal) "" literal, sizeof(literal) - 1
#define SIGNATURE      "\r\n\r\n\0\r\nQUIT\n"
#define V4             "\xc0\0\2\1\xc0\0\2\2\x12\x34\0\x50"
#define V6_ONE         "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define V6             V6_ONE V6_ONE "\x12\x34\0\x50"

enum { BAD = IOD_E_BAD_REQUEST, LARGE = IOD_E_HEAD_TOO_LARGE, WHOLE = -1 };

static const struct {
  const char *name, *bytes;
  size_t length;
  int result;         /* WHOLE: its length */
  const char *client; /* NULL: not named */
} CASES[] = {
    {"IPv4", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), WHOLE, "192.0.2.1"},
    {"a request behind", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 0 65535\r\nGET / HTTP/1.1\r\n\r\n"), 40, "192.0.2.1"},
    {"another header behind", BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\nPROXY TCP4 9.9.9.9 1.2.3.5 1 2\r\n"), 32,
     "1.2.3.4"},
    {"IPv6", BYTES("PROXY TCP6 2001:db8::1 ::1 56324 443\r\n"), WHOLE, "2001:db8::1"},
    {"IPv4 as IPv6", BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::1 56324 443\r\n"), WHOLE, "192.0.2.1"},
    {"the longest of IPv6",
     BYTES(
         "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     104, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"unknown", BYTES("PROXY UNKNOWN\r\n"), WHOLE, NULL},
    {"unknown with more", BYTES("PROXY UNKNOWN ::1 x y\r\n"), WHOLE, NULL},
    {"nothing", BYTES(""), 0, NULL},
    {"a beginning", BYTES("PRO"), 0, NULL},
    {"no end yet", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r"), 0, NULL},
    {"no end and no sense yet", BYTES("PROXY \n\r x"), 0, NULL},
    {"bare LF", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n\r\n"), BAD, NULL},
    {"CR inside", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r443\r\n"), BAD, NULL},
    {"lower case", BYTES("proxy TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), BAD, NULL},
    {"a request", BYTES("GET / HTTP/1.1\r\n\r\n"), BAD, NULL},
    {"a POST", BYTES("POST / HTTP/1.1\r\n\r\n"), BAD, NULL},
    {"TLS", BYTES("\x16\x03\x01"), BAD, NULL},
    {"an empty line before", BYTES("\r\nPROXY UNKNOWN\r\n"), BAD, NULL},
    {"another family", BYTES("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"nothing but the name", BYTES("PROXY \r\n"), BAD, NULL},
    {"UNKNOWN with a tail", BYTES("PROXY UNKNOWNS\r\n"), BAD, NULL},
    {"IPv6 in TCP4", BYTES("PROXY TCP4 ::1 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"IPv4 in TCP6", BYTES("PROXY TCP6 ::1 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"two spaces", BYTES("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"a space at the end", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), BAD, NULL},
    {"one word more", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), BAD, NULL},
    {"one port", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), BAD, NULL},
    {"one address", BYTES("PROXY TCP4 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"a port over 65535", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"), BAD, NULL},
    {"a port with a leading zero", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 02\r\n"), BAD, NULL},
    {"a negative port", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"), BAD, NULL},
    {"a leading zero", BYTES("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"a NUL", BYTES("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"), BAD, NULL},
    {"version 2, IPv4", BYTES(SIGNATURE "\x21\x11\0\xc" V4), WHOLE, "192.0.2.1"},
    {"version 2, IPv4, a request behind", BYTES(SIGNATURE "\x21\x11\0\xc" V4 "GET /"), 28, "192.0.2.1"},
    {"version 2, IPv6", BYTES(SIGNATURE "\x21\x21\0\x24" V6), WHOLE, "2001:db8::1"},
    {"version 2, IPv4 and more", BYTES(SIGNATURE "\x21\x11\0\x12" V4 "\3\0\3abc"), WHOLE, "192.0.2.1"},
    {"version 2, datagram", BYTES(SIGNATURE "\x21\x12\0\xc" V4), WHOLE, NULL},
    {"version 2, unspecified", BYTES(SIGNATURE "\x21\0\0\0"), WHOLE, NULL},
    {"version 2, local", BYTES(SIGNATURE "\x20\0\0\0"), WHOLE, NULL},
    {"version 2, local with an address", BYTES(SIGNATURE "\x20\x11\0\xc" V4), WHOLE, NULL},
    {"version 2, local with an odd family", BYTES(SIGNATURE "\x20\xff\0\1x"), WHOLE, NULL},
    {"version 2, part of the signature", BYTES("\r\n\r\n\0\r\nQUIT"), 0, NULL},
    {"version 2, part", BYTES(SIGNATURE "\x21\x11\0"), 0, NULL},
    {"version 2, part of the addresses", BYTES(SIGNATURE "\x21\x11\0\xc\xc0\0\2\1"), 0, NULL},
    {"version 2, too short for IPv4", BYTES(SIGNATURE "\x21\x11\0\xb" V4), BAD, NULL},
    {"version 2, too short for IPv6", BYTES(SIGNATURE "\x21\x21\0\xc" V4), BAD, NULL},
    {"version 2, too short for a Unix socket", BYTES(SIGNATURE "\x21\x31\0\xc" V4), BAD, NULL},
    {"version 2, another family", BYTES(SIGNATURE "\x21\x41\0\xc" V4), BAD, NULL},
    {"version 2, another transport", BYTES(SIGNATURE "\x21\x13\0\xc" V4), BAD, NULL},
    {"version 2, another command", BYTES(SIGNATURE "\x22\x11\0\xc" V4), BAD, NULL},
    {"version 1 in version 2", BYTES(SIGNATURE "\x11\x11\0\xc" V4), BAD, NULL},
    {"version 3", BYTES(SIGNATURE "\x31\x11\0\xc" V4), BAD, NULL},
    {"version 2, over the limit", BYTES(SIGNATURE "\x21\x11\xf\xf1" V4), LARGE, NULL},
    {"version 2, far over the limit", BYTES(SIGNATURE "\x21\x11\xff\xff" V4), LARGE, NULL},
    {"version 2, as long as may be", BYTES(SIGNATURE "\x21\x11\xf\xf0" V4), 0, NULL},
    {"another signature", BYTES("\r\n\r\n\0\r\nQUIT\r\x21\x11\0\xc" V4), BAD, NULL},
};

static void check(const char *bytes, size_t length, int expected, const char *client) {
  iod_proxy_header_t header;
  char text[IOD_IP_TEXT];
  int result = cuts_proxy_header(bytes, length, &header);
  CHECK_INT(result, expected);
  if (result <= 0) return;
  CHECK(header.named == (client != NULL));
  if (client && header.named) CHECK_BYTES(text, iod_ip_format(&header.client, text), client);
}

TEST(proxy_headers) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].name);
    check(CASES[i].bytes, CASES[i].length, CASES[i].result == WHOLE ? (int)CASES[i].length : CASES[i].result,
          CASES[i].client);
  }
}

TEST(proxy_headers_have_a_limit) {
  char bytes[IOD_PROXY_HEADER_MAX + 1];
  test_case("a line of 107 bytes");
  memset(bytes, 'x', sizeof bytes);
  memcpy(bytes, "PROXY UNKNOWN ", 14);
  memcpy(bytes + IOD_PROXY_LINE_MAX - 2, "\r\n", 2);
  check(bytes, IOD_PROXY_LINE_MAX, IOD_PROXY_LINE_MAX, NULL);
  test_case("a line of 108 bytes");
  memcpy(bytes + IOD_PROXY_LINE_MAX - 2, "x\r\n", 3);
  check(bytes, IOD_PROXY_LINE_MAX + 1, BAD, NULL);
  test_case("106 bytes without an end");
  check(bytes, IOD_PROXY_LINE_MAX - 1, 0, NULL);
  test_case("107 bytes without an end");
  check(bytes, IOD_PROXY_LINE_MAX, BAD, NULL);
  test_case("4,096 bytes of version 2");
  memcpy(bytes, SIGNATURE "\x21\x11\xf\xf0" V4, 28);
  check(bytes, sizeof bytes, IOD_PROXY_HEADER_MAX, "192.0.2.1");
}
