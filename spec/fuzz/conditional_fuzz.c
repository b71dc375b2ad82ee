/* Lines of a letter that chooses a header and its value: one of three answers, the same when the lines come in the
 * other order. Each value as a date, too. */
#include "../../ext/iodine/base/clock.h"
#include "../../ext/iodine/protocol/conditional.h"
#include "../../ext/iodine/protocol/http_date.h"
#include "fuzz.h"

enum { MAX_LINES = 64 };

static const int64_t NOW = 1795000000;

static void check_date(iod_slice_t value) {
  int64_t seconds, again;
  if (iod_http_date_parse(value, NOW, &seconds) != 0) return;
  REQUIRE(seconds >= -62167219200 && seconds <= 253402300800);
  if (seconds < 0 || seconds == 253402300800) return; /* not for iod_date_format */
  char text[IOD_DATE_LENGTH];
  iod_date_format(text, (time_t)seconds);
  REQUIRE(iod_http_date_parse((iod_slice_t){text, sizeof(text)}, NOW, &again) == 0 && again == seconds);
}

static void see(iod_conditional_t *c, iod_slice_t line) {
  static const char *const names[] = {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
                                      "If-Range"};
  const char *name = names[(unsigned char)line.at[0] % 5];
  iod_conditional_see(c, (iod_slice_t){name, strlen(name)}, (iod_slice_t){line.at + 1, line.length - 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  iod_slice_t lines[MAX_LINES];
  size_t count = 0;
  const char *at = test_flush(input, length), *end = at + length;
  while (at < end && count < MAX_LINES) {
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    const char *line_end = feed ? feed : end;
    if (line_end > at) lines[count++] = (iod_slice_t){at, (size_t)(line_end - at)};
    at = feed ? feed + 1 : end;
  }
  iod_conditional_t forth = iod_conditional(IOD_SLICE("\"a,b-1\""), 784111777, NOW), back = forth;
  for (size_t i = 0; i < count; i++) {
    check_date((iod_slice_t){lines[i].at + 1, lines[i].length - 1});
    see(&forth, lines[i]);
    see(&back, lines[count - 1 - i]);
  }
  int status = iod_conditional_status(&forth);
  REQUIRE(status == 0 || status == 304 || status == 412);
  REQUIRE(iod_conditional_status(&back) == status);
  REQUIRE(iod_conditional_range_applies(&back) == iod_conditional_range_applies(&forth));
  return 0;
}
