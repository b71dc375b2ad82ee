#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
  struct sockaddr_storage room;
} address_t;

int iod_socket_prepare(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return IOD_E_SYSTEM;
  return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? IOD_E_SYSTEM : 0;
}

static void set_option(int fd, int level, int option, int value) {
  (void)setsockopt(fd, level, option, &value, sizeof value); /* best effort: a kernel without it still serves */
}

/* ---- addresses ---- */

static void name_of(const address_t *a, char name[IOD_ADDRESS_ROOM]) {
  char ip[IOD_IP_ROOM] = "";
  if (a->any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &a->v6.sin6_addr, ip, sizeof ip);
    snprintf(name, IOD_ADDRESS_ROOM, "[%s]:%u", ip, (unsigned)ntohs(a->v6.sin6_port));
  } else {
    inet_ntop(AF_INET, &a->v4.sin_addr, ip, sizeof ip);
    snprintf(name, IOD_ADDRESS_ROOM, "%s:%u", ip, (unsigned)ntohs(a->v4.sin_port));
  }
}

/* inet_ntop costs ten times as much for IPv4, and every connection pays it. */
static uint8_t ipv4_format(char *out, const uint8_t part[4]) {
  char *p = out;
  for (int i = 0; i < 4; i++) {
    unsigned n = part[i];
    if (n >= 100) *p++ = (char)('0' + n / 100);
    if (n >= 10) *p++ = (char)('0' + n / 10 % 10);
    *p++ = (char)('0' + n % 10);
    *p++ = '.';
  }
  *--p = 0;
  return (uint8_t)(p - out);
}

static void peer_set(iod_peer_t *peer, const address_t *a) {
  if (a->any.sa_family == AF_INET) {
    peer->ip_length = ipv4_format(peer->ip, (const uint8_t *)&a->v4.sin_addr);
  } else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
    peer->ip_length = ipv4_format(peer->ip, (const uint8_t *)&a->v6.sin6_addr + 12);
  } else if (a->any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &a->v6.sin6_addr, peer->ip, sizeof peer->ip)) {
    peer->ip_length = (uint8_t)strlen(peer->ip);
  } else {
    memcpy(peer->ip, "127.0.0.1", 10);
    peer->ip_length = 9;
  }
}

/* ---- listening ---- */

static int give_up(int fd, char sentence[IOD_SENTENCE_ROOM], const char *doing, const char *what, const char *reason) {
  snprintf(sentence, IOD_SENTENCE_ROOM, "can't %s %s: %s", doing, what, reason);
  if (fd >= 0) close(fd);
  return IOD_E_SYSTEM;
}

static int fail(int fd, char sentence[IOD_SENTENCE_ROOM], const char *what, const char *reason) {
  return give_up(fd, sentence, "listen on", what, reason);
}

static int bind_and_listen(int fd, const address_t *a, socklen_t length, int backlog) {
  if (iod_socket_prepare(fd)) return IOD_E_SYSTEM;
  return bind(fd, &a->any, length) || listen(fd, backlog) ? IOD_E_SYSTEM : 0;
}

static socklen_t address_parse(address_t *a, const char *address, uint16_t port) {
  memset(a, 0, sizeof *a);
  if (inet_pton(AF_INET, address, &a->v4.sin_addr) == 1) {
    a->v4.sin_family = AF_INET, a->v4.sin_port = htons(port);
    return sizeof a->v4;
  }
  if (inet_pton(AF_INET6, address, &a->v6.sin6_addr) != 1) return 0;
  a->v6.sin6_family = AF_INET6, a->v6.sin6_port = htons(port);
  return sizeof a->v6;
}

static int listen_tcp(const address_t *a, socklen_t length, bool dual, int backlog) {
  int fd = socket(a->any.sa_family, SOCK_STREAM, 0);
  if (fd < 0) return IOD_E_SYSTEM;
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* accepted sockets inherit it */
  if (a->any.sa_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual);
  if (bind_and_listen(fd, a, length, backlog) == 0) return fd;
  int reason = errno;
  close(fd);
  errno = reason;
  return IOD_E_SYSTEM;
}

