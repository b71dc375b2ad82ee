/* Listening sockets: what is served there, and which connections this process takes. */
#ifndef IOD_SERVER_LISTENER_H
#define IOD_SERVER_LISTENER_H

#include "../base/timers.h"
#include "../protocol/websocket_handshake.h"
#include "../protocol/websocket_message.h"
#include "../reactor/tls.h"
#include "handler.h"
#include "proxies.h"
#include "stats.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct iod_settings {
  uint32_t keep_alive, head_timeout, body_timeout, write_timeout; /* ms; 0 = none */
  iod_http1_limits_t limits;
  uint32_t max_clients;     /* for the process; 0 = what the descriptors allow */
  uint32_t max_per_address; /* for all workers together; 0 = any, as with the next */
  uint32_t max_queue;       /* requests that wait for an application thread */
  uint32_t queue_timeout;   /* ms that one may wait for it */
  uint32_t request_timeout; /* ms from a complete request to the head of its answer */
  int backlog;
  unsigned mode; /* of a Unix socket's file */
  bool log;
  bool raw;           /* no HTTP: keep_alive is the time-out at first, 0 to 255 s */
  size_t max_pending; /* bytes that may wait for a connection's peer to read them, when the application writes more */
  iod_tls_t *tls;     /* NULL: plain. A listener has a reference of its own */
  struct iod_public *public;       /* static files, or NULL; the listener takes it over */
  iod_websocket_rules_t websocket; /* its inflaters are the server's */
  iod_websocket_policy_t policy;   /* its origins are one allocation, the listener's once it is added */
  uint8_t ping;                    /* seconds of silence before a WebSocket or an event stream is pinged, 0 = never */
  struct iod_inside *inside;       /* how the server itself is doing is told here, or NULL. Taken over likewise */
  bool proxy_protocol;             /* connections begin with a PROXY header, and come from trusted peers only */
  iod_proxies_t *proxies;          /* NULL: none is trusted. The listener's, once it is added */
} iod_settings_t;

typedef struct iod_listener {
  iod_timer_t timer; /* while paused: when to look again. First member */
  iod_server_t *server;
  int fd, source;
  unsigned deferred; /* how often what waits was left to an idle worker … */
  uint64_t looked;   /* … and when the last time for that was up, ms */
  bool tcp;
  iod_settings_t settings;
  iod_stats_t *stats;          /* where what comes here is counted */
  void *tag;                   /* the application's */
  char name[IOD_ADDRESS_ROOM]; /* "127.0.0.1:3000", or a Unix socket's path */
} iod_listener_t;

/* Binds and listens; not yet accepting. 0, or IOD_E_SYSTEM, IOD_E_FULL, IOD_E_NOMEM with the reason in sentence.
 * address: numeric, NULL = all; or a Unix socket's path. */
IOD_MUST_USE int iod_listener_add(iod_server_t *server, bool tcp, const char *address, uint16_t port,
                                  const iod_settings_t *settings, void *tag, iod_listener_t **listener,
                                  char sentence[IOD_SENTENCE_ROOM]);

/* The same for a socket that listens already; it is the server's from then on, unless this fails. */
IOD_MUST_USE int iod_listener_take(iod_server_t *server, int fd, const iod_settings_t *settings, void *tag,
                                   iod_listener_t **listener, char sentence[IOD_SENTENCE_ROOM]);

/* The socket of the listener of that name, which stays the listener's; IOD_E_CLOSED: there is none. Takes the state
 * lock if the server is open. */
IOD_MUST_USE int iod_listener_descriptor(iod_server_t *server, const char *name);

/* Its new connections speak TLS by this set-up. Takes the state lock if the server is open. 0, IOD_E_CLOSED: none of
 * that name that speaks TLS. */
IOD_MUST_USE int iod_listener_set_tls(iod_server_t *server, const char *name, iod_tls_t *tls);

/* What comes here is counted where its server counts now. */
void iod_listener_count(iod_listener_t *listener);

/* Under the state lock. */
void iod_listener_arm(iod_listener_t *listener);
void iod_listener_resume(iod_listener_t *listener); /* a descriptor became free */
void iod_listener_timeout(iod_listener_t *listener);
void iod_listener_drain(iod_listener_t *listener); /* takes what waits to be accepted, then closes */
void iod_listener_close(iod_listener_t *listener);

#endif
