#pragma once
/* What the command line of wsload asked for; wsload.c fills it. */
#include <stdbool.h>

typedef struct {
  const char *host, *path, *pub_path;
  const char *cable, *cable_pub; /* Action Cable's identifiers, or NULL */
  int port, pid, window, inflight;
  bool sse, deflate, json;
  double hold, warmup, settle, drain, rate; /* seconds; messages a second */
} options_t;

extern options_t options;
