#include "../../../ext/iodine/base/printer.h"
#include "../test.h"

#include <stdlib.h>

TEST(printer_prints) {
  iod_printer_t p = {0};
  test_case("piece by piece");
  iod_print(&p, "%d %s", 7, "dwarfs");
  iod_print(&p, "%s", "");
  iod_print(&p, ", %u", 3u);
  CHECK_BYTES(iod_buffer_head(&p.buffer), iod_buffer_length(&p.buffer), "7 dwarfs, 3");

  test_case("pieces that are longer than what is set aside");
  char *long_text = malloc(5000);
  memset(long_text, 'x', 4999);
  long_text[4999] = 0;
  iod_buffer_clear(&p.buffer);
  iod_print(&p, "<%s>", long_text);
  iod_print(&p, "<%s>", long_text);
  CHECK(!p.failed);
  CHECK_INT(iod_buffer_length(&p.buffer), 2 * 5001);
  CHECK(iod_buffer_head(&p.buffer)[5000] == '>' && iod_buffer_head(&p.buffer)[10001] == '>');
  free(long_text);
  iod_buffer_deinit(&p.buffer);
}

static void print_much(void) {
  iod_printer_t p = {0};
  for (int i = 0; i < 400; i++) iod_print(&p, "%06d\n", i);
  CHECK(p.failed || iod_buffer_length(&p.buffer) == 2800);
  bool failed = p.failed;
  iod_print(&p, "more");
  CHECK(p.failed == failed);
  iod_buffer_deinit(&p.buffer);
}

TEST(printer_without_memory) {
  test_case("what is missing is noticed");
  test_each_allocation_fails(print_much);
}
