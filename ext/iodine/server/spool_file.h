/* Unnamed temporary files for bodies that are too large for memory. A few are kept and written over: that saves the
 * file system most of its work. A file that a forked process may still read is never used again. Any thread. */
#ifndef IOD_SERVER_SPOOL_FILE_H
#define IOD_SERVER_SPOOL_FILE_H

#include "../base/result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  IOD_SPOOL_FILES = 16,             /* kept by a process … */
  IOD_SPOOL_FILE_KEPT = 4 * 1 << 20 /* … that hold at most so many bytes */
};

typedef struct iod_spool_file {
  struct iod_spool_file *next; /* private, as is forks */
  unsigned forks;
  int fd;
} iod_spool_file_t;

/* In TMPDIR, or /tmp. What it holds is not defined. NULL with errno. */
IOD_MUST_USE iod_spool_file_t *iod_spool_file_open(void);

/* length: of the body in it. NULL is a no-op. */
void iod_spool_file_close(iod_spool_file_t *file, uint64_t length);

/* The disk is full: those that are kept make room. True if there were any. */
bool iod_spool_file_make_room(void);

/* This process is about to fork, or just did: around every fork, on both sides. */
void iod_spool_file_forks(void);
void iod_spool_file_forked(void); /* in the child, whose copy of the lock may be held by nobody */

#endif
