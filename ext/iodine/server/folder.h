/* Opening files beneath a folder. The folder is looked up by its name each time, so that one that is replaced (a
 * deployment's symlink) is followed. Any thread; blocks as file systems do. */
#ifndef IOD_SERVER_FOLDER_H
#define IOD_SERVER_FOLDER_H

#include "../base/result.h"

#include <stdbool.h>
#include <sys/stat.h>

/* Opens a regular file for reading. root: without a slash at its end; path: relative, without empty, "." and ".."
 * segments. beneath: a symlink below root that leads out of it, or is absolute, is not followed. The descriptor, with
 * its status, or -1 with errno: ENOENT also for what is no regular file, but EISDIR for a folder; EMFILE
 * and ENFILE only for a regular file. A FIFO or a device
 * doesn't block. */
IOD_MUST_USE int iod_folder_open(const char *root, const char *path, bool beneath, struct stat *status);

/* The same for systems that can't check by themselves (openat2): every link is read, every name opened without
 * following one. Apart only to be tested everywhere. -1 with errno. */
IOD_MUST_USE int iod_folder_walk(const char *root, const char *path);

#endif
