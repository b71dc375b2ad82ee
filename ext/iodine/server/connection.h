/* The application's half of a connection that doesn't speak HTTP any more, or never did: what the application may do
 * with it, and its strand, the queue of what it is told: in order, one at a time, by one thread at a time.
 *
 * Counted: one reference is the reactor's while the socket is open, one the application's until it was told of the
 * close. A strand with something to tell is one job, whatever their number. */
#ifndef IOD_SERVER_CONNECTION_H
#define IOD_SERVER_CONNECTION_H

#include "../base/buffer.h"
#include "commands.h"
#include "pubsub.h"
#include "strand.h"

typedef enum { IOD_CONNECTION_RAW, IOD_CONNECTION_WEBSOCKET, IOD_CONNECTION_SSE } iod_connection_kind_t;

/* What the application is told. Signals are told once, however often they came up since, and before what is queued; the
 * first is OPEN, the last CLOSE. */
enum {
  IOD_TELL_OPEN = 1,
  IOD_TELL_SHUTDOWN = 2, /* a graceful stop began; closes when the strand is empty */
  IOD_TELL_PING = 4,     /* its time-out passed without traffic */
  IOD_TELL_DRAINED = 8,  /* all that was written is out */
  IOD_TELL_MESSAGE = 16, /* queued */
  IOD_TELL_CALL = 32,    /* queued by iod_connection_call: the application's side knows what for */
  IOD_TELL_CLOSE = 64,
  IOD_TELL_PUBLISHED = 128, /* queued: message->publication, for the subscription message->id */
};

enum { /* what ended it, as WebSockets number it (RFC 6455 section 7.4.1) */
       IOD_CLOSE_NORMAL = 1000,
       IOD_CLOSE_GOING_AWAY = 1001,
       IOD_CLOSE_NONE = 1005,
       IOD_CLOSE_ABNORMAL = 1006,
       IOD_CLOSE_POLICY = 1008,
       IOD_CLOSE_ERROR = 1011,
};

enum { IOD_REASON_MAX = 123 }; /* bytes */

/* Why it is closed, in words; NULL: none were said. */
typedef struct iod_reason {
  uint8_t length;
  char bytes[];
} iod_reason_t;

struct iod_stream;
struct iod_line;
typedef struct iod_connection iod_connection_t;

/* What its protocol does, under the state lock, with a stream that is open and not about to close. */
typedef struct iod_connection_ops {
  /* Takes care of the segment. 0, IOD_E_CLOSED: it is closed now. */
  int (*write)(struct iod_stream *stream, const iod_segment_t *segment, bool text);
  /* What was published as it goes out, borrowed. NULL when out of memory. */
  iod_payload_t *(*encode)(struct iod_stream *stream, struct iod_publication *publication, bool binary);
  void (*close)(struct iod_stream *stream);              /* after what is pending */
  void (*retry)(struct iod_stream *stream, uint32_t ms); /* tells the peer when to come again. NULL: it can't */
  void (*refresh)(struct iod_stream *stream);            /* the strand has room again, or there is another time-out */
} iod_connection_ops_t;

struct iod_connection {
  iod_strand_t strand; /* first */
  iod_subscriber_t subscriber;
  const struct iod_listener *listener; /* NULL: we opened it … */
  struct iod_client *client;           /* … by this, counted */
  const iod_tls_info_t *secure;
  iod_peer_t *remote; /* of a raw one and of a client's, or NULL: others have it in their request's env */
  void *tag;          /* the application's; NULL at first */
  iod_handle_t stream;
  iod_command_t closing, refreshing;
  iod_reason_t *farewell_reason, *close_reason;
  _Atomic uint32_t references;
  _Atomic uint32_t sent;   /* messages that wait in the output */
  _Atomic uint32_t posted; /* messages on their way to it */
  uint16_t farewell;       /* the code that it is closed with from here, 0 = none yet … */
  uint16_t close_code;     /* … and the one that it ended with: the application's to read after CLOSE */
  uint8_t kind;            /* iod_connection_kind_t */
  _Atomic uint8_t wants;   /* IOD_TELL_… that the application defines, all at first; no others are queued */
  _Atomic uint8_t timeout; /* seconds, 0 = none */
  _Atomic bool open;       /* it may be written */
  _Atomic bool refresh_posted;
  _Atomic bool dropped; /* the next refresh closes it at once */
  bool opened;          /* OPEN was told */

