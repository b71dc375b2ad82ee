/* The seam between the server, which runs without Ruby, and the application's side. Two queues cross it: jobs go to the
 * application, commands come back. Their payloads are flat: bytes, numbers, handles.
 *
 * "Application thread" below means any thread of the other side. Functions marked [app] may be called by any of them,
 * with or without the GVL: they never block on the server's state lock (they try it, and leave a command where it is
 * held). */
#ifndef IOD_SERVER_HANDLER_H
#define IOD_SERVER_HANDLER_H

#include "../base/result.h"
#include "../base/slice.h"
#include "../protocol/http1_head.h"
#include "../protocol/websocket_offer.h"
#include "../reactor/handle.h"
#include "../reactor/output.h"
#include "../reactor/socket.h"
#include "../reactor/tls.h"
#include "spool_file.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct iod_server iod_server_t;
typedef struct iod_request iod_request_t;

/* ---- jobs ------------------------------------------------------------------------------------------------ */

typedef enum {
  IOD_JOB_REQUEST,    /* (iod_request_t *)job: a request is complete */
  IOD_JOB_TIMER,      /* (iod_timer_job_t *)job: a timer fired */
  IOD_JOB_CALL,       /* made by iod_server_call: the application's side knows what for */
  IOD_JOB_RELEASE,    /* (iod_release_job_t *)job: the server has finished with borrowed memory */
  IOD_JOB_CONNECTION, /* (iod_connection_t *)job: a strand has something to tell (connection.h) */
  IOD_JOB_WATCHER,    /* (iod_watcher_t *)job: likewise (watcher.h) */
  IOD_JOB_NOTICES,    /* there is something to do for pub/sub (notices.h) */
} iod_job_kind_t;

typedef struct iod_job {
  struct iod_job *next, *previous; /* private to the queue, as are these: */
  bool queued, behind;
  iod_job_kind_t kind;
} iod_job_t;

typedef struct iod_timer_job {
  iod_job_t job;
  uint64_t id;     /* as given by iod_server_timer_add */
} iod_timer_job_t; /* iod_free() it when done */

/* Embedded by the application's side in whatever keeps the memory alive (see IOD_SEGMENT_SHARED). */
typedef struct iod_release_job {
  iod_job_t job;
} iod_release_job_t;

/* ---- requests --------------------------------------------------------------------------------------------- */

enum { IOD_SCHEME_SAME /* the listener's */, IOD_SCHEME_HTTP, IOD_SCHEME_HTTPS };

enum { IOD_ASKS_NOTHING, IOD_ASKS_WEBSOCKET, IOD_ASKS_EVENTS /* an event stream */ };

enum { IOD_HERE, IOD_GONE_HALF /* sent FIN: may still read */, IOD_GONE /* closed */ };

/* One allocation, made by the server when the request is complete. Immutable for the application's side but for what
 * is marked. Counted: the application's side owns one reference and gives it back with iod_request_unref [app]. */
struct iod_request {
  iod_job_t job;
  iod_handle_t connection;
  _Atomic uint32_t references;
  _Atomic uint8_t gone;   /* IOD_HERE … set by the server */
  _Atomic size_t pending; /* bytes of the response that wait to be written, kept by the server */
  _Atomic bool
      keep_alive; /* the connection may go on after the response: what the client asked and the server allows */
  const struct iod_listener *listener; /* ->tag: the application's */
  iod_http1_head_t head;
  struct {       /* the body, complete and decoded */
    char *bytes; /* in memory, when there is no file */
    uint64_t length;
    iod_spool_file_t *file; /* its first `length` bytes. Taken over by setting it to NULL */
  } body;
  iod_peer_t remote;
  const iod_tls_info_t *secure; /* over TLS: version, cipher, the client's certificate; one for all of a connection;
                                   else NULL */
  struct {                      /* what a trusted proxy says that the client asked for */
    iod_slice_t host, port;     /* well formed, the host with its port if it has one; empty: not said */
    uint8_t scheme;             /* IOD_SCHEME_… */
  } forwarded;
  uint8_t asks;                    /* IOD_ASKS_…: what the connection may become if the application wants it */
  iod_websocket_deflate_t deflate; /* of IOD_ASKS_WEBSOCKET: agreed on */
  uint64_t begun_us;               /* monotonic: when its first byte was read, … */
  uint64_t queued_us;              /* … when it was complete and given to the application; 0: not yet … */
  _Atomic uint64_t taken_us;       /* … and when a thread took it, set by that; 0: none has */
  uint64_t serial;                 /* of the id that was made for it (access_line.h); 0: none was */
  const char *bytes;               /* the head; all spans refer to it */
  iod_header_t headers[];          /* head.header_count of them, then the bytes */
};

