#include "limits.h"

#include <sys/resource.h>

enum { RESERVE_LEAST = 32, RESERVE_MOST = 1024, CEILING = 1 << 20 };

uint32_t iod_limits_capacity(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files)) return RESERVE_MOST;
  if (files.rlim_cur < files.rlim_max) {
    struct rlimit raised = {files.rlim_max, files.rlim_max};
    if (raised.rlim_cur > CEILING) raised.rlim_cur = CEILING; /* Darwin says "unlimited" and takes less */
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) files.rlim_cur = raised.rlim_cur;
  }
  rlim_t most = files.rlim_cur < CEILING ? files.rlim_cur : CEILING;
  rlim_t reserve = most / 8;
  if (reserve < RESERVE_LEAST) reserve = RESERVE_LEAST;
  if (reserve > RESERVE_MOST) reserve = RESERVE_MOST;
  return most > reserve ? (uint32_t)(most - reserve) : 1;
}
