/* Sockets: listening ones, accepted ones, those that we connect, their addresses. Every descriptor is close-on-exec and
 * non-blocking. */
#ifndef IOD_REACTOR_SOCKET_H
#define IOD_REACTOR_SOCKET_H

#include "../base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IOD_ADDRESS_ROOM = 128, IOD_IP_ROOM = 46, IOD_SENTENCE_ROOM = 256 };

/* Where a listener is bound, or a peer's address. Terminated. */
typedef struct iod_peer {
  char ip[IOD_IP_ROOM]; /* numeric; an IPv4 peer of a dual-stack socket as IPv4; "127.0.0.1" for a Unix socket's */
  uint8_t ip_length;
} iod_peer_t;

/* Non-blocking and close-on-exec; 0, IOD_E_SYSTEM. */
IOD_MUST_USE int iod_socket_prepare(int fd);

/* A listening TCP socket. address: numeric IPv4 or IPv6, or NULL for every address of both families (one dual-stack
 * socket; IPv4 alone where there is no IPv6). port 0: a free one. name gets "127.0.0.1:3000" or "[::1]:3000" as bound.
 * The descriptor, or IOD_E_SYSTEM with the reason in sentence. */
IOD_MUST_USE int iod_socket_listen_tcp(const char *address, uint16_t port, int backlog, char name[IOD_ADDRESS_ROOM],
                                       char sentence[IOD_SENTENCE_ROOM]);

/* A listening Unix socket with these permissions. A socket file that nobody listens on is replaced; a live one, and a
 * file that is no socket, is an error. */
IOD_MUST_USE int iod_socket_listen_unix(const char *path, unsigned mode, int backlog, char sentence[IOD_SENTENCE_ROOM]);

/* For a socket that somebody else has bound, and that may have connections waiting: prepares it as those above are. The
 * descriptor stays the caller's. name: as above, or the Unix socket's path, "@name" for one without a file. 0, or
 * IOD_E_SYSTEM with the reason in sentence: it is no listening stream socket. */
IOD_MUST_USE int iod_socket_take_listener(int fd, int backlog, bool *tcp, char name[IOD_ADDRESS_ROOM],
                                          char sentence[IOD_SENTENCE_ROOM]);

/* For protocols in which the client speaks first: connections are handed over with their first bytes, which saves a
 * wake-up and an empty read for each. One that says nothing for about a second is handed over all the same. Linux only.
 */
void iod_socket_await_data(int listener, bool await);

/* The next waiting connection: its descriptor, or IOD_E_SYSTEM with errno. */
IOD_MUST_USE int iod_socket_accept(int listener, bool tcp, iod_peer_t *peer);

/* For one that somebody else has connected: prepares it. 0, or IOD_E_SYSTEM with errno: it is no connected stream. */
IOD_MUST_USE int iod_socket_adopt(int fd, iod_peer_t *peer);

/* Begins to connect: for iod_loop_connect, which tells what came of it. To a numeric IPv4 or IPv6 address, and to the
 * socket file of a server that listens. peer: as for one that was accepted. The descriptor, or IOD_E_SYSTEM with the
 * reason in sentence, where that is known at once. */
IOD_MUST_USE int iod_socket_connect_tcp(const char *address, uint16_t port, iod_peer_t *peer,
                                        char sentence[IOD_SENTENCE_ROOM]);
IOD_MUST_USE int iod_socket_connect_unix(const char *path, iod_peer_t *peer, char sentence[IOD_SENTENCE_ROOM]);

#endif
