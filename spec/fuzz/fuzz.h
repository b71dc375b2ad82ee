/* What the targets share. A target includes this once, whole. */
#ifndef IOD_SPEC_FUZZ_H
#define IOD_SPEC_FUZZ_H

#include "../c/flush.c"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REQUIRE(condition)                                                                                             \
  if (!(condition)) abort()

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

#endif
