/* The C tests' own frame: a TEST is a function, a `test_case` inside it is what is counted. */
#ifndef IOD_SPEC_TEST_H
#define IOD_SPEC_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TEST(name)                                                                                                     \
  static void name(void);                                                                                              \
  __attribute__((constructor)) static void register_##name(void) { test_register(#name, name); }                       \
  static void name(void)

/* What follows belongs to this case, up to the next one; `name` is shown when a check of it fails. */
void test_case(const char *name);

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_INT(actual, expected)                                                                                    \
  test_check_int((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual)
#define CHECK_BYTES(at, length, expected)                                                                              \
  test_check_bytes((at), (length), (expected), strlen(expected), __FILE__, __LINE__, #at)

/* Runs the scenario again and again; in the k-th run the k-th allocation fails, until none is left to fail. */
void test_each_allocation_fails(void (*scenario)(void));

bool test_check(bool ok, const char *file, int line, const char *what);
void test_check_int(long long actual, long long expected, const char *file, int line, const char *what);
void test_check_bytes(const char *actual, size_t actual_length, const char *expected, size_t expected_length,
                      const char *file, int line, const char *what);
void test_register(const char *name, void (*run)(void));

#endif
