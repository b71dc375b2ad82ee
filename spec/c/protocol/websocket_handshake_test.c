#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/protocol/origin.h"
#include "../../../ext/iodine/protocol/websocket_handshake.h"
#include "../flush.h"
#include "../test.h"

static const iod_websocket_deflate_t DEFAULT = {.on = true, .server_bits = 15, .client_bits = 15};
static const iod_websocket_deflate_t TAKEOVER = {
    .on = true, .server_takeover = true, .client_takeover = true, .server_bits = 15, .client_bits = 12};

static const struct {
  const char *offer, *by_default, *with_takeover; /* answers; "": none; NULL: malformed */
} OFFERS[] = {
#define ALONE "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    {"permessage-deflate", ALONE, "permessage-deflate"},
    {"Permessage-Deflate", ALONE, "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits", ALONE, "permessage-deflate; client_max_window_bits=12"},
    {"permessage-deflate; client_max_window_bits=10", ALONE "; client_max_window_bits=10",
     "permessage-deflate; client_max_window_bits=10"},
    {"permessage-deflate;client_max_window_bits=\"8\"", ALONE "; client_max_window_bits=8",
     "permessage-deflate; client_max_window_bits=8"},
    {"permessage-deflate; server_max_window_bits=9", ALONE "; server_max_window_bits=9",
     "permessage-deflate; server_max_window_bits=9"},
    {"permessage-deflate; server_max_window_bits=15", ALONE "; server_max_window_bits=15",
     "permessage-deflate; server_max_window_bits=15"},
    {"permessage-deflate; server_no_context_takeover", ALONE, "permessage-deflate; server_no_context_takeover"},
    {"permessage-deflate; client_no_context_takeover", ALONE, "permessage-deflate; client_no_context_takeover"},
    {"permessage-deflate; server_max_window_bits=8", "", ""},
    {"permessage-deflate; server_max_window_bits=8, permessage-deflate", ALONE, "permessage-deflate"},
    {"permessage-deflate; server_max_window_bits", "", ""},
    {"permessage-deflate; server_max_window_bits=16", "", ""},
    {"permessage-deflate; server_max_window_bits=09", "", ""},
    {"permessage-deflate; server_max_window_bits=1x", "", ""},
    {"permessage-deflate; server_max_window_bits=100", "", ""},
    {"permessage-deflate; client_max_window_bits=7", "", ""},
    {"permessage-deflate; client_max_window_bits=16", "", ""},
    {"permessage-deflate; server_no_context_takeover=1", "", ""},
    {"permessage-deflate; unknown", "", ""},
    {"permessage-deflate; unknown=1, permessage-deflate; server_no_context_takeover", ALONE,
     "permessage-deflate; server_no_context_takeover"},
    {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "", ""},
    {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", "", ""},
    {"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", "", ""},
    {"x-webkit-deflate-frame", "", ""},
    {"foo; bar=\"x\", permessage-deflate", ALONE, "permessage-deflate"},
    {" , permessage-deflate ,, ", ALONE, "permessage-deflate"},
    {"", "", ""},
    {"permessage-deflate;", NULL, NULL},
    {"permessage-deflate; =1", NULL, NULL},
    {"permessage-deflate; client_max_window_bits=", NULL, NULL},
    {"permessage-deflate; client_max_window_bits=\"8", NULL, NULL},
    {"permessage-deflate; client_max_window_bits=\"a b\"", NULL, NULL},
    {"permessage-deflate foo", NULL, NULL},
    {"permessage-deflate, ;", NULL, NULL},
    {"foo=bar", NULL, NULL},
};

static void check_offer(const char *offer, const iod_websocket_deflate_t *wanted, const char *expected) {
  iod_websocket_deflate_t agreed = {0};
  char answer[IOD_WEBSOCKET_OFFER_ROOM];
  int result =
      iod_websocket_offer_take((iod_slice_t){test_flush(offer, strlen(offer)), strlen(offer)}, wanted, &agreed);
  CHECK_INT(result, expected ? 0 : IOD_E_BAD_REQUEST);
  CHECK(agreed.on == (expected && *expected));
  if (agreed.on) CHECK_BYTES(answer, iod_websocket_offer_answer(answer, &agreed), expected);
}

TEST(websocket_offers) {
  static const iod_websocket_deflate_t off;
  for (size_t i = 0; i < sizeof OFFERS / sizeof *OFFERS; i++) {
    test_case(OFFERS[i].offer);
    check_offer(OFFERS[i].offer, &DEFAULT, OFFERS[i].by_default);
    check_offer(OFFERS[i].offer, &TAKEOVER, OFFERS[i].with_takeover);
    check_offer(OFFERS[i].offer, &off, OFFERS[i].by_default ? "" : NULL);
  }
  test_case("the longest answer fits");
  iod_websocket_deflate_t all = {.on = true, .server_bits_asked = true, .server_bits = 10, .client_bits = 10};
  char answer[IOD_WEBSOCKET_OFFER_ROOM];
  CHECK(iod_websocket_offer_answer(answer, &all) <= sizeof answer);
}

/* ---- ---- */

enum { BAD = IOD_E_BAD_REQUEST, OLD = IOD_E_UPGRADE_REQUIRED, FORBIDDEN = IOD_E_FORBIDDEN };

#define GOOD    "Upgrade: websocket\nConnection: Upgrade\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
#define VERSION "Sec-WebSocket-Version: 13\n"

static const struct {
  const char *name, *headers;
  int result;
} HANDSHAKES[] = {
    {"of the RFC", GOOD KEY VERSION, 1},
    {"in any case, with others", "upgrade: h2c, WebSocket\nCONNECTION: keep-alive, UPGRADE\n" KEY VERSION, 1},
    {"Connection in two lines", "Upgrade: websocket\nConnection: keep-alive\nConnection: upgrade\n" KEY VERSION, 1},
    {"no Upgrade", "Connection: Upgrade\n" KEY VERSION, 0},
    {"no Connection", "Upgrade: websocket\n" KEY VERSION, 0},
    {"another upgrade", "Upgrade: h2c\nConnection: Upgrade\n" KEY VERSION, 0},
    {"not the whole name", "Upgrade: websockets\nConnection: Upgrade\n" KEY VERSION, 0},
    {"no version", GOOD KEY, OLD},
    {"version 8", GOOD KEY "Sec-WebSocket-Version: 8\n", OLD},
    {"version 013", GOOD KEY "Sec-WebSocket-Version: 013\n", OLD},
    {"two versions", GOOD KEY VERSION VERSION, OLD},
    {"no key", GOOD VERSION, BAD},
    {"two keys", GOOD KEY KEY VERSION, BAD},
    {"a key of 15 bytes", GOOD VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\n", BAD},
    {"a key of 17 bytes", GOOD VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=\n", BAD},
    {"a key that is not base64", GOOD VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===\n", BAD},
    {"a key with a space", GOOD VERSION "Sec-WebSocket-Key: dGhl HNhbXBsZSBub25jZQ==\n", BAD},
    {"a malformed extension", GOOD KEY VERSION "Sec-WebSocket-Extensions: ;\n", BAD},
    {"an extension we don't know", GOOD KEY VERSION "Sec-WebSocket-Extensions: foo\n", 1},
    {"an origin on the list", GOOD KEY VERSION "Origin: https://example.com\n", 1},
    {"an origin below one", GOOD KEY VERSION "Origin: https://a.b.example.org:8443\n", 1},
    {"another origin", GOOD KEY VERSION "Origin: https://evil.example\n", FORBIDDEN},
    {"two origins", GOOD KEY VERSION "Origin: https://example.com\nOrigin: https://example.com\n", FORBIDDEN},
    {"no page", GOOD KEY VERSION "Origin: null\n", FORBIDDEN},
};

static iod_websocket_handshake_t see_all(const iod_websocket_policy_t *policy, const char *headers) {
  iod_websocket_handshake_t h = iod_websocket_handshake(policy);
  for (const char *at = headers, *end; (end = strchr(at, '\n')); at = end + 1) {
    const char *colon = strchr(at, ':');
    iod_websocket_handshake_see(&h, (iod_slice_t){at, (size_t)(colon - at)},
                                (iod_slice_t){colon + 2, (size_t)(end - colon - 2)});
  }
  return h;
}

TEST(websocket_handshakes) {
  static const iod_slice_t origins[] = {{"https://example.com", 19}, {"https://*.example.org:8443", 26}};
  iod_websocket_policy_t policy = {.deflate = DEFAULT, .origins = origins, .origin_count = 2},
                         open = {.deflate = DEFAULT};
  for (size_t i = 0; i < sizeof HANDSHAKES / sizeof *HANDSHAKES; i++) {
    test_case(HANDSHAKES[i].name);
    iod_websocket_handshake_t h = see_all(&policy, HANDSHAKES[i].headers);
    CHECK_INT(iod_websocket_handshake_check(&h), HANDSHAKES[i].result);
    h = see_all(&open, HANDSHAKES[i].headers);
    CHECK_INT(iod_websocket_handshake_check(&h), HANDSHAKES[i].result == FORBIDDEN ? 1 : HANDSHAKES[i].result);
  }
}

TEST(websocket_handshake_answers) {
  iod_websocket_policy_t policy = {.deflate = DEFAULT};
  iod_buffer_t out = {0};
  iod_websocket_handshake_t h = see_all(&policy, GOOD KEY VERSION);
  iod_alloc_countdown = 0;
  CHECK_INT(iod_websocket_handshake_answer(&h, &out), IOD_E_NOMEM);
  iod_alloc_countdown = -1;
#define ANSWER "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
  CHECK_INT(iod_websocket_handshake_answer(&h, &out), 0);
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), ANSWER);
  iod_buffer_clear(&out);
  h = see_all(&policy, GOOD KEY VERSION "Sec-WebSocket-Extensions: a\nSec-WebSocket-Extensions: permessage-deflate\n");
  CHECK_INT(iod_websocket_handshake_answer(&h, &out), 0);
  CHECK_BYTES(iod_buffer_head(&out), iod_buffer_length(&out), ANSWER "sec-websocket-extensions: " ALONE "\r\n");
  iod_buffer_deinit(&out);
}

TEST(origins) {
  static const struct {
    const char *allowed, *origin;
    bool matches;
  } cases[] = {
      {"https://example.com", "https://example.com", true},
      {"https://Example.com", "https://example.COM", true},
      {"https://example.com:443", "https://example.com", true},
      {"http://example.com", "http://example.com:80", true},
      {"https://example.com", "https://example.com:80", false},
      {"https://example.com", "http://example.com", false},
      {"https://example.com", "https://www.example.com", false},
      {"https://example.com", "https://example.com.evil.example", false},
      {"https://example.com", "https://example.com@evil.example", false},
      {"https://example.com", "example.com", false},
      {"https://example.com", "", false},
      {"https://*.example.com", "https://a.example.com", true},
      {"https://*.example.com", "https://a.b.example.com", true},
      {"https://*.example.com", "https://example.com", false},
      {"https://*.example.com", "https://.example.com", false},
      {"https://*.example.com", "https://evilexample.com", false},
      {"https://*.example.com:8443", "https://a.example.com", false},
      {"http://[::1]:3000", "http://[::1]:3000", true},
      {"http://[::1]", "http://[::1]:80", true},
      {"app://bundle", "app://bundle", true},
      {"null", "null", true},
      {"null", "https://null", false},
  };
  static const char *const invalid[] = {
      "",          "*",           "example.com",    "https://",        "https:/example.com", "https://example.com/",
      "https://*", "https://*.",  "https://a*.com", "https://*.*.com", "https://a b",        "://a",
      "ht tp://a", "https://a:x", "https://a,b/"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].origin);
    iod_slice_t allowed = {cases[i].allowed, strlen(cases[i].allowed)};
    CHECK(iod_origin_valid(allowed));
    CHECK(iod_origin_matches((iod_slice_t){cases[i].origin, strlen(cases[i].origin)}, allowed) == cases[i].matches);
  }
  for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
    test_case(invalid[i]);
    CHECK(!iod_origin_valid((iod_slice_t){invalid[i], strlen(invalid[i])}));
  }
}
