/* Channels, patterns and who is subscribed to them, in this process. Its lock is a leaf that any thread may take for a
 * moment; what is published is delivered under the state lock, too. */
#ifndef IOD_SERVER_PUBSUB_H
#define IOD_SERVER_PUBSUB_H

#include "../base/map.h"
#include "../protocol/cluster_frame.h"
#include "publication.h"
#include "strand.h"

#include <pthread.h>

struct iod_line;

enum { /* of what may reach other processes */
       IOD_NAME_MAX = IOD_CLUSTER_CHANNEL_MAX,
       IOD_MESSAGE_MAX = IOD_CLUSTER_MESSAGE_MAX,
};

/* How a subscriber is told. */
typedef enum {
  IOD_DELIVER_TEXT,      /* written to its connection, as text where its protocol knows text */
  IOD_DELIVER_BINARY,    /* written to it, as binary */
  IOD_DELIVER_STRAND,    /* a message on its strand, with the subscription's id: the application does the rest */
  IOD_DELIVER_ELSEWHERE, /* another process: it gets all that is published anyway */
} iod_deliver_t;

/* Part of whoever subscribes. */
typedef struct iod_subscriber {
  struct iod_subscription *first; /* under the lock of pub/sub, as what follows */
  uint32_t count;
  struct iod_line *line; /* its connection while that is open, or NULL */
  iod_strand_t *strand;  /* or NULL */
  uint8_t tell;          /* what its strand's messages are */
  bool over;             /* takes no more subscriptions */
} iod_subscriber_t;

typedef struct iod_subscribing {
  iod_slice_t name;
  bool pattern;
  iod_deliver_t deliver;
  uint64_t id; /* of IOD_DELIVER_STRAND */
} iod_subscribing_t;

typedef struct iod_pubsub {
  pthread_mutex_t lock;
  iod_map_t channels, patterns;
  _Atomic bool listed; /* somebody wants to know which there are: they are noted (notices.h) */
  _Atomic size_t told; /* bytes of what was published and waits on strands */
} iod_pubsub_t;

void iod_pubsub_init(iod_pubsub_t *pubsub);
void iod_pubsub_deinit(iod_pubsub_t *pubsub); /* nobody is subscribed any more */

/* Subscribes, or changes how it is told if it was subscribed to that name already. 0, IOD_E_CLOSED, IOD_E_NOMEM. */
IOD_MUST_USE int iod_pubsub_subscribe(iod_server_t *server, iod_subscriber_t *subscriber,
                                      const iod_subscribing_t *subscribing);

/* Name and pattern alike. True if there was one. */
bool iod_pubsub_unsubscribe(iod_server_t *server, iod_subscriber_t *subscriber, iod_slice_t name);

/* Those of that kind alone. */
bool iod_pubsub_drop(iod_server_t *server, iod_subscriber_t *subscriber, iod_slice_t name, bool pattern);

/* Ends all of its subscriptions, and it takes no more. */
void iod_pubsub_leave(iod_server_t *server, iod_subscriber_t *subscriber);

/* All under the lock of pub/sub; begin and end may be NULL. */
typedef struct iod_visitor {
  void (*begin)(void *context);
  void (*visit)(void *context, iod_slice_t name, bool pattern);
  void (*end)(void *context);
  void *context;
} iod_visitor_t;

/* Each name to which somebody is subscribed. */
void iod_pubsub_each(iod_server_t *server, const iod_visitor_t *visitor);

/* To all who are subscribed here. Under the state lock. */
void iod_pubsub_deliver(iod_server_t *server, iod_publication_t *publication);

/* The same of what another process has published; copied only if somebody is subscribed. */
void iod_pubsub_deliver_bytes(iod_server_t *server, iod_slice_t channel, iod_slice_t message, bool text);

/* Who is told. */
typedef enum { IOD_SCOPE_CLUSTER, IOD_SCOPE_PROCESS, IOD_SCOPE_SIBLINGS, IOD_SCOPE_ROOT } iod_scope_t;

/* [app] Takes over a reference. In the order of the calls. What is written to connections leaves at the end of the
 * loop's turn, together with what comes for them until then. 0, IOD_E_NOMEM, IOD_E_FULL: name or message are too long
 * for other processes. */
IOD_MUST_USE int iod_server_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope);

#endif
