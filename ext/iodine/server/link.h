/* A stream between the root process and a worker of it, which carries frames (protocol/cluster_frame.h). What is sent
 * is gathered and leaves at the end of the loop's turn. Under the state lock but for what says otherwise. */
#ifndef IOD_SERVER_LINK_H
#define IOD_SERVER_LINK_H

#include "../base/payload.h"
#include "../reactor/stream.h"
#include "pace.h"
#include "pubsub.h"

enum {
  IOD_LINKS = 1024,                /* a process */
  IOD_LINK_PENDING_MAX = 64 << 20, /* bytes that may wait: past it a worker is killed, what is for the root is lost */
  IOD_STRANDS_MAX = 64 << 20,      /* bytes of messages that wait on strands before this process can't keep up … */
  IOD_STRANDS_LOW = 32 << 20,      /* … until it is this */
};

typedef struct iod_link {
  iod_stream_t stream; /* first */
  iod_server_t *server;
  struct iod_link *next, **place; /* of the root's list */
  iod_subscriber_t subscriber;    /* in the root: the worker's names */
  iod_pace_t pace;
  _Atomic int *kept; /* its descriptor in `fds` below */
  uint64_t due;      /* of its deadline */
  uint64_t lost;     /* messages for the root that found no room */
  pid_t pid;         /* of a worker; 0: this is the root */
  bool joined;       /* it is sent what others publish */
  bool dropped;      /* it is killed: nothing is sent any more */
  bool slow;         /* publishers wait for it */
  bool waits;        /* for strands of this process to get shorter: it isn't read */
} iod_link_t;

/* Part of the server. */
typedef struct iod_links {
  iod_link_t *root, *workers; /* the one, or in the root the others */
  uint32_t count;
  uint32_t slow;              /* those that publishers wait for */
  bool cut;                   /* this is a worker whose link has ended */
  uint64_t untold;            /* cluster.c's: messages that this process itself was too slow for … */
  uint64_t unheard;           /* … and commands */
  _Atomic bool noting;        /* the root is told of names … */
  _Atomic bool stale;         /* … but of some it wasn't: of all again, as soon as it reads */
  _Atomic bool crowded;       /* slow isn't 0 */
  _Atomic int fds[IOD_LINKS]; /* plus 1; 0: free. What a forked copy closes: each is taken out before it is closed */
} iod_links_t;

/* Takes over the descriptor, in every case. pid: of the worker at its other end; 0: that is the root. 0, IOD_E_NOMEM,
 * IOD_E_SYSTEM, IOD_E_FULL. */
IOD_MUST_USE int iod_link_open(iod_server_t *server, int fd, pid_t pid, iod_link_t **link);

bool iod_link_is(const iod_stream_t *stream);

/* A frame, or what is the same in it for many links. */
typedef struct iod_parcel {
  iod_slice_t copied[3];
  iod_payload_t *shared; /* behind them, borrowed; or NULL */
  size_t length;
} iod_parcel_t;

static inline iod_parcel_t iod_parcel_of(iod_slice_t frame) {
  return (iod_parcel_t){.copied = {frame}, .length = frame.length};
}

/* False: there is no room. A worker that has let so much pile up is killed, the root's message is lost; with a line. A
 * link closes when there is no memory: a message is never left out. */
bool iod_link_send(iod_link_t *link, const iod_parcel_t *parcel);

bool iod_link_has_room(const iod_link_t *link, size_t length);

/* What it says makes no sense: it is closed, with a line. */
void iod_link_close_malformed(iod_link_t *link);

/* This process can't keep up: no more is read until it can. */
void iod_link_wait_for_strands(iod_link_t *link);

/* [app, without the GVL] In the root: that worker has died. What it had sent before is still read. */
void iod_link_leave(iod_server_t *server, pid_t pid);

/* What has come from the root by now is heard. */
void iod_links_catch_up(iod_server_t *server);

void iod_links_close(iod_server_t *server); /* what waits for the root gets a second to leave */

/* In a forked copy: nothing but the descriptors. */
void iod_links_abandon(iod_links_t *links);

/* ---- publishing faster than others read, any thread ---- */

static inline bool iod_links_crowded(const iod_links_t *links) {
  return atomic_load_explicit(&links->crowded, memory_order_relaxed);
}

/* Blocks as long as they are, or until it is cancelled (iod_server_wake_waiters tells). */
void iod_links_wait(iod_server_t *server, const _Atomic bool *cancelled);

#endif
