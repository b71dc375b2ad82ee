#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"
#include "websocket_cuts.h"

#include <stdlib.h>

#define BYTES(literal) "" literal, sizeof(literal) - 1
#define K              "\x01\x02\x03\x04" /* a mask's key */

enum { LIMIT = 300 };

static const iod_websocket_deflate_t PLAIN;
static const iod_websocket_deflate_t ALONE = {.on = true, .server_bits = 15, .client_bits = 15};
static const iod_websocket_deflate_t TAKEOVER = {
    .on = true, .client_takeover = true, .server_takeover = true, .server_bits = 15, .client_bits = 10};

/* Frames are written as a server sends them; a client's are the same, masked. */
typedef struct message_case {
  const char *name, *bytes;
  size_t length;
  const char *said;
} message_case_t;

/* The families are those of the Autobahn test suite; cases with times or sizes are in tests of their own. */
static const message_case_t CASES[] = {
    {"nothing", BYTES(""), ""},
    {"1 text", BYTES("\x81\5hello"), "text(hello)"},
    {"1 text, empty", BYTES("\x81\0"), "text()"},
    {"1 binary", BYTES("\x82\2\xff\xfe"), "binary(\xff\xfe)"},
    {"1 binary, empty", BYTES("\x82\0"), "binary()"},
    {"1 two", BYTES("\x81\1a\x82\1b"), "text(a) binary(b)"},
    {"1 length in two bytes, too short for it", BYTES("\x81\x7e\0\x7d"), "error(1002)"},
    {"1 length in eight bytes, too short for it", BYTES("\x81\x7f\0\0\0\0\0\0\xff\xff"), "error(1002)"},
    {"1 length over 2^63", BYTES("\x81\x7f\x80\0\0\0\0\0\0\0"), "error(1002)"},
    {"1 length far over the limit", BYTES("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), "error(1009)"},
    {"2 ping", BYTES("\x89\0"), "ping()"},
    {"2 ping with payload", BYTES("\x89\5hello"), "ping(hello)"},
    {"2 ping with any bytes", BYTES("\x89\3\0\xff\xfe"), "ping(\0\xff\xfe)"},
    {"2 ping of 126 bytes", BYTES("\x89\x7e\0\x7e"), "error(1002)"},
    {"2 pong nobody asked for", BYTES("\x8a\2hi\x89\1x"), "pong(hi) ping(x)"},
    {"2 ten pings",
     BYTES("\x89\1"
           "0\x89\1"
           "1\x89\1"
           "2\x89\1"
           "3"),
     "ping(0) ping(1) ping(2) ping(3)"},
    {"3 RSV3", BYTES("\x91\5hello"), "error(1002)"},
    {"3 RSV2 behind a good one", BYTES("\x81\1a\xa1\5hello"), "text(a) error(1002)"},
    {"3 RSV1 that was not agreed on", BYTES("\xc1\5hello"), "error(1002)"},
    {"3 RSV in a ping", BYTES("\xb9\0"), "error(1002)"},
    {"3 RSV in a close", BYTES("\xf8\0"), "error(1002)"},
    {"4 opcode 3", BYTES("\x83\0"), "error(1002)"},
    {"4 opcode 7 behind a text", BYTES("\x81\1a\x87\1b"), "text(a) error(1002)"},
    {"4 opcode 11", BYTES("\x8b\0"), "error(1002)"},
    {"4 opcode 15", BYTES("\x8f\0"), "error(1002)"},
    {"5 ping in two fragments", BYTES("\x09\1a\x80\1b"), "error(1002)"},
    {"5 pong in two fragments", BYTES("\x0a\1a\x80\1b"), "error(1002)"},
    {"5 text in two fragments", BYTES("\x01\3hel\x80\2lo"), "text(hello)"},
    {"5 text in three, one empty", BYTES("\x01\3hel\0\0\x80\2lo"), "text(hello)"},
    {"5 text, the last empty", BYTES("\x01\5hello\x80\0"), "text(hello)"},
    {"5 text, the first empty", BYTES("\x01\0\x80\5hello"), "text(hello)"},
    {"5 all empty", BYTES("\x01\0\0\0\x80\0"), "text()"},
    {"5 a ping between", BYTES("\x01\3hel\x89\4ping\x80\2lo"), "ping(ping) text(hello)"},
    {"5 pings between all",
     BYTES("\x01\1h\x89\1"
           "1\0\1e\x89\1"
           "2\x80\1y"),
     "ping(1) ping(2) text(hey)"},
    {"5 a continuation of nothing, final", BYTES("\x80\1a"), "error(1002)"},
    {"5 a continuation of nothing", BYTES("\0\1a"), "error(1002)"},
    {"5 a continuation behind the end", BYTES("\x01\1a\x80\1b\x80\1c"), "text(ab) error(1002)"},
    {"5 a new message inside of one", BYTES("\x01\1a\x81\1b"), "error(1002)"},
    {"6 text",
     BYTES("\x81\x0e"
           "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
           "abc"),
     "text(\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
     "abc)"},
    {"6 a character across fragments", BYTES("\x01\1\xe2\0\1\x82\x80\1\xac"), "text(\xe2\x82\xac)"},
    {"6 a character across a ping", BYTES("\x01\1\xe2\x89\0\x80\2\x82\xac"), "ping() text(\xe2\x82\xac)"},
    {"6 not ended", BYTES("\x81\2\xe2\x82"), "error(1007)"},
    {"6 not ended in fragments", BYTES("\x01\1\xe2\x80\1\x82"), "error(1007)"},
    {"6 a surrogate", BYTES("\x81\5ab\xed\xa0\x80"), "error(1007)"},
    {"6 wrong before the end", BYTES("\x01\4\xf4\x90\x80\x80\x09"), "error(1007)"},
    {"6 wrong in an unfinished frame",
     BYTES("\x81\x20"
           "a\xff"),
     "error(1007)"},
    {"6 overlong", BYTES("\x81\2\xc0\xaf"), "error(1007)"},
    {"6 binary may be anything", BYTES("\x02\1\xff\x80\1\xc0"), "binary(\xff\xc0)"},
    {"6 text behind binary", BYTES("\x82\1\xff\x81\1\xff"), "binary(\xff) error(1007)"},
    {"7 close", BYTES("\x88\2\3\xe8"), "close(1000)"},
    {"7 close without a code", BYTES("\x88\0"), "close(1005)"},
    {"7 close with a reason",
     BYTES("\x88\5\3\xe8"
           "bye"),
     "close(1000,bye)"},
    {"7 close of one byte", BYTES("\x88\1\3"), "error(1002)"},
    {"7 close between fragments", BYTES("\x01\1a\x88\2\3\xe8\x80\1b"), "close(1000)"},
    {"7 ping behind a close", BYTES("\x88\2\3\xe8\x89\0"), "close(1000)"},
    {"7 garbage behind a close", BYTES("\x88\2\3\xe8\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "close(1000)"},
    {"7 close with a reason that is not UTF-8", BYTES("\x88\4\3\xe8\xce\xff"), "error(1007)"},
    {"7 close of 126 bytes", BYTES("\x88\x7e\0\x7e"), "error(1002)"},
    {"7 code 999", BYTES("\x88\2\3\xe7"), "error(1002)"},
    {"7 close in fragments", BYTES("\x08\2\3\xe8"), "error(1002)"},
};

static const char HELLO[] = "\xc1\7\xf2\x48\xcd\xc9\xc9\7\0"; /* RFC 7692 section 7.2.3.1 */

static const message_case_t DEFLATED[] = {
    {"12 plain", BYTES("\x81\5Hello"), "text(Hello)"},
    {"12 one", HELLO, sizeof HELLO - 1, "text(Hello)"},
    {"12 in two fragments", BYTES("\x41\3\xf2\x48\xcd\x80\4\xc9\xc9\7\0"), "text(Hello)"},
    {"12 a ping between", BYTES("\x41\3\xf2\x48\xcd\x89\1!\x80\4\xc9\xc9\7\0"), "ping(!) text(Hello)"},
    {"12 not compressed",
     BYTES("\xc1\x0b\0\5\0\xfa\xff"
           "Hello\0"),
     "text(Hello)"},
    {"12 a last block", BYTES("\xc1\x08\xf3\x48\xcd\xc9\xc9\7\0\0"), "text(Hello)"},
    {"12 a last block, nothing behind", BYTES("\xc1\x07\xf3\x48\xcd\xc9\xc9\7\0"), "text(Hello)"},
    {"12 two blocks", BYTES("\xc1\x0d\xf2\x48\5\0\0\0\xff\xff\xca\xc9\xc9\7\0"), "text(Hello)"},
    {"12 empty", BYTES("\xc1\1\0"), "text()"},
    {"12 not a byte", BYTES("\xc1\0"), "text()"},
    {"12 plain behind compressed", BYTES("\xc1\1\0\x81\1a\xc1\1\0"), "text() text(a) text()"},
    {"12 RSV1 in a continuation", BYTES("\x41\3\xf2\x48\xcd\xc0\4\xc9\xc9\7\0"), "error(1002)"},
    {"12 RSV1 in a ping", BYTES("\xc9\0"), "error(1002)"},
    {"12 RSV2", BYTES("\xe1\7\xf2\x48\xcd\xc9\xc9\7\0"), "error(1002)"},
    {"12 malformed", BYTES("\xc1\4\xff\xff\xff\xff"), "error(1007)"},
    {"12 cut off",
     BYTES("\xc1\x06\0\5\0\xfa\xff"
           "H"),
     "error(1007)"},
    {"12 not UTF-8", BYTES("\xc1\7\0\1\0\xfe\xff\xff\0"), "error(1007)"},
    {"12 binary", BYTES("\xc2\7\0\1\0\xfe\xff\xff\0"), "binary(\xff)"},
    {"12 refers to before its begin", BYTES("\xc1\2\2\x07"), "error(1007)"},
    {"12 frames over twice the limit", BYTES("\xc2\x7e\6\x59"), "error(1009)"},
};

/* ---- ---- */

static iod_inflaters_t spare;

static iod_websocket_rules_t rules(bool from_client, size_t limit) {
  return (iod_websocket_rules_t){.limit = limit, .from_client = from_client, .inflaters = &spare};
}

/* Masks each frame that is whole or whose head is; what can't be read is left as it is. */
static iod_buffer_t as_client(const char *bytes, size_t length) {
  iod_buffer_t out = {0};
  iod_websocket_mask_t mask;
  memcpy(mask.key, K, 4);
  for (size_t at = 0; at < length;) {
    uint8_t small = at + 1 < length ? (uint8_t)bytes[at + 1] : 0;
    size_t head = 2 + (small == 127 ? 8u : small == 126 ? 2u : 0u), n = small;
    if (head > length - at) head = length - at;
    if (small == 126 && head == 4) n = (size_t)(uint8_t)bytes[at + 2] << 8 | (uint8_t)bytes[at + 3];
    if (small == 127 || n > length - at - head) n = length - at - head;
    char masked[2048], first[16];
    memcpy(first, bytes + at, head);
    if (head > 1) first[1] = (char)(first[1] | 0x80);
    iod_websocket_mask(masked, bytes + at + head, n, mask, 0);
    if (iod_buffer_append(&out, first, head) || iod_buffer_append(&out, K, 4) || iod_buffer_append(&out, masked, n))
      abort();
    at += head + n;
  }
  return out;
}

static void check(const iod_websocket_rules_t *r, const iod_websocket_deflate_t *agreed, const char *bytes,
                  size_t length, const char *expected, size_t expected_length) {
  iod_buffer_t said = {0};
  CHECK(websocket_cuts(r, agreed, bytes, length, &said));
  bool equal = iod_buffer_length(&said) == expected_length &&
               (expected_length == 0 || memcmp(iod_buffer_head(&said), expected, expected_length) == 0);
  if (!equal) CHECK_BYTES(said.bytes ? iod_buffer_head(&said) : "", iod_buffer_length(&said), expected);
  iod_buffer_deinit(&said);
}

static void check_both(const message_case_t *c, const iod_websocket_deflate_t *agreed) {
  iod_websocket_rules_t from_server = rules(false, LIMIT), from_client = rules(true, LIMIT);
  size_t expected = strlen(c->said);
  if (strstr(c->name, "any bytes")) expected = sizeof "ping(\0\xff\xfe)" - 1;
  check(&from_server, agreed, c->bytes, c->length, c->said, expected);
  iod_buffer_t masked = as_client(c->bytes, c->length);
  check(&from_client, agreed, masked.bytes ? masked.bytes : "", iod_buffer_length(&masked), c->said, expected);
  iod_buffer_deinit(&masked);
}

TEST(websocket_messages) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].name);
    check_both(&CASES[i], &PLAIN);
    if (!iod_deflate_available || strstr(CASES[i].name, "not agreed on")) continue;
    check_both(&CASES[i], &ALONE);
  }
  iod_inflaters_deinit(&spare);
}

