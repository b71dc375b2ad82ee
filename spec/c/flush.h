/* A copy of the bytes that ends where memory does: reading one byte more is a crash. Valid until the next call; up to
 * 1 MB. */
#ifndef IOD_SPEC_FLUSH_H
#define IOD_SPEC_FLUSH_H

#include <stddef.h>

char *test_flush(const void *bytes, size_t length);

#endif
