/* What the processes of a cluster say to each other through the root: frames of a head, a channel's name and a message.
 * Pure. */
#ifndef IOD_PROTOCOL_CLUSTER_FRAME_H
#define IOD_PROTOCOL_CLUSTER_FRAME_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdint.h>

enum {
  IOD_CLUSTER_PUBLISH = 1,     /* message for channel */
  IOD_CLUSTER_SUBSCRIBE = 2,   /* this process has a first subscriber for channel, */
  IOD_CLUSTER_UNSUBSCRIBE = 3, /* and none any more: for engines, which are told once a name */
  IOD_CLUSTER_COMMAND = 4,     /* message is for the root's engine of that name; id comes back with its REPLY */
  IOD_CLUSTER_REPLY = 5,       /* with ENGINE: message is what that said; without: it said nothing */
  IOD_CLUSTER_JOIN = 6, /* from a worker: it reads from now on, and no name of its has a subscriber; the root sends
                           it back before anything else */
};

enum {
  IOD_CLUSTER_BINARY = 1,   /* the message isn't text */
  IOD_CLUSTER_PATTERN = 2,  /* the channel is a glob: of SUBSCRIBE, UNSUBSCRIBE */
  IOD_CLUSTER_SIBLINGS = 4, /* not for the process that published it */
  IOD_CLUSTER_ROOT = 8,     /* for the root alone */
  IOD_CLUSTER_ENGINE = 16,  /* from the root's engine */
};

enum {
  IOD_CLUSTER_HEAD = 24,             /* bytes before the channel */
  IOD_CLUSTER_CHANNEL_MAX = 1 << 16, /* bytes of a name */
  IOD_CLUSTER_MESSAGE_MAX = 1 << 24, /* bytes of a message */
};

typedef struct iod_cluster_frame {
  uint8_t type;    /* IOD_CLUSTER_PUBLISH and so on */
  uint8_t flags;   /* IOD_CLUSTER_BINARY and so on */
  uint32_t sender; /* the process it came from first; the root is 0 */
  uint64_t id;     /* the sender's */
  iod_slice_t channel, message;
} iod_cluster_frame_t;

/* bytes: all that has come, from a frame's first byte. > 0: the frame's length, its slices are in the bytes. 0: more is
 * needed, *needed bytes in all as far as is known. IOD_E_BAD_REQUEST: another version, an unknown type or flag, a
 * length over the limit. */
IOD_MUST_USE int64_t iod_cluster_frame_parse(const char *bytes, size_t length, iod_cluster_frame_t *frame,
                                             size_t *needed);

/* How long a frame is, or IOD_E_FULL: its channel or message is over the limit. */
IOD_MUST_USE int64_t iod_cluster_frame_length(const iod_cluster_frame_t *frame);

/* Writes a frame whose length was asked for. */
void iod_cluster_frame_write(char *out, const iod_cluster_frame_t *frame);

/* Its first IOD_CLUSTER_HEAD bytes alone. */
void iod_cluster_head_write(char *out, const iod_cluster_frame_t *frame);

#endif