TEST(websocket_messages_deflated) {
  if (!iod_deflate_available) return;
  for (size_t i = 0; i < sizeof DEFLATED / sizeof *DEFLATED; i++) {
    test_case(DEFLATED[i].name);
    check_both(&DEFLATED[i], &ALONE);
    check_both(&DEFLATED[i], &TAKEOVER);
  }
  test_case("with what came before (RFC 7692 section 7.2.3.2)");
  static const message_case_t again = {"", BYTES("\xc1\7\xf2\x48\xcd\xc9\xc9\7\0\xc1\5\xf2\0\x11\0\0"), ""};
  message_case_t known = again, unknown = again;
  known.said = "text(Hello) text(Hello)", unknown.said = "text(Hello) error(1007)";
  check_both(&known, &TAKEOVER);
  check_both(&unknown, &ALONE);
  iod_inflaters_deinit(&spare);
}

TEST(websocket_masks_are_checked) {
  iod_websocket_rules_t from_client = rules(true, LIMIT), from_server = rules(false, LIMIT);
  test_case("a client that doesn't mask");
  check(&from_client, &PLAIN, BYTES("\x81\5hello"), BYTES("error(1002)"));
  test_case("a server that does");
  check(&from_server, &PLAIN, BYTES("\x81\x85" K "hello"), BYTES("error(1002)"));
}

