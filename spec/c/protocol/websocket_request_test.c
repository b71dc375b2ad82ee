#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/protocol/http1_head.h"
#include "../../../ext/iodine/protocol/websocket_request.h"
#include "../test.h"

#define KEY  "dGhlIHNhbXBsZSBub25jZQ=="
#define REST "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"

static const iod_websocket_request_t PLAIN = {.host = {"a.test", 6}};

static iod_slice_t slice(const char *text) { return (iod_slice_t){text, strlen(text)}; }

static void check_written(const iod_websocket_request_t *request, const char *expected) {
  iod_buffer_t out = {0};
  size_t key_at = 0;
  CHECK_INT(iod_buffer_append(&out, "before", 6), 0);
  CHECK(iod_websocket_request_fault(request) == NULL);
  CHECK_INT(iod_websocket_request_write(request, &out, &key_at), 0);
  iod_buffer_consume(&out, 6);
  memcpy(iod_buffer_head(&out) + key_at, KEY, IOD_WEBSOCKET_KEY_LENGTH);
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), expected);
  iod_buffer_deinit(&out);
}

TEST(websocket_keys) {
  test_case("the RFC's key");
  char key[IOD_WEBSOCKET_KEY_LENGTH];
  iod_websocket_key(key, (const uint8_t *)"the sample nonce");
  CHECK_BYTES(key, sizeof key, KEY);
}

TEST(websocket_requests) {
  iod_websocket_request_t r = PLAIN;
  test_case("nothing but a host");
  check_written(&r, "GET / HTTP/1.1\r\nHost: a.test\r\n" REST "\r\n");

  test_case("all that there is");
  iod_websocket_field_t headers[] = {{slice("Origin"), slice("https://a.test")}, {slice("X-Empty"), slice("")}};
  iod_websocket_field_t cookies[] = {{slice("a"), slice("1")}, {slice("b"), slice("x=\"y z\", \xc3\xa4")}};
  r = (iod_websocket_request_t){.method = slice("POST"),
                                .target = slice("/chat?room=1&x=a?b"),
                                .host = slice("a.test"),
                                .port = 8080,
                                .protocols = slice("chat, superchat"),
                                .headers = headers,
                                .header_count = 2,
                                .cookies = cookies,
                                .cookie_count = 2,
                                .body = slice("hello")};
  check_written(&r, "POST /chat?room=1&x=a?b HTTP/1.1\r\nHost: a.test:8080\r\n" REST
                    "Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: https://a.test\r\nX-Empty: \r\n"
                    "Cookie: a=1; b=x=\"y z\", \xc3\xa4\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(websocket_request_hosts) {
  static const struct {
    const char *host;
    uint16_t port;
    bool secure;
    const char *line; /* NULL: refused */
  } cases[] = {
      {"a.test", 80, false, "a.test"},
      {"a.test", 443, true, "a.test"},
      {"a.test", 443, false, "a.test:443"},
      {"a.test", 80, true, "a.test:80"},
      {"[::1]", 0, false, "[::1]"},
      {"[::1]", 65535, false, "[::1]:65535"},
      {"127.0.0.1", 1, true, "127.0.0.1:1"},
      {"a.test:81", 0, false, "a.test:81"},
      {"a.test:81", 82, false, NULL},
      {"", 80, false, NULL},
      {"::1", 80, false, NULL},
      {"a test", 0, false, NULL},
      {"a\r\nX: y", 0, false, NULL},
      {"a/b", 0, false, NULL},
      {"user@a.test", 0, false, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iod_websocket_request_t r = PLAIN;
    char expected[256] = "GET / HTTP/1.1\r\nHost: ";
    test_case(cases[i].host);
    r.host = slice(cases[i].host), r.port = cases[i].port, r.secure = cases[i].secure;
    CHECK((iod_websocket_request_fault(&r) == NULL) == (cases[i].line != NULL));
    if (cases[i].line) check_written(&r, strcat(strcat(expected, cases[i].line), "\r\n" REST "\r\n"));
  }
  test_case("a host as long as can be, and a longer one");
  char name[256];
  iod_websocket_request_t r = PLAIN;
  memset(name, 'a', sizeof name);
  r.port = 65535;
  r.host = (iod_slice_t){name, 255};
  CHECK(iod_websocket_request_fault(&r) == NULL);
  r.host.length++;
  CHECK(iod_websocket_request_fault(&r) != NULL);
}

/* Bytes that end a line, or a string. */
static const iod_slice_t BREAKS[] = {{"a\r\nX: y", 7}, {"a\n", 2}, {"a\rb", 3}, {"a\0b", 3}, {"\x7f", 1}, {"\x01", 1}};

static void check_fault(const iod_websocket_request_t *request) {
  iod_buffer_t out = {0};
  size_t key_at;
  CHECK(iod_websocket_request_fault(request) != NULL);
  CHECK_INT(iod_websocket_request_write(request, &out, &key_at), IOD_E_BAD_REQUEST);
  CHECK_INT(iod_buffer_length(&out), 0);
  iod_buffer_deinit(&out);
}

TEST(websocket_request_breaks) {
  for (size_t i = 0; i < sizeof BREAKS / sizeof *BREAKS; i++) {
    test_case("no line can be broken");
    iod_websocket_field_t name = {BREAKS[i], slice("x")}, value = {slice("x"), BREAKS[i]};
    iod_websocket_request_t r = PLAIN;
    r.method = BREAKS[i], check_fault(&r), r = PLAIN;
    r.target = BREAKS[i], check_fault(&r), r = PLAIN;
    r.host = BREAKS[i], check_fault(&r), r = PLAIN;
    r.protocols = BREAKS[i], check_fault(&r), r = PLAIN;
    r.header_count = 1, r.headers = &name, check_fault(&r);
    r.headers = &value, check_fault(&r), r = PLAIN;
    r.cookie_count = 1, r.cookies = &name, check_fault(&r);
    r.cookies = &value, check_fault(&r);
  }
}

TEST(websocket_request_faults) {
  static const char *const targets[] = {"chat", "?x", "/a b", "/a#b", "/a ?b", "*", "http://a/"};
  static const char *const methods[] = {"G ET", "GET:", "\xc3\xa4"};
  static const char *const protocols[] = {"a b", "a,,b", "a;b", ",", " "};
  static const char *const names[] = {"",
                                      "a b",
                                      "a:",
                                      "Host",
                                      "UPGRADE",
                                      "connection",
                                      "Sec-WebSocket-Key",
                                      "sec-websocket-extensions",
                                      "Sec-WebSocket-Protocol",
                                      "Content-Length",
                                      "transfer-encoding"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    iod_websocket_request_t r = PLAIN;
    test_case(targets[i]);
    r.target = slice(targets[i]);
    check_fault(&r);
  }
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    iod_websocket_request_t r = PLAIN;
    test_case(methods[i]);
    r.method = slice(methods[i]);
    check_fault(&r);
  }
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
    iod_websocket_request_t r = PLAIN;
    test_case(protocols[i]);
    r.protocols = slice(protocols[i]);
    check_fault(&r);
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    iod_websocket_request_t r = PLAIN;
    iod_websocket_field_t header = {slice(names[i]), slice("x")};
    test_case(names[i]);
    r.headers = &header, r.header_count = 1;
    check_fault(&r);
  }
}

