#include "test.h"

#include "../../ext/iodine/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_TESTS = 1000, MAX_ALLOCATIONS = 10000 };

static struct {
  const char *name;
  void (*run)(void);
} tests[MAX_TESTS];
static size_t test_count;

static const char *case_name;
static bool case_failed;
static long passed, failed;

void test_register(const char *name, void (*run)(void)) {
  if (test_count == MAX_TESTS) abort();
  tests[test_count].name = name;
  tests[test_count++].run = run;
}

static void end_case(void) {
  if (!case_name) return;
  if (case_failed) {
    failed++;
  } else {
    passed++;
  }
  case_name = NULL;
}

void test_case(const char *name) {
  end_case();
  case_name = name;
  case_failed = false;
}

bool test_check(bool ok, const char *file, int line, const char *what) {
  if (ok) return true;
  case_failed = true;
  printf("%s:%d: %s: failed: %s\n", file, line, case_name, what);
  return false;
}

void test_check_int(long long actual, long long expected, const char *file, int line, const char *what) {
  if (!test_check(actual == expected, file, line, what)) printf("  expected %lld, is %lld\n", expected, actual);
}

void test_check_bytes(const char *actual, size_t actual_length, const char *expected, size_t expected_length,
                      const char *file, int line, const char *what) {
  bool equal = actual_length == expected_length && (actual_length == 0 || memcmp(actual, expected, actual_length) == 0);
  if (!test_check(equal, file, line, what))
    printf("  expected \"%s\", is \"%.*s\"\n", expected, (int)actual_length, actual_length ? actual : "");
}

void test_each_allocation_fails(void (*scenario)(void)) {
  for (long k = 0; k < MAX_ALLOCATIONS; k++) {
    iod_alloc_countdown = k;
    scenario();
    bool none_failed = iod_alloc_countdown >= 0;
    iod_alloc_countdown = -1;
    if (none_failed) return;
  }
  test_check(false, __FILE__, __LINE__, "the scenario never ends without a failed allocation");
}

int main(void) {
  for (size_t i = 0; i < test_count; i++) {
    test_case(tests[i].name);
    tests[i].run();
    end_case();
  }
  printf("%ld passed, %ld failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
