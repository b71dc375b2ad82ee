#include "spool_file.h"

#include "../base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static iod_spool_file_t *kept;
static unsigned kept_count;
static _Atomic unsigned forks;

static iod_spool_file_t *take_kept(void) {
  pthread_mutex_lock(&lock);
  iod_spool_file_t *file = kept;
  if (file) {
    kept = file->next;
    kept_count--;
  }
  pthread_mutex_unlock(&lock);
  return file;
}

static bool keep(iod_spool_file_t *file) {
  pthread_mutex_lock(&lock);
  bool room = kept_count < IOD_SPOOL_FILES;
  if (room) {
    file->next = kept;
    kept = file;
    kept_count++;
  }
  pthread_mutex_unlock(&lock);
  return room;
}

/* Opened before a fork: its copy may be read there. */
static bool is_shared(const iod_spool_file_t *file) { return file->forks != atomic_load(&forks); }

static void discard(iod_spool_file_t *file) {
  close(file->fd);
  iod_free(file);
}

static int unnamed_file(void) {
  const char *folder = getenv("TMPDIR");
  if (!folder || !*folder) folder = "/tmp";
#ifdef O_TMPFILE
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
#endif
  char path[1024];
  if (snprintf(path, sizeof path, "%s/iodine.XXXXXX", folder) >= (int)sizeof path) return -1;
  int named = mkstemp(path);
  if (named < 0) return -1;
  (void)unlink(path);
  (void)fcntl(named, F_SETFD, FD_CLOEXEC);
  return named;
}

iod_spool_file_t *iod_spool_file_open(void) {
  for (iod_spool_file_t *file; (file = take_kept());) {
    if (!is_shared(file)) return file;
    discard(file);
  }
  iod_spool_file_t *file = iod_alloc(sizeof *file);
  if (!file) {
    errno = ENOMEM;
    return NULL;
  }
  *file = (iod_spool_file_t){.forks = atomic_load(&forks)}; /* before it is opened: a fork meanwhile counts */
  file->fd = unnamed_file();
  if (file->fd >= 0) return file;
  iod_free(file);
  return NULL;
}

void iod_spool_file_close(iod_spool_file_t *file, uint64_t length) {
  if (!file) return;
  if (length > IOD_SPOOL_FILE_KEPT || is_shared(file) || !keep(file)) discard(file);
}

bool iod_spool_file_make_room(void) {
  iod_spool_file_t *file = take_kept();
  bool room = file != NULL;
  for (; file; file = take_kept()) discard(file);
  return room;
}

void iod_spool_file_forks(void) { atomic_fetch_add(&forks, 1); }

void iod_spool_file_forked(void) {
  pthread_mutex_init(&lock, NULL);
  kept = NULL; /* its list may have been copied in the middle of a change */
  kept_count = 0;
  iod_spool_file_forks();
}
