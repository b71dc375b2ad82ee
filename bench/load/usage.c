#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct {
  int pid, parent, session;
  bool counted;
  unsigned long user, system; /* ticks */
} process_t;

typedef struct {
  process_t *at;
  size_t length, room;
} processes_t;

/* The name in a stat file is free text in parentheses, so the fields are read behind the last one. */
static bool read_stat(int pid, process_t *process) {
  char path[64], line[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return false;
  char *got = fgets(line, sizeof line, file), *fields = got ? strrchr(line, ')') : NULL;
  fclose(file);
  *process = (process_t){.pid = pid};
  return fields && sscanf(fields + 1, " %*c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &process->parent,
                          &process->session, &process->user, &process->system) == 4;
}

static void append(processes_t *all, process_t process) {
  if (all->length == all->room) all->at = realloc(all->at, (all->room = all->room * 2 + 256) * sizeof *all->at);
  if (!all->at) exit(1);
  all->at[all->length++] = process;
}

static processes_t list(void) {
  processes_t all = {0};
  DIR *folder = opendir("/proc");
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    process_t process;
    if (isdigit((unsigned char)*entry->d_name) && read_stat(atoi(entry->d_name), &process)) append(&all, process);
  }
  if (folder) closedir(folder);
  return all;
}

static bool is_child_of_counted(const processes_t *all, const process_t *process) {
  for (size_t i = 0; i < all->length; i++)
    if (all->at[i].counted && all->at[i].pid == process->parent) return true;
  return false;
}

static void count_session(processes_t *all, int pid) {
  bool leads = false;
  for (size_t i = 0; i < all->length; i++)
    if (all->at[i].pid == pid) all->at[i].counted = true, leads = all->at[i].session == pid;
  for (size_t i = 0; leads && i < all->length; i++)
    if (all->at[i].session == pid) all->at[i].counted = true;
}

static void count_descendants(processes_t *all) {
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < all->length; i++)
      if (!all->at[i].counted && is_child_of_counted(all, &all->at[i])) all->at[i].counted = more = true;
  }
}

static void add_memory(usage_t *usage, int pid) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  FILE *file = fopen(path, "r");
  if (!file) return;
  for (long kb; fgets(line, sizeof line, file);) {
    if (sscanf(line, "Rss: %ld", &kb) == 1) usage->rss += kb;
    if (sscanf(line, "Pss: %ld", &kb) == 1) usage->pss += kb;
    if (sscanf(line, "Pss_Anon: %ld", &kb) == 1) usage->anon += kb;
  }
  fclose(file);
}

usage_t usage_of(int pid, bool memory) {
  usage_t usage = {0};
  if (!pid) return usage;
  double tick = (double)sysconf(_SC_CLK_TCK);
  processes_t all = list();
  count_session(&all, pid);
  count_descendants(&all);
  for (size_t i = 0; i < all.length; i++) {
    process_t *process = &all.at[i];
    if (!process->counted || process->pid == getpid()) continue;
    usage.user += (double)process->user / tick;
    usage.system += (double)process->system / tick;
    usage.processes++;
    if (memory) add_memory(&usage, process->pid);
  }
  free(all.at);
  return usage;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

double usage_own(void) {
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  return seconds(own.ru_utime) + seconds(own.ru_stime);
}
