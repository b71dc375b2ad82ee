/* Servers that stand for the processes of a cluster, in one thread: they have no stand-in, and nobody drives them but
 * the test. */
#ifndef IOD_SPEC_PROCESSES_H
#define IOD_SPEC_PROCESSES_H

#include "../../../ext/iodine/server/cluster.h"
#include "../../../ext/iodine/server/server.h"
#include "../../../ext/iodine/server/watcher.h"

enum { PROCESSES = 5, WATCHERS = 64 }; /* at most, at the same time */

iod_server_t *process_open(void);
iod_server_t *process_open_alive(void); /* with its stand-in, which drives it: not for what turns or settles */
void process_close(iod_server_t *process);

/* Ended with the process, if not before. */
iod_watcher_t *process_watch(iod_server_t *process, const char *name, bool pattern, uint64_t id);
void process_unwatch(iod_watcher_t *watcher); /* NULL is a no-op */

/* The other end of a link, which the test holds; pid: of the worker that it stands for, 0: it is the root. */
int process_link(iod_server_t *process, pid_t pid, bool joined);

/* Ties a worker to its root. */
void process_tie(iod_server_t *root, iod_server_t *worker, pid_t pid);

void process_turn(iod_server_t *process);

/* Turns all that are open until nothing moves. */
void processes_settle(void);

void process_publish(iod_server_t *process, const char *channel, const char *message, iod_scope_t scope);

/* What its watchers were told since, as "id channel=message " each; forgotten with the next call. Its notices too:
 * "+name ", "-name ", "+pattern* ", "listing ", "listed ", "command(engine,payload) ", "reply(payload) ",
 * "reply ", "unlinked ". */
const char *process_heard(iod_server_t *process);

#define HEARD(process, expected)                                                                                       \
  do {                                                                                                                 \
    const char *it_heard = process_heard(process);                                                                     \
    CHECK_BYTES(it_heard, strlen(it_heard), expected);                                                                 \
  } while (0)

static inline iod_slice_t slice(const char *string) { return (iod_slice_t){string, strlen(string)}; }

#endif