TEST(websocket_request_cookies) {
  iod_websocket_field_t cookie = {slice("a"), slice("b;c=d")}, header = {slice("Cookie"), slice("x=y")};
  iod_websocket_request_t r = PLAIN;
  test_case("a semicolon in a value");
  r.cookies = &cookie, r.cookie_count = 1;
  check_fault(&r);
  test_case("a malformed name");
  cookie = (iod_websocket_field_t){slice("a=b"), slice("c")};
  check_fault(&r);
  test_case("cookies, and a header of them");
  cookie.name = slice("a");
  r.headers = &header, r.header_count = 1;
  check_fault(&r);
  test_case("the header alone");
  r.cookie_count = 0;
  check_written(&r, "GET / HTTP/1.1\r\nHost: a.test\r\n" REST "Cookie: x=y\r\n\r\n");
}

static void write_one(void) {
  iod_websocket_field_t field = {slice("Name"), slice("value")};
  iod_websocket_request_t r = PLAIN;
  char body[2000];
  size_t key_at;
  iod_buffer_t out = {0};
  memset(body, 'x', sizeof body);
  r.headers = r.cookies = &field, r.header_count = r.cookie_count = 1, r.protocols = slice("chat");
  r.body = (iod_slice_t){body, sizeof body};
  if (iod_buffer_append(&out, "before", 6) == 0) {
    int result = iod_websocket_request_write(&r, &out, &key_at);
    CHECK(result == 0 || result == IOD_E_NOMEM);
    if (result) CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), "before");
  }
  iod_buffer_deinit(&out);
}

TEST(websocket_request_without_memory) {
  test_case("nothing is appended when an allocation fails");
  test_each_allocation_fails(write_one);
}
