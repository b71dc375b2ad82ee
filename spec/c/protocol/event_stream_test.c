#include "../../../ext/iodine/protocol/event_stream.h"
#include "../flush.h"
#include "../test.h"

static const struct {
  const char *accept;
  bool named;
} CASES[] = {
    {"text/event-stream", true},
    {"Text/EVENT-Stream", true},
    {" text/event-stream\t", true},
    {"text/html, text/event-stream", true},
    {"text/html;q=0.9,text/event-stream;q=0.1,*/*", true},
    {"text/event-stream;charset=utf-8", true},
    {"text/event-stream;q=0.001", true},
    {"text/event-stream;q=1", true},
    {"text/event-stream;q=00", true},
    {"text/event-stream;q=0, text/event-stream", true},
    {",,text/event-stream,,", true},
    {"text/event-stream;q=0", false},
    {"text/event-stream; Q=0.0", false},
    {"text/event-stream;x;q=0.;y", false},
    {"text/event-stream;q=0.000", false},
    {"text/event-streams", false},
    {"xtext/event-stream", false},
    {"text/*", false},
    {"*/*", false},
    {"text/html;x=text/event-stream", false},
    {",", false},
    {";", false},
    {"", false},
};

TEST(event_stream) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].accept);
    size_t length = strlen(CASES[i].accept);
    CHECK(iod_accepts_event_stream((iod_slice_t){test_flush(CASES[i].accept, length), length}) == CASES[i].named);
  }
}
