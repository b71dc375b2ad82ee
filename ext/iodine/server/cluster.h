/* What the processes of a cluster say to each other: what is published, which names have subscribers, commands for the
 * root's engines and their replies. The root passes on to each worker what the others publish. Under the state lock but
 * for what says otherwise. */
#ifndef IOD_SERVER_CLUSTER_H
#define IOD_SERVER_CLUSTER_H

#include "../protocol/cluster_frame.h"
#include "link.h"

/* A worker as its root knows it. */
typedef struct iod_cluster_worker {
  int fd;
  pid_t pid;
  bool joined; /* it is sent everything from now on; else when it has asked for that */
} iod_cluster_worker_t;

/* [app, without the GVL] In the root: to all of these workers at once, so that none misses what another one publishes.
 * Takes over the descriptors, in every case. 0, IOD_E_NOMEM, IOD_E_SYSTEM, IOD_E_FULL: not to all of them. */
IOD_MUST_USE int iod_cluster_link_workers(iod_server_t *server, const iod_cluster_worker_t *workers, size_t count);

/* [app, without the GVL] In a worker, likewise: to the root. */
IOD_MUST_USE int iod_cluster_link_root(iod_server_t *server, int fd);

/* To the other processes; scope: all but IOD_SCOPE_PROCESS. */
void iod_cluster_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope);

/* Under the lock of pub/sub, any thread: a name has its first subscriber here, or has none any more. The root learns of
 * it as soon as somebody has applied the commands. */
void iod_cluster_note(iod_server_t *server, iod_slice_t name, bool pattern, bool there);

/* [app] To an engine of the root: from a worker, or within the root. id 0: no reply is wanted; else it comes as a
 * notice, but for what was on its way when the link ended. 0, IOD_E_FULL: too long; IOD_E_NOMEM. */
IOD_MUST_USE int iod_cluster_command(iod_server_t *server, uint64_t id, iod_slice_t engine, iod_slice_t payload);

/* [app] The root's answer. to: the id of the command's notice; payload NULL: there is none. The same results. */
IOD_MUST_USE int iod_cluster_reply(iod_server_t *server, iod_handle_t to, uint64_t id, const iod_slice_t *payload);

/* ---- for links ---- */

/* A frame came. False: its sender never says that. */
bool iod_cluster_hear(iod_link_t *link, const iod_cluster_frame_t *frame, iod_slice_t bytes);

/* The root's link may have room again. */
void iod_cluster_repair(iod_link_t *link);

/* One has closed. */
void iod_cluster_left(iod_link_t *link);

#endif
