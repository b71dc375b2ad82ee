/* The server's own lines, on stderr, one write each: "ERROR: sentence\n". Any thread. */
#ifndef IOD_BASE_LOG_H
#define IOD_BASE_LOG_H

#include <stddef.h>

enum { IOD_LOG_NONE, IOD_LOG_FATAL, IOD_LOG_ERROR, IOD_LOG_WARNING, IOD_LOG_INFO, IOD_LOG_DEBUG };

extern int iod_log_level; /* lines above it are dropped; IOD_LOG_INFO */

/* To stderr, as much as it takes without blocking: returns how many bytes (all of them where nobody reads any more). */
size_t iod_log_write(const char *bytes, size_t length);

void iod_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
