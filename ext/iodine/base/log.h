/* The server's own lines, on stderr, one write each: "ERROR: sentence\n"; or handed over (log_queue.h). Those that
 * stderr doesn't take are counted, which is told when it does again. Any thread. */
#ifndef IOD_BASE_LOG_H
#define IOD_BASE_LOG_H

#include <stddef.h>

enum { IOD_LOG_NONE, IOD_LOG_FATAL, IOD_LOG_ERROR, IOD_LOG_WARNING, IOD_LOG_INFO, IOD_LOG_DEBUG };

extern int iod_log_level; /* lines above it are dropped; IOD_LOG_INFO */

/* As much as the descriptor takes without blocking: returns how many bytes. *error: 0, or why it takes no more ever, or
 * for long: EPIPE, ENOSPC … */
size_t iod_log_write(int fd, const char *bytes, size_t length, int *error);

/* Writes a line there, with its end. */
void iod_log_stderr(const char *line, size_t length);

/* Writes "ERROR: text\n" there, whoever else lines are handed over to. */
void iod_log_print(int level, const char *text, size_t length);

void iod_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
