#include "folder.h"

#include "../protocol/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(HAVE_LINUX_OPENAT2_H) && defined(HAVE_CONST_SYS_OPENAT2)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

enum {
  READ = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
#ifdef O_PATH
  FOLDER = O_PATH | O_DIRECTORY | O_CLOEXEC,
#else
  FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
#endif
  LINKS = 40, /* followed for one path, as the kernel does */
  RACES = 8,
};

static int failed(int error) {
  errno = error;
  return -1;
}

static void close_quietly(int fd) {
  int error = errno;
  close(fd);
  errno = error;
}

static int open_folder(const char *root) { return open(*root ? root : "/", FOLDER); }

/* ---- the checked walk ---- */

/* Takes the first segment off `rest`, which ends with a slash. */
static const char *next_segment(char **rest) {
  char *segment = *rest, *slash = strchr(segment, '/');
  *slash = '\0';
  *rest = slash + 1;
  return segment;
}

static void pop(char *path) {
  char *slash = strrchr(path, '/');
  *(slash ? slash : path) = '\0';
}

static int push(char *path, const char *segment) {
  size_t length = strlen(path), more = strlen(segment);
  if (length + more + 2 > IOD_PATH_ROOM) return failed(ENAMETOOLONG);
  if (length) path[length++] = '/';
  memcpy(path + length, segment, more + 1);
  return 0;
}

/* Puts the target of the link `path` in front of what is left: 1 when it is a link, 0 when not. */
static int follow(int folder, char *path, char **rest, char room[IOD_PATH_ROOM]) {
  char target[IOD_PATH_ROOM], joined[IOD_PATH_ROOM];
  ssize_t length = readlinkat(folder, path, target, sizeof target - 1);
  if (length < 0) return errno == EINVAL ? 0 : -1;
  target[length] = '\0';
  if (target[0] == '/') return failed(EXDEV);
  size_t left = strlen(*rest) + 1;
  if ((size_t)length + 1 + left > sizeof joined) return failed(ENAMETOOLONG);
  memcpy(joined, target, (size_t)length);
  joined[length] = '/';
  memcpy(joined + length + 1, *rest, left);
  memcpy(room, joined, (size_t)length + 1 + left);
  *rest = room;
  pop(path);
  return 1;
}

/* The path without links, as far as can be said without holding the world still. */
static int resolve(int folder, const char *path, char out[IOD_PATH_ROOM]) {
  char room[IOD_PATH_ROOM], *rest = room;
  int links = 0;
  if (strlen(path) + 2 > sizeof room) return failed(ENAMETOOLONG);
  snprintf(room, sizeof room, "%s/", path);
  out[0] = '\0';
  while (*rest) {
    const char *segment = next_segment(&rest);
    if (!*segment || strcmp(segment, ".") == 0) continue;
    if (strcmp(segment, "..") == 0) {
      if (!*out) return failed(EXDEV);
      pop(out);
      continue;
    }
    if (push(out, segment)) return -1;
    int link = follow(folder, out, &rest, room);
    if (link < 0) return -1;
    if (link && ++links > LINKS) return failed(ELOOP);
  }
  return *out ? 0 : failed(EISDIR);
}

/* A name that has become a link since is not followed. Takes the folder. */
static int open_without_links(int folder, char *path) {
  char *slash;
  while ((slash = strchr(path, '/'))) {
    *slash = '\0';
    int next = openat(folder, path, FOLDER | O_NOFOLLOW);
    close_quietly(folder);
    if (next < 0) return -1;
    folder = next;
    path = slash + 1;
  }
  int fd = openat(folder, path, READ | O_NOFOLLOW);
  close_quietly(folder);
  return fd;
}

int iod_folder_walk(const char *root, const char *path) {
  char plain[IOD_PATH_ROOM];
  int folder = open_folder(root);
  if (folder < 0) return -1;
  if (resolve(folder, path, plain) == 0) return open_without_links(folder, plain);
  close_quietly(folder);
  return -1;
}

/* ---- the kernel's check ---- */

#if defined(HAVE_LINUX_OPENAT2_H) && defined(HAVE_CONST_SYS_OPENAT2)
static int open_beneath(const char *root, const char *path) {
  static _Atomic bool missing; /* an old kernel, or a sandbox that doesn't know the call */
  struct open_how how = {.flags = READ, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  if (atomic_load_explicit(&missing, memory_order_relaxed)) return iod_folder_walk(root, path);
  int folder = open_folder(root), fd = -1;
  if (folder < 0) return -1;
  for (int i = 0; i < RACES; i++) {
    fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN) break;
  }
  close_quietly(folder);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
  if (errno == ENOSYS) atomic_store(&missing, true);
  return iod_folder_walk(root, path);
}
#else
static int open_beneath(const char *root, const char *path) { return iod_folder_walk(root, path); }
#endif

/* ---- the whole ---- */

static int join(const char *root, const char *path, char full[2 * IOD_PATH_ROOM]) {
  int length = snprintf(full, 2 * IOD_PATH_ROOM, "%s/%s", root, path);
  return length < 2 * IOD_PATH_ROOM ? 0 : failed(ENAMETOOLONG);
}

static int open_anywhere(const char *root, const char *path) {
  char full[2 * IOD_PATH_ROOM];
  return join(root, path, full) ? -1 : open(full, READ);
}

/* Without a descriptor it can still be told that there is no such file. */
static int error_without_descriptors(const char *root, const char *path, int error) {
  char full[2 * IOD_PATH_ROOM];
  struct stat status;
  if (join(root, path, full)) return errno;
  if (stat(full, &status)) return errno;
  return S_ISREG(status.st_mode) ? error : S_ISDIR(status.st_mode) ? EISDIR : ENOENT;
}

int iod_folder_open(const char *root, const char *path, bool beneath, struct stat *status) {
  int fd = beneath ? open_beneath(root, path) : open_anywhere(root, path);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) return failed(error_without_descriptors(root, path, errno));
  if (fd < 0) return errno == ENXIO ? failed(ENOENT) : -1; /* a socket, or a device without a driver */
  bool told = fstat(fd, status) == 0;
  if (told && S_ISREG(status->st_mode)) return fd;
  close(fd);
  return failed(told && S_ISDIR(status->st_mode) ? EISDIR : ENOENT);
}