TEST(websocket_close_codes) {
  iod_websocket_rules_t from_server = rules(false, LIMIT);
  for (unsigned code = 0; code < 65536; code++) {
    char frame[] = {(char)0x88, 2, (char)(code >> 8), (char)code};
    bool valid = (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code < 5000);
    iod_websocket_reader_t reader;
    iod_websocket_event_t event;
    iod_websocket_reader_init(&reader, &from_server, &PLAIN);
    int64_t n = iod_websocket_read(&reader, frame, sizeof frame, &event);
    if (valid ? n != 4 || event.code != code : n != IOD_E_WEBSOCKET_PROTOCOL) CHECK_INT(code, -1);
  }
}

/* ---- sizes ---- */

static void append(iod_buffer_t *out, const void *bytes, size_t n) {
  if (iod_buffer_append(out, bytes, n) != 0) abort();
}

static void append_frame(iod_buffer_t *out, iod_websocket_frame_t frame, const char *payload) {
  char head[IOD_WEBSOCKET_HEAD_MAX];
  iod_websocket_mask_t mask = {{0x9a, 0x01, 0xff, 0x33}};
  append(out, head, iod_websocket_frame_write(head, &frame, &mask));
  size_t n = (size_t)frame.length;
  if (iod_buffer_reserve(out, n) != 0) abort();
  iod_websocket_mask(iod_buffer_tail(out), payload, n, mask, 0);
  iod_buffer_extend(out, n);
}

