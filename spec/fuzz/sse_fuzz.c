/* A byte that says what there is and any bytes as type, id and data: what is written is read, by the standard's rules,
 * as one event with the same type and id, and the data but for the kind of its lines' ends. */
#include "../../ext/iodine/protocol/sse.h"
#include "fuzz.h"

typedef struct reader {
  char *data;
  size_t length, events;
  iod_slice_t event, id;
} reader_t;

static void read_line(reader_t *r, iod_slice_t line) {
  if (line.length == 0) {
    r->events++;
    return;
  }
  const char *colon = memchr(line.at, ':', line.length);
  REQUIRE(colon && colon[1] == ' ');
  iod_slice_t name = {line.at, (size_t)(colon - line.at)};
  iod_slice_t value = {colon + 2, line.length - name.length - 2};
  if (iod_slice_equal(name, IOD_SLICE("event"))) r->event = value;
  if (iod_slice_equal(name, IOD_SLICE("id"))) r->id = value;
  if (!iod_slice_equal(name, IOD_SLICE("data"))) return;
  memcpy(r->data + r->length, value.at, value.length);
  r->length += value.length;
  r->data[r->length++] = '\n';
}

static size_t with_lf(char *out, iod_slice_t data) {
  size_t n = 0;
  for (size_t i = 0; i < data.length; i++) {
    if (data.at[i] == '\n' && i > 0 && data.at[i - 1] == '\r') continue;
    out[n++] = data.at[i] == '\r' ? '\n' : data.at[i];
  }
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  if (length < 3) return 0;
  const char *at = test_flush(input + 3, length - 3), *end = at + length - 3;
  iod_sse_event_t event = {.retry = input[0] & 1 ? input[0] : -1};
  size_t n = input[1] < end - at ? input[1] : (size_t)(end - at);
  if (input[0] & 2) event.event = (iod_slice_t){at, n}, at += n;
  n = input[2] < end - at ? input[2] : (size_t)(end - at);
  if (input[0] & 4) event.id = (iod_slice_t){at, n}, at += n;
  event.data = (iod_slice_t){at, (size_t)(end - at)};
  if (iod_sse_check(&event) != 0) return 0;
  size_t written = iod_sse_length(&event);
  char *out = malloc(written), *expected = malloc(length + 1);
  reader_t r = {.data = malloc(written + 1)};
  REQUIRE(iod_sse_write(out, &event) == out + written);
  for (char *line = out, *stop; line < out + written; line = stop + 1) {
    stop = memchr(line, '\n', (size_t)(out + written - line));
    REQUIRE(stop && !memchr(line, '\r', (size_t)(stop - line)));
    read_line(&r, (iod_slice_t){line, (size_t)(stop - line)});
  }
  REQUIRE(r.events == 1 && iod_slice_equal(r.event, event.event) && iod_slice_equal(r.id, event.id));
  n = with_lf(expected, event.data);
  REQUIRE(r.length == n + 1 && memcmp(r.data, expected, n) == 0);
  free(out);
  free(expected);
  free(r.data);
  return 0;
}
