#include "../../../ext/iodine/server/pace.h"
#include "../test.h"

enum { MB = 1 << 20 };

TEST(pace) {
  static const struct {
    const char *name;
    uint64_t at;     /* ms */
    unsigned queued; /* MB, since the step before */
    unsigned left;   /* MB, of all */
    bool waited;
    uint64_t due; /* 0: never */
  } steps[] = {
      {"little waits", 0, 8, 8, false, 0},          {"more than that", 10, 1, 9, true, 510},
      {"some was read", 100, 0, 5, true, 510},      {"as little as it takes", 200, 0, 4, false, 0},
      {"and again much", 300, 20, 24, true, 800},   {"it goes on reading", 800, 10, 26, true, 1300},
      {"just enough", 1300, 2, 26, true, 1800},     {"too little", 1800, 0, 25, false, 0},
      {"nothing more", 2500, 0, 25, false, 0},      {"looked at too early", 2600, 0, 15, false, 0},
      {"it reads again", 3000, 15, 30, true, 3500}, {"nothing for too long", 3500, 0, 30, false, 0},
      {"all of it at once", 3501, 0, 0, false, 0},  {"as if nothing had been", 3502, 10, 10, true, 4002},
  };
  iod_pace_t pace = {0};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    test_case(steps[i].name);
    pace.sent += (uint64_t)steps[i].queued * MB;
    CHECK_INT(iod_pace_look(&pace, (size_t)steps[i].left * MB, steps[i].at), steps[i].waited);
    CHECK_INT(iod_pace_due(&pace), steps[i].due ? steps[i].due : UINT64_MAX);
  }
}