/* Reads in pieces of `size`; how many messages came, all of them like this one; or an error. */
static long read_all(iod_websocket_reader_t *reader, const iod_buffer_t *bytes, size_t size, iod_slice_t message) {
  long count = 0;
  size_t length = iod_buffer_length(bytes);
  char *copy = malloc(length);
  memcpy(copy, bytes->bytes + bytes->start, length);
  for (size_t at = 0; at < length && count >= 0;) {
    iod_websocket_event_t event;
    int64_t n = iod_websocket_read(reader, copy + at, length - at < size ? length - at : size, &event);
    if (n < 0) count = (long)n;
    if (n > 0) at += (size_t)n;
    if (n < 0 || event.opcode == 0) continue;
    CHECK(iod_slice_equal(event.data, message));
    count++;
  }
  free(copy);
  return count;
}

TEST(websocket_messages_large_and_in_tiny_pieces) {
  enum { LARGE = 16 << 20, SINGLE = 1 << 20, FRAGMENTS = 1 << 17 };
  iod_websocket_rules_t r = rules(true, LARGE);
  iod_websocket_reader_t reader;
  iod_buffer_t bytes = {0};
  char *payload = malloc(LARGE);
  memset(payload, '*', LARGE);
  iod_websocket_reader_init(&reader, &r, &PLAIN);
  test_case("16 MB, whole and in pieces");
  append_frame(&bytes, (iod_websocket_frame_t){.length = LARGE, .opcode = IOD_WEBSOCKET_TEXT, .final = true}, payload);
  CHECK_INT(read_all(&reader, &bytes, SIZE_MAX, (iod_slice_t){payload, LARGE}), 1);
  CHECK_INT(read_all(&reader, &bytes, 1460, (iod_slice_t){payload, LARGE}), 1);
  test_case("bytes of one frame");
  iod_buffer_clear(&bytes);
  append_frame(&bytes, (iod_websocket_frame_t){.length = SINGLE, .opcode = IOD_WEBSOCKET_TEXT, .final = true}, payload);
  CHECK_INT(read_all(&reader, &bytes, 1, (iod_slice_t){payload, SINGLE}), 1);
  test_case("fragments of a byte");
  iod_buffer_clear(&bytes);
  for (int i = 0; i < FRAGMENTS; i++)
    append_frame(&bytes,
                 (iod_websocket_frame_t){.length = 1,
                                         .opcode = i == 0 ? IOD_WEBSOCKET_TEXT : IOD_WEBSOCKET_CONTINUATION,
                                         .final = i == FRAGMENTS - 1},
                 payload);
  CHECK_INT(read_all(&reader, &bytes, 3, (iod_slice_t){payload, FRAGMENTS}), 1);
  CHECK_INT(read_all(&reader, &bytes, 65536, (iod_slice_t){payload, FRAGMENTS}), 1);
  iod_websocket_reader_rest(&reader);
  CHECK(!reader.message.bytes && !reader.inflater); /* nothing is held between messages */
  iod_websocket_reader_deinit(&reader);
  iod_buffer_deinit(&bytes);
  free(payload);
}

