/* What ties the processes of a cluster together: a stream between the root and each worker, which carries what is
 * published, which names have subscribers, and questions to the root with their answers (protocol/cluster_frame.h). The
 * root passes on to each worker what the others publish. All under the state lock but for what says otherwise. */
#ifndef IOD_SERVER_LINK_H
#define IOD_SERVER_LINK_H

#include "../reactor/stream.h"
#include "pubsub.h"

enum { IOD_LINK_PENDING_MAX = 64 << 20 /* bytes that may wait for a worker: past it that is killed */ };

/* To the other processes; scope: all but IOD_SCOPE_PROCESS. */
void iod_link_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope);

/* Under the lock of pub/sub, any thread: a name has its first subscriber here, or has none any more. The root learns of
 * it as soon as somebody has applied the commands. */
void iod_link_note(iod_server_t *server, iod_slice_t name, bool pattern, bool there);

#endif