int iod_socket_listen_tcp(const char *address, uint16_t port, int backlog, char name[IOD_ADDRESS_ROOM],
                          char sentence[IOD_SENTENCE_ROOM]) {
  address_t a;
  socklen_t length = address_parse(&a, address ? address : "::", port);
  if (length == 0) return fail(-1, sentence, address, "not a numeric IPv4 or IPv6 address");
  int fd = listen_tcp(&a, length, address == NULL, backlog);
  if (fd < 0 && address == NULL && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
    length = address_parse(&a, "0.0.0.0", port);
    fd = listen_tcp(&a, length, false, backlog);
  }
  if (fd < 0) {
    int reason = errno;
    name_of(&a, name);
    return fail(fd, sentence, name, strerror(reason));
  }
  length = sizeof a;
  if (getsockname(fd, &a.any, &length)) return fail(fd, sentence, address ? address : "*", strerror(errno));
  name_of(&a, name);
  return fd;
}

void iod_socket_await_data(int listener, bool await) {
#ifdef TCP_DEFER_ACCEPT
  set_option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, await);
#else
  (void)listener, (void)await;
#endif
}

/* True when somebody accepts there. */
static bool unix_alive(const address_t *a, socklen_t length) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return true;
  bool alive = connect(fd, &a->any, length) == 0 || (errno != ECONNREFUSED && errno != ENOENT);
  close(fd);
  return alive;
}

static const char path_too_long[] = "the path is too long for a Unix socket";

/* False: the path is too long. */
static bool address_of_path(address_t *a, const char *path) {
  memset(a, 0, sizeof *a);
  if (strlen(path) >= sizeof a->local.sun_path) return false;
  a->local.sun_family = AF_UNIX;
  strcpy(a->local.sun_path, path);
  return true;
}

int iod_socket_listen_unix(const char *path, unsigned mode, int backlog, char sentence[IOD_SENTENCE_ROOM]) {
  address_t a;
  struct stat file;
  if (!address_of_path(&a, path)) return fail(-1, sentence, path, path_too_long);
  if (lstat(path, &file) == 0) {
    if (!S_ISSOCK(file.st_mode)) return fail(-1, sentence, path, "a file that is no socket is in the way");
    if (unix_alive(&a, sizeof a.local)) return fail(-1, sentence, path, "another process listens there");
    (void)unlink(path);
  }
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return fail(fd, sentence, path, strerror(errno));
  if (iod_socket_prepare(fd) || bind(fd, &a.any, sizeof a.local)) return fail(fd, sentence, path, strerror(errno));
  /* Nobody can connect before listen(), so the permissions are in force from the first connection on. */
  if (chmod(path, (mode_t)mode) || listen(fd, backlog)) {
    int reason = errno;
    (void)unlink(path);
    return fail(fd, sentence, path, strerror(reason));
  }
  return fd;
}

/* ---- listeners of others ---- */

/* Linux's abstract names, which no file has, begin with a NUL that is written as "@". */
static void name_of_local(const address_t *a, socklen_t length, char name[IOD_ADDRESS_ROOM]) {
  size_t begin = offsetof(struct sockaddr_un, sun_path), room = length > begin ? length - begin : 0;
  const char *path = a->local.sun_path;
  bool abstract = room > 1 && !path[0];
  snprintf(name, IOD_ADDRESS_ROOM, "%s%.*s", abstract ? "@" : "", (int)(room - abstract), path + abstract);
}

static bool is_listening(int fd) {
  int type = 0, listening = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM) return false;
  size = sizeof listening;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