/* At the limit, and a byte more; in one frame and in two. */
TEST(websocket_messages_have_a_limit) {
  iod_websocket_rules_t r = rules(true, 1000);
  char payload[1001];
  memset(payload, 'x', sizeof payload);
  for (size_t n = 999; n <= 1001; n++)
    for (size_t first = 0; first <= n; first += 333) {
      iod_websocket_reader_t reader;
      iod_buffer_t bytes = {0};
      append_frame(&bytes, (iod_websocket_frame_t){.length = first, .opcode = IOD_WEBSOCKET_BINARY}, payload);
      append_frame(&bytes, (iod_websocket_frame_t){.length = n - first, .final = true}, payload);
      iod_websocket_reader_init(&reader, &r, &PLAIN);
      CHECK_INT(read_all(&reader, &bytes, 7, (iod_slice_t){payload, n}), n <= 1000 ? 1 : IOD_E_WEBSOCKET_TOO_LARGE);
      iod_websocket_reader_deinit(&reader);
      iod_buffer_deinit(&bytes);
    }
}

TEST(websocket_bombs_end_at_the_limit) {
  if (!iod_deflate_available) return;
  enum { LARGE = 10 << 20 };
  char *payload = calloc(1, LARGE);
  iod_deflaters_t deflaters = {0};
  iod_buffer_t small = {0}, bytes = {0};
  CHECK_INT(iod_deflaters_run(&deflaters, 15, (iod_slice_t){payload, LARGE}, &small), 0);
  for (size_t limit = LARGE - 1; limit <= LARGE; limit++)
    for (size_t size = 1; size <= 4096; size *= 8) {
      iod_websocket_rules_t r = rules(true, limit);
      iod_websocket_reader_t reader;
      iod_buffer_clear(&bytes);
      append_frame(
          &bytes,
          (iod_websocket_frame_t){
              .length = iod_buffer_length(&small), .opcode = IOD_WEBSOCKET_TEXT, .final = true, .compressed = true},
          iod_buffer_head(&small));
      iod_websocket_reader_init(&reader, &r, &ALONE);
      CHECK_INT(read_all(&reader, &bytes, size, (iod_slice_t){payload, LARGE}),
                limit == LARGE ? 1 : IOD_E_WEBSOCKET_TOO_LARGE);
      CHECK(reader.message.capacity <= 2 * limit + 1024);
      iod_websocket_reader_deinit(&reader);
    }
  iod_buffer_deinit(&small);
  iod_buffer_deinit(&bytes);
  iod_deflaters_deinit(&deflaters);
  iod_inflaters_deinit(&spare);
  free(payload);
}

