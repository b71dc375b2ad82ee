#include "rss.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Linux: the second number of /proc/PID/statm, in pages. */
uint64_t iod_rss_of(int32_t pid) {
  char text[128];
  snprintf(text, sizeof text, "/proc/%d/statm", (int)pid);
  int fd = open(text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  char *at = text;
  text[n] = '\0';
  (void)strtoull(at, &at, 10);
  return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