  /* under the strand's lock */
  bool throttled; /* the reactor reads on when there is room */
  bool ending;    /* closes when the strand is empty */
  bool over;      /* CLOSE was taken */
};

/* ---- before it is open, any thread ---- */

/* The caller has two references, the reactor's and the application's; counted in server->untold until it is over. NULL
 * when out of memory. */
IOD_MUST_USE iod_connection_t *iod_connection_new(iod_server_t *server, iod_connection_kind_t kind);

/* ---- the reactor's side, under the state lock ---- */

/* The line takes the reactor's reference. Tells OPEN. */
void iod_connection_opened(iod_connection_t *connection, struct iod_line *line);

/* Signals other than OPEN and CLOSE only if the application wants them. */
void iod_connection_tell(iod_connection_t *connection, uint8_t signal);

/* Copies the bytes, or takes over `owned` (not NULL: the bytes are all of it). 0; IOD_E_FULL: done, but now the peer
 * has to wait until ops->refresh; IOD_E_NOMEM: `owned` is still the caller's. */
IOD_MUST_USE int iod_connection_tell_message(iod_connection_t *connection, iod_slice_t bytes, bool text,
                                             iod_buffer_t *owned);

/* Nothing more will come. True: the strand is empty, so close now; else ops->close will be called when it is. */
IOD_MUST_USE bool iod_connection_end(iod_connection_t *connection, uint8_t signal);

/* What it ends with, if it is known. */
void iod_connection_ends_with(iod_connection_t *connection, uint16_t code, iod_slice_t reason);

/* The stream has closed, or there never was one. Takes the reactor's reference back. */
void iod_connection_closed(iod_connection_t *connection);

/* ---- the application's side [app] ---- */

void iod_connection_ref(iod_connection_t *connection);
void iod_connection_unref(iod_connection_t *connection);

/* May be written. Once it isn't, it never is again, and its server is not touched. */
bool iod_connection_is_open(const iod_connection_t *connection);

/* Of its job: what to tell next, IOD_TELL_…, or 0: nothing for now. *message is the caller's (iod_message_free), or
 * NULL. */
IOD_MUST_USE uint8_t iod_connection_take(iod_connection_t *connection, iod_message_t **message);

/* The end of its job: queues it again behind others if there is more. Once CLOSE was taken it gives back the
 * application's reference. */
void iod_connection_rest(iod_connection_t *connection);

/* Nobody will take its job any more: as if all had been taken. Tells server->abandoned. */
void iod_connection_abandon(iod_connection_t *connection);

/* Never block. Segments are taken care of in every case; a shared one's `release` is an iod_release_job_t. Only while
 * it is open. 0, IOD_E_CLOSED. */
IOD_MUST_USE int iod_connection_write(iod_connection_t *connection, const iod_segment_t *segment, bool text);
void iod_connection_close(iod_connection_t *connection); /* after what is pending */

/* The same with a code and a reason for the peer, where its protocol has them. */
void iod_connection_close_with(iod_connection_t *connection, uint16_t code, iod_slice_t reason);

/* At once: what is pending is lost, and no goodbye is said. Not after rest has taken the application's reference back.
 */
void iod_connection_drop(iod_connection_t *connection);

void iod_connection_timeout(iod_connection_t *connection, uint8_t seconds);
void iod_connection_resume(iod_connection_t *connection); /* after OPEN: what comes may be told */

/* Messages that are not out yet, in proportion to their bytes. */
size_t iod_connection_pending(const iod_connection_t *connection);

/* CALL, in its turn. Not after rest has taken the application's reference back. 0, IOD_E_CLOSED: it is over, or the
 * parent process's; IOD_E_NOMEM. */
IOD_MUST_USE int iod_connection_call(iod_connection_t *connection);

#endif