/* ---- memory ---- */

static void read_without_memory(const iod_websocket_deflate_t *agreed, const char *bytes, size_t length, size_t size) {
  iod_websocket_rules_t r = rules(false, LIMIT);
  iod_websocket_reader_t reader;
  iod_websocket_reader_init(&reader, &r, agreed);
  char copy[64];
  memcpy(copy, bytes, length);
  for (size_t at = 0; at < length;) {
    iod_websocket_event_t event;
    int64_t n = iod_websocket_read(&reader, copy + at, length - at < size ? length - at : size, &event);
    if (n < 0) CHECK_INT(n, IOD_E_NOMEM);
    if (n < 0) break;
    at += (size_t)n;
  }
  iod_websocket_reader_deinit(&reader);
  iod_inflaters_deinit(&spare);
}

static void scenario_plain(void) { read_without_memory(&PLAIN, BYTES("\x01\3hel\x89\4ping\x80\2lo"), 2); }
static void scenario_alone(void) { read_without_memory(&ALONE, HELLO, sizeof HELLO - 1, 2); }
static void scenario_takeover(void) { read_without_memory(&TAKEOVER, HELLO, sizeof HELLO - 1, 4); }

TEST(websocket_messages_without_memory) {
  test_each_allocation_fails(scenario_plain);
  if (!iod_deflate_available) return;
  test_each_allocation_fails(scenario_alone);
  test_each_allocation_fails(scenario_takeover);
}

TEST(websocket_messages_can_be_taken_over) {
  iod_websocket_rules_t r = rules(false, LIMIT);
  iod_websocket_reader_t reader;
  iod_websocket_event_t event;
  iod_buffer_t message = {0};
  char whole[] = "\x81\5hello", parts[] = "\x01\2he\x80\3llo";
  iod_websocket_reader_init(&reader, &r, &PLAIN);
  CHECK_INT(iod_websocket_read(&reader, whole, 7, &event), 7);
  CHECK(event.data.at == whole + 2);
  CHECK(!iod_websocket_reader_give(&reader, &message));
  CHECK_INT(iod_websocket_read(&reader, parts, 9, &event), 9);
  CHECK(iod_websocket_reader_give(&reader, &message));
  CHECK(!iod_websocket_reader_give(&reader, &message));
  CHECK_BYTES(iod_buffer_head(&message), iod_buffer_length(&message), "hello");
  iod_buffer_deinit(&message);
  iod_websocket_reader_deinit(&reader);
}