int iod_socket_take_listener(int fd, int backlog, bool *tcp, char name[IOD_ADDRESS_ROOM],
                             char sentence[IOD_SENTENCE_ROOM]) {
  address_t a;
  socklen_t length = sizeof a;
  a.any.sa_family = AF_UNSPEC;
  if (!is_listening(fd) || getsockname(fd, &a.any, &length) || iod_socket_prepare(fd)) {
    snprintf(sentence, IOD_SENTENCE_ROOM, "can't take over descriptor %d: it is no listening stream socket", fd);
    return IOD_E_SYSTEM;
  }
  (void)listen(fd, backlog); /* it listens already; this one is about how many may wait */
  *tcp = a.any.sa_family != AF_UNIX;
  if (*tcp) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    name_of(&a, name);
  } else {
    name_of_local(&a, length, name);
  }
  return 0;
}

/* ---- accepting ---- */

int iod_socket_accept(int listener, bool tcp, iod_peer_t *peer) {
  address_t a;
  socklen_t length = sizeof a;
  a.any.sa_family = AF_UNSPEC;
#ifdef __linux__
  int fd = accept4(listener, &a.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return IOD_E_SYSTEM;
#else
  int fd = accept(listener, &a.any, &length);
  if (fd < 0) return IOD_E_SYSTEM;
  if (iod_socket_prepare(fd)) {
    close(fd);
    errno = ECONNABORTED;
    return IOD_E_SYSTEM;
  }
  if (tcp) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
#ifdef SO_NOSIGPIPE
  set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
#endif
  (void)tcp;
  peer_set(peer, &a);
  return fd;
}

int iod_socket_adopt(int fd, iod_peer_t *peer) {
  address_t a;
  socklen_t length = sizeof a, size = sizeof(int);
  int type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size)) return IOD_E_SYSTEM;
  a.any.sa_family = AF_UNSPEC;
  if (type != SOCK_STREAM) errno = EPROTOTYPE;
  if (type != SOCK_STREAM || getpeername(fd, &a.any, &length)) return IOD_E_SYSTEM;
  peer_set(peer, &a);
  return iod_socket_prepare(fd);
}

/* ---- connecting ---- */

static int refuse(int fd, char sentence[IOD_SENTENCE_ROOM], const char *what, const char *reason) {
  return give_up(fd, sentence, "connect to", what, reason);
}

/* Close-on-exec from the first moment where that can be: the application may be about to start a program. */
static int new_socket(int family) {
#ifdef SOCK_CLOEXEC
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0 || iod_socket_prepare(fd) == 0) return fd;
  close(fd);
  return IOD_E_SYSTEM;
#endif
}

static int begin(const address_t *a, socklen_t length, const char *name, iod_peer_t *peer,
                 char sentence[IOD_SENTENCE_ROOM]) {
  int fd = new_socket(a->any.sa_family);
  if (fd < 0) return refuse(fd, sentence, name, strerror(errno));
  if (a->any.sa_family != AF_UNIX) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
#ifdef SO_NOSIGPIPE
  set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
  /* Interrupted, it goes on by itself (POSIX). */
  if (connect(fd, &a->any, length) && errno != EINPROGRESS && errno != EINTR)
    return refuse(fd, sentence, name, strerror(errno));
  peer_set(peer, a);
  return fd;
}

int iod_socket_connect_tcp(const char *address, uint16_t port, iod_peer_t *peer, char sentence[IOD_SENTENCE_ROOM]) {
  address_t a;
  char name[IOD_ADDRESS_ROOM];
  socklen_t length = address_parse(&a, address, port);
  if (length == 0) return refuse(-1, sentence, address, "not a numeric IPv4 or IPv6 address");
  name_of(&a, name);
  return begin(&a, length, name, peer, sentence);
}

int iod_socket_connect_unix(const char *path, iod_peer_t *peer, char sentence[IOD_SENTENCE_ROOM]) {
  address_t a;
  if (!address_of_path(&a, path)) return refuse(-1, sentence, path, path_too_long);
  return begin(&a, sizeof a.local, path, peer, sentence);
}
