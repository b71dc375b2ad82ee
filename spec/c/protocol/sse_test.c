#include "../../../ext/iodine/protocol/sse.h"
#include "../test.h"

#define S(literal)                                                                                                     \
  { literal, sizeof(literal) - 1 }

static const struct {
  const char *name;
  iod_sse_event_t event;
  const char *written; /* NULL: refused */
} CASES[] = {
    {"data", {.data = S("hello"), .retry = -1}, "data: hello\n\n"},
    {"empty data", {.data = S(""), .retry = -1}, "data: \n\n"},
    {"two lines", {.data = S("a\nb"), .retry = -1}, "data: a\ndata: b\n\n"},
    {"each kind of line", {.data = S("a\rb\r\nc\n\rd"), .retry = -1}, "data: a\ndata: b\ndata: c\ndata: \ndata: d\n\n"},
    {"a line's end at the end", {.data = S("a\n"), .retry = -1}, "data: a\ndata: \n\n"},
    {"CR at the end", {.data = S("a\r"), .retry = -1}, "data: a\ndata: \n\n"},
    {"only a line's end", {.data = S("\r\n"), .retry = -1}, "data: \ndata: \n\n"},
    {"what looks like a field", {.data = S("x\n\nid: 1"), .retry = -1}, "data: x\ndata: \ndata: id: 1\n\n"},
    {"all",
     {.event = S("tick"), .id = S("7"), .data = S("x"), .retry = 1500},
     "event: tick\nid: 7\nretry: 1500\ndata: x\n\n"},
    {"an empty id", {.id = S(""), .data = S("x"), .retry = -1}, "id: \ndata: x\n\n"},
    {"only a time", {.retry = 0}, "retry: 0\n\n"},
    {"nothing", {.retry = -1}, "\n"},
    {"LF in the type", {.event = S("a\nb"), .data = S("x"), .retry = -1}, NULL},
    {"CR in the type", {.event = S("a\rb"), .data = S("x"), .retry = -1}, NULL},
    {"LF in the id", {.id = S("a\n"), .data = S("x"), .retry = -1}, NULL},
    {"CR in the id", {.id = S("\r"), .data = S("x"), .retry = -1}, NULL},
    {"NUL in the id", {.id = S("a\0b"), .data = S("x"), .retry = -1}, NULL},
};

TEST(sse_events) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    char out[256];
    test_case(CASES[i].name);
    CHECK_INT(iod_sse_check(&CASES[i].event), CASES[i].written ? 0 : IOD_E_BAD_REQUEST);
    if (!CASES[i].written) continue;
    size_t length = (size_t)(iod_sse_write(out, &CASES[i].event) - out);
    CHECK_BYTES(out, length, CASES[i].written);
    CHECK_INT(iod_sse_length(&CASES[i].event), length);
  }
}
