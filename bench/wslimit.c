/* The floor under any WebSocket server: one epoll loop that unmasks, and one write an answer or a delivery.
 *
 *   cc -O2 wslimit.c -o wslimit && ./wslimit PORT
 *
 * /echo echoes; /pub publishes without being subscribed; what comes by any other path is subscribed and may publish. It
 * answers wsload alone, whose key is always the same, and a client that doesn't read loses messages. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DESCRIPTORS = 1 << 20, LARGEST = 1 << 20, HEAD = 14, CLOSE = 8, MASK = 4 };

static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\n"
                               "Upgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

typedef struct {
  enum { NEW, ECHO, SUBSCRIBER, PUBLISHER } role;
  int place;  /* among the subscribers */
  char *kept; /* what isn't a whole frame yet */
  size_t length, room;
} client_t;

static const int on = 1;
static client_t clients[DESCRIPTORS];
static int subscribers[DESCRIPTORS], subscribed;

static int open_listener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
    perror("wslimit: can't listen");
    exit(1);
  }
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int epoll, int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, fd);
  }
}

static void forget(client_t *client) {
  free(client->kept);
  client->kept = NULL;
  client->length = client->room = 0;
}

static void end(int fd) {
  client_t *client = &clients[fd];
  if (client->role == SUBSCRIBER) {
    int last = subscribers[--subscribed];
    subscribers[client->place] = last;
    clients[last].place = client->place;
  }
  forget(client);
  *client = (client_t){0};
  close(fd);
}

/* Bytes that the head took, 0 if it isn't whole, or -1. */
static ssize_t greet(int fd, const char *bytes, size_t length) {
  const char *blank = memmem(bytes, length, "\r\n\r\n", 4);
  if (!blank) return 0;
  if (write(fd, accepted, sizeof accepted - 1) < 0) return -1;
  client_t *client = &clients[fd];
  client->role = memcmp(bytes, "GET /echo ", 10) == 0 ? ECHO
                 : memcmp(bytes, "GET /pub ", 9) == 0 ? PUBLISHER
                                                      : SUBSCRIBER;
  if (client->role == SUBSCRIBER) {
    client->place = subscribed;
    subscribers[subscribed++] = fd;
  }
  return blank + 4 - bytes;
}

static void unmask(uint8_t *out, const uint8_t *in, size_t length, const uint8_t *key) {
  uint32_t whole, word;
  size_t i = 0;
  memcpy(&whole, key, MASK);
  for (; i + 4 <= length; i += 4) {
    memcpy(&word, in + i, 4);
    word ^= whole;
    memcpy(out + i, &word, 4);
  }
  for (; i < length; i++) out[i] = in[i] ^ key[i & 3];
}

static bool deliver(int fd, const uint8_t *frame, size_t length) {
  if (clients[fd].role == ECHO) return write(fd, frame, length) == (ssize_t)length;
  for (int i = 0; i < subscribed; i++)
    if (write(subscribers[i], frame, length) < 0) continue; /* lost */
  return true;
}

static size_t head_length(const uint8_t *frame) {
  return (frame[1] & 127) == 127 ? 10 : (frame[1] & 127) == 126 ? 4 : 2;
}

static uint64_t payload_length(const uint8_t *frame, size_t head) {
  uint64_t length = head == 2 ? frame[1] & 127 : 0;
  for (size_t i = 2; i < head; i++) length = length << 8 | frame[i];
  return length;
}

/* Bytes that a frame took, 0 if it isn't whole, or -1. */
static ssize_t answer(int fd, const uint8_t *frame, size_t length) {
  static uint8_t out[HEAD + LARGEST];
  if (length < 2 || length < head_length(frame) + MASK) return 0;
  size_t head = head_length(frame);
  uint64_t payload = payload_length(frame, head);
  if (payload > LARGEST || (frame[0] & 15) == CLOSE) return -1;
  if (length < head + MASK + payload) return 0;
  memcpy(out, frame, head);
  out[1] &= 127;
  unmask(out + head, frame + head + MASK, payload, frame + head);
  if ((frame[0] & 15) < CLOSE && !deliver(fd, out, head + payload)) return -1;
  return (ssize_t)(head + MASK + payload);
}

/* Bytes taken off the front, or -1 to close. */
static ssize_t use(int fd, const char *bytes, size_t length) {
  size_t used = 0;
  for (ssize_t took; used < length; used += (size_t)took) {
    took = clients[fd].role == NEW ? greet(fd, bytes + used, length - used)
                                   : answer(fd, (const uint8_t *)bytes + used, length - used);
    if (took < 0) return -1;
    if (took == 0) break;
  }
  return (ssize_t)used;
}

static void keep(client_t *client, const char *bytes, size_t length) {
  if (client->length + length > client->room) {
    client->room = client->length + length + 65536;
    client->kept = realloc(client->kept, client->room);
    if (!client->kept) exit(1);
  }
  memcpy(client->kept + client->length, bytes, length);
  client->length += length;
}

static bool use_kept(int fd, const char *bytes, size_t length) {
  client_t *client = &clients[fd];
  keep(client, bytes, length);
  ssize_t used = use(fd, client->kept, client->length);
  if (used < 0) return false;
  client->length -= (size_t)used;
  memmove(client->kept, client->kept + used, client->length);
  if (!client->length) forget(client);
  return true;
}

static void respond(int fd) {
  static char in[1 << 18];
  ssize_t got = read(fd, in, sizeof in), used = 0;
  bool open = got > 0;
  if (open && clients[fd].length) {
    open = use_kept(fd, in, (size_t)got);
  } else if (open) {
    used = use(fd, in, (size_t)got);
    open = used >= 0;
    if (open && used < got) keep(&clients[fd], in + used, (size_t)(got - used));
  }
  if (!open) end(fd);
}

int main(int argc, char **argv) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int listener = open_listener(argc > 1 ? atoi(argv[1]) : 3000), epoll = epoll_create1(0);
  struct epoll_event events[256];
  watch(epoll, listener);
  for (;;) {
    int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == listener)
        accept_all(epoll, listener);
      else
        respond(events[i].data.fd);
    }
  }
}
