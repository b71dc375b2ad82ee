/* What the application's side is to do for pub/sub, besides messages: tell engines of names, answer other processes. In
 * order, on one strand of the server. */
#ifndef IOD_SERVER_NOTICES_H
#define IOD_SERVER_NOTICES_H

#include "pubsub.h"

/* A message's `tell`. */
enum {
  IOD_NOTICE_NONE,
  IOD_NOTICE_NAME,     /* bytes: a name; id: IOD_NAME_… */
  IOD_NOTICE_LISTING,  /* all names that are there follow, those told before are void, … */
  IOD_NOTICE_LISTED,   /* … and this ends them */
  IOD_NOTICE_COMMAND,  /* bytes: the frame (protocol/cluster_frame.h); id: the link's handle, for iod_cluster_reply */
  IOD_NOTICE_REPLY,    /* bytes: the frame */
  IOD_NOTICE_UNLINKED, /* no message: the root is gone, no reply will come */
};

enum { IOD_NAME_THERE = 1 /* else it is gone */, IOD_NAME_PATTERN = 2 };

typedef struct iod_notices {
  iod_strand_t strand; /* first */
  _Atomic bool stale;  /* names are missing: all are to be listed again */
} iod_notices_t;

void iod_notices_init(iod_notices_t *notices, iod_server_t *server);
void iod_notices_deinit(iod_notices_t *notices);

/* Under the lock of pub/sub. */
void iod_notices_name(iod_server_t *server, iod_slice_t name, bool pattern, bool there);

/* All names that are there, and from now on each that comes or goes. [app] */
void iod_notices_list(iod_server_t *server);

/* Copies. IOD_E_FULL: too much waits already; IOD_E_NOMEM. */
IOD_MUST_USE int iod_notices_frame(iod_server_t *server, uint8_t tell, iod_slice_t frame, uint64_t id);
void iod_notices_unlinked(iod_server_t *server);

/* Of its job: what to do next, or IOD_NOTICE_NONE. *message is the caller's (iod_message_free), or NULL. */
IOD_MUST_USE uint8_t iod_notices_take(iod_server_t *server, iod_message_t **message);

/* The end of its job. */
void iod_notices_rest(iod_server_t *server);

#endif