static inline iod_slice_t iod_request_slice(const iod_request_t *r, iod_span_t s) {
  return (iod_slice_t){r->bytes + s.at, s.length};
}
void iod_request_unref(iod_request_t *request); /* [app] */

/* ---- responses -------------------------------------------------------------------------------------------- */

/* Made of iod_segment_t (reactor/output.h); the `release` of a shared one is an iod_release_job_t *, which comes back
 * as a job: always, exactly once, also when the connection is gone. */
enum {
  IOD_SEND_INTERIM = 1, /* a 1xx response: the final one follows */
  IOD_SEND_LAST = 2,    /* the response is complete: the connection goes on to its next request, or closes */
  IOD_SEND_CLOSE = 4,   /* with LAST: close when written */
  IOD_SEND_ABORT = 8,   /* with LAST: the response is broken off; close at once so that the client sees it */
};

typedef struct iod_send {
  int flags;
  int status;        /* for the access log, with the call that has the response's head; else 0 */
  size_t body_bytes; /* of the segments, how many are content (for the access log) */
} iod_send_t;

/* Sends part of the response to `request`, in the order of the calls. Segments are taken care of in every case. [app]
 * 0, IOD_E_CLOSED (nothing more to do for this request but to give back the reference), IOD_E_NOMEM (the connection was
 * closed). */
int iod_request_send(iod_server_t *server, iod_request_t *request, const iod_send_t *send,
                     const iod_segment_t *segments, size_t count);

/* Waits until less than `low` bytes of the response are pending, the client is gone, its time limit has passed, or
 * *cancelled (checked every time iod_server_wake_waiters is called). Blocks: without the GVL. 0, IOD_E_CLOSED. */
int iod_request_wait_drained(iod_server_t *server, iod_request_t *request, size_t low, const _Atomic bool *cancelled);
void iod_server_wake_waiters(iod_server_t *server); /* [app], async-signal unsafe, lock is a leaf */

/* Takes the socket away from the server: what is queued is written first (blocking, up to the write time limit), then
 * the caller owns the descriptor, which is left non-blocking; over TLS it is one end of a socket pair, and what is
 * written there goes out sealed. *early gets what was read past the request (iod_free it), may be NULL/0 length.
 * Blocks: without the GVL. >= 0: the descriptor; IOD_E_CLOSED, IOD_E_NOMEM. */
int iod_request_hijack(iod_server_t *server, iod_request_t *request, char **early, size_t *early_length);

/* ---- timers ----------------------------------------------------------------------------------------------- */

/* Fires once, after ms; the caller chooses the id. 0, IOD_E_NOMEM. [app] */
IOD_MUST_USE int iod_server_timer_add(iod_server_t *server, uint64_t id, uint64_t ms);
void iod_server_timer_cancel(iod_server_t *server, uint64_t id); /* [app] a job already queued still comes */

/* Queues an IOD_JOB_CALL (iod_free() it when done) and wakes a thread for it. 0, IOD_E_NOMEM. [app] */
IOD_MUST_USE int iod_server_call(iod_server_t *server);

#endif
