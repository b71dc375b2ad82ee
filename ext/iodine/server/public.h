/* Static files of a listener, served by the reactor before the application is asked; and pages for errors. */
#ifndef IOD_SERVER_PUBLIC_H
#define IOD_SERVER_PUBLIC_H

#include "../base/buffer.h"
#include "../base/clock.h"
#include "file_cache.h"
#include "handler.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct iod_http;

/* Immutable. Folders are absolute paths without a slash at their end, terminated. */
typedef struct iod_public {
  bool beneath; /* symlinks that lead out of a folder are not followed */
  bool alone;   /* there is no application */
  char cache_control[32];
  uint32_t count;
  const char *folders[]; /* the first is served; the application may send files of all (X-Sendfile) */
} iod_public_t;

/* max_age: seconds that a client may keep a file without asking; pages (HTML) are always asked for, files with a
 * fingerprint never. count: at least 1. NULL when out of memory. */
IOD_MUST_USE iod_public_t *iod_public_new(const char *const *folders, uint32_t count, uint32_t max_age, bool beneath,
                                          bool alone);
void iod_public_free(iod_public_t *public);

/* What a server keeps for all its listeners. Under the state lock. */
typedef struct iod_public_state {
  iod_file_cache_t cache;
  iod_buffer_t room; /* responses are made here */
  char date[sizeof "date: \r\n" + IOD_DATE_LENGTH];
  time_t second; /* of the date */
} iod_public_state_t;

void iod_public_state_init(iod_public_state_t *state);
void iod_public_state_deinit(iod_public_state_t *state, iod_timers_t *timers);
void iod_public_state_timeout(iod_public_state_t *state, iod_timers_t *timers, uint64_t now);

/* True if the request under way on this connection was answered: its file was sent, or there is no application to ask.
 * Under the state lock. */
bool iod_public_answer(struct iod_http *http);

/* The final response when the application has none: for 500 the folder's 500.html, else a line of text. Not after the
 * head was sent. [app] */
void iod_request_send_failure(iod_server_t *server, iod_request_t *request, int status);

/* Opens a file that the application has named by its absolute path: one in a folder of the listener's. >= 0 with its
 * status, or -1 with errno, EXDEV when it is in none of them. Any thread. */
IOD_MUST_USE int iod_public_open(const iod_public_t *public, const char *path, struct stat *status);

#endif
