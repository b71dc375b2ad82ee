#include "client.h"

#include "clock.h"
#include "inflate.h"
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PER_ADDRESS = 16000, ANSWER = 4096, CONTROL = 125, SMALL = 1300, BATCH = 512 };
enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

clients_t clients;

static int poller, next_to_open, opening;
static uint8_t scratch[1 << 18];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static bool is_opening(const client_t *client) { return client->state < OPEN; }

static void opened(client_t *client) {
  client->state = OPEN;
  opening--;
  clients.open++;
}

static void drop(client_t *client) {
  if (client->state == DEAD) return;
  if (is_opening(client))
    opening--, clients.failed++;
  else
    clients.open--, clients.closed++;
  client->state = DEAD;
  client->sending = false;
  close(client->fd);
  free(client->answer);
  free(client->packed);
  client->answer = NULL;
  client->packed = NULL;
}

static void watch_output(client_t *client, bool on) {
  if (client->watching_output == on) return;
  struct epoll_event event = {.events = EPOLLIN | (on ? EPOLLOUT : 0u), .data.ptr = client};
  client->watching_output = on;
  epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
}

/* --- out --- */

/* A small frame, while nothing else is under way: the socket has room for it. */
static void send_small(client_t *client, unsigned opcode, const char *text, size_t length) {
  uint8_t frame[SMALL + 14];
  if (length > SMALL) return;
  size_t head = message_head(frame, opcode, length);
  message_mask(frame + head, text, length, 0);
  if (send(client->fd, frame, head + length, MSG_NOSIGNAL) != (ssize_t)(head + length)) drop(client);
}

/* What is left of the message, in the three pieces that it has. */
static int pieces(const client_t *client, struct iovec out[3]) {
  const struct iovec all[3] = {{message.front, message.front_length},
                               {(uint8_t *)(uintptr_t)client->stamp, STAMP},
                               {message.rest, message.rest_length}};
  size_t skip = client->sent;
  int count = 0;
  for (int i = 0; i < 3; i++) {
    if (skip < all[i].iov_len)
      out[count++] = (struct iovec){(uint8_t *)all[i].iov_base + skip, all[i].iov_len - skip}, skip = 0;
    else
      skip -= all[i].iov_len;
  }
  return count;
}

static void flush(client_t *client) {
  size_t total = message.front_length + STAMP + message.rest_length;
  while (client->sent < total) {
    struct iovec vector[3];
    struct msghdr header = {.msg_iov = vector, .msg_iovlen = (size_t)pieces(client, vector)};
    ssize_t sent = sendmsg(client->fd, &header, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      watch_output(client, true);
      return;
    }
    if (sent < 0) {
      drop(client);
      return;
    }
    client->sent += (size_t)sent;
  }
  client->sending = false;
  watch_output(client, false);
  if (client->owes_pong) send_small(client, PONG, client->control, client->control_length);
  client->owes_pong = false;
}

void client_send(client_t *client, stamp_t stamp) {
  message_stamp(client->stamp, stamp);
  client->sending = true;
  client->sent = 0;
  client->waiting = stamp.time;
  flush(client);
}

/* --- the handshake --- */

static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* for the sample key of RFC 6455 */

static int connect_from(int index) {
  const int on = 1;
  const struct linger reset = {1, 0}; /* so that thousands leave nothing in TIME_WAIT */
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("wsload: socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (strncmp(options.host, "127.", 4) == 0) {
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + clients.first_address + (uint32_t)(index / PER_ADDRESS));
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("wsload: bind");
  }
  address.sin_port = htons((uint16_t)options.port);
  if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) die("wsload: --host");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS) return fd;
  close(fd);
  return -1;
}

static void start(client_t *client) {
  opening++;
  client->fd = connect_from(client->index);
  if (client->fd < 0) {
    opening--, clients.failed++;
    client->state = DEAD;
    return;
  }
  client->answer = malloc(ANSWER);
  client->watching_output = true;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
  if (!client->answer || epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event)) die("wsload: client");
}

static int request_events(char *out, size_t room, const char *path) {
  return snprintf(out, room,
                  "GET %s HTTP/1.1\r\nHost: %s:%d\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n",
                  path, options.host, options.port);
}

static int request_upgrade(char *out, size_t room, const char *path) {
  return snprintf(out, room,
                  "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                  "Origin: http://%s:%d\r\n%s%s\r\n",
                  path, options.host, options.port, options.host, options.port,
                  options.cable ? "Sec-WebSocket-Protocol: actioncable-v1-json\r\n" : "",
                  options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                                    "client_no_context_takeover\r\n"
                                  : "");
}

static void request(client_t *client) {
  char text[1024];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  const char *path = client->role == PUBLISHER ? options.pub_path : options.path;
  int length = (client->event_stream ? request_events : request_upgrade)(text, sizeof text, path);
  if (error || length >= (int)sizeof text || send(client->fd, text, (size_t)length, MSG_NOSIGNAL) != length) {
    drop(client);
    return;
  }
  client->state = UPGRADING;
  watch_output(client, false);
}

static bool is_accepted(const client_t *client) {
  if (client->event_stream)
    return strncmp(client->answer, "HTTP/1.1 200", 12) == 0 && strcasestr(client->answer, "text/event-stream");
  return strncmp(client->answer, "HTTP/1.1 101", 12) == 0 && strstr(client->answer, accepted);
}

/* A server may decline it, but not keep a context that was not offered. */
static bool agree_on_compression(client_t *client) {
  client->deflate = strcasestr(client->answer, "permessage-deflate");
  clients.deflated += client->deflate;
  return !client->deflate || (options.deflate && strcasestr(client->answer, "server_no_context_takeover"));
}

static void refuse(client_t *client) {
  static bool told;
  if (!told) fprintf(stderr, "wsload: upgrade refused: %.*s\n", (int)strcspn(client->answer, "\r"), client->answer);
  told = true;
  drop(client);
}

static void forget_answer(client_t *client) {
  free(client->answer);
  client->answer = NULL;
}

static void feed(client_t *client, const uint8_t *bytes, size_t length);

static void keep_answer(client_t *client, const uint8_t *bytes, size_t length) {
  size_t room = ANSWER - 1 - client->answer_length, part = length < room ? length : room;
  memcpy(client->answer + client->answer_length, bytes, part);
  client->answer_length += part;
  client->answer[client->answer_length] = 0;
}

/* Of the whole head, or 0. */
static size_t head_length(const client_t *client) {
  const char *blank = strstr(client->answer, "\r\n\r\n");
  return blank ? (size_t)(blank - client->answer) + 4 : 0;
}

static void feed_answer(client_t *client, const uint8_t *bytes, size_t length) {
  size_t before = client->answer_length;
  keep_answer(client, bytes, length);
  size_t head = head_length(client);
  if (!head && client->answer_length < ANSWER - 1) return;
  if (!head || !is_accepted(client) || !agree_on_compression(client)) {
    refuse(client);
    return;
  }
  forget_answer(client);
  if (options.cable && !client->event_stream)
    client->state = WELCOMED;
  else
    opened(client);
  size_t used = head - before;
  feed(client, bytes + used, length - used);
}

/* Action Cable: welcome, then the subscription, then its confirmation. */
static void greet(client_t *client) {
  char text[SMALL];
  if (client->state == CONFIRMING) {
    if (strstr(client->prefix, "confirm_subscription")) opened(client);
    if (strstr(client->prefix, "reject_subscription")) drop(client);
  } else if (strstr(client->prefix, "\"welcome\"")) {
    int length = snprintf(text, sizeof text, "{\"command\":\"subscribe\",\"identifier\":\"%s\"}",
                          message_identifier(client->role == PUBLISHER));
    client->state = CONFIRMING;
    send_small(client, TEXT, text, (size_t)length);
  }
}

/* --- in --- */

static void received(client_t *client) {
  stamp_t stamp;
  client->prefix[client->prefix_length] = 0;
  if (client->state != OPEN)
    greet(client);
  else if (client->role == SUBSCRIBER || client->role == ECHO) {
    bool found = message_find(client->prefix, client->prefix_length, &stamp);
    if (!options.cable && (!found || client->length != message.length)) clients.bad++;
    if (found) clients.on_message(client, stamp);
  }
}

static void keep_prefix(client_t *client, const uint8_t *bytes, size_t length) {
  size_t room = PREFIX - 1 - client->prefix_length, part = length < room ? length : room;
  memcpy(client->prefix + client->prefix_length, bytes, part);
  client->prefix_length += part;
}

static void take_text(client_t *client, const uint8_t *bytes, size_t length) {
  keep_prefix(client, bytes, length);
  if (client->role == ECHO && !options.cable && !message_same(bytes, length, client->length)) clients.bad++;
  client->length += length;
}

static void take_packed(client_t *client, const uint8_t *bytes, size_t length) {
  if (client->packed_length + length > client->packed_room) {
    client->packed_room = client->packed_length + length + 512;
    client->packed = realloc(client->packed, client->packed_room);
    if (!client->packed) die("wsload: compressed message");
  }
  memcpy(client->packed + client->packed_length, bytes, length);
  client->packed_length += length;
}

static void unpack(client_t *client) {
  size_t length;
  const uint8_t *text = inflate_message(client->packed, client->packed_length, &length);
  client->packed_length = 0;
  if (text)
    take_text(client, text, length);
  else
    clients.bad++;
}

static void end_of_frame(client_t *client) {
  client->head_length = 0;
  client->in_payload = false;
  if (client->opcode == CLOSE) {
    drop(client);
  } else if (client->opcode == PING) {
    clients.pings++;
    if (client->sending)
      client->owes_pong = true;
    else
      send_small(client, PONG, client->control, client->control_length);
  } else if (client->opcode < CLOSE && client->final) {
    if (client->compressed) unpack(client);
    received(client);
  }
}

/* A server masks nothing; the first reserved bit says that a message is compressed. */
static bool begin_frame(client_t *client) {
  uint8_t first = client->head[0], allowed = client->deflate ? 0x40 : 0;
  if ((client->head[1] & 0x80) || (first & 0x70 & ~allowed)) return false;
  client->opcode = first & 15;
  client->final = first & 0x80;
  client->left = client->head[1] & 127;
  if (client->head_length > 2) client->left = 0;
  for (unsigned i = 2; i < client->head_length; i++) client->left = client->left << 8 | client->head[i];
  if (client->opcode == TEXT || client->opcode == BINARY) {
    client->compressed = first & 0x40;
    client->length = client->prefix_length = 0;
  } else if (client->opcode >= CLOSE) {
    client->control_length = 0;
  }
  return client->in_payload = true;
}

static bool head_is_whole(const client_t *client) {
  unsigned length = client->head[1] & 127;
  return client->head_length >= 2 && client->head_length >= 2 + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

static void take(client_t *client, const uint8_t *bytes, size_t length) {
  if (client->opcode >= CLOSE) {
    if (client->control_length + length > CONTROL) return;
    memcpy(client->control + client->control_length, bytes, length);
    client->control_length += length;
  } else if (client->compressed) {
    take_packed(client, bytes, length);
  } else {
    take_text(client, bytes, length);
  }
}

static void feed_frames(client_t *client, const uint8_t *bytes, size_t length) {
  while (length && client->state != DEAD) {
    if (!client->in_payload) {
      client->head[client->head_length++] = *bytes++, length--;
      if (!head_is_whole(client)) continue;
      if (!begin_frame(client)) {
        clients.bad++;
        drop(client);
        return;
      }
    }
    size_t part = client->left < length ? (size_t)client->left : length;
    take(client, bytes, part);
    bytes += part, length -= part, client->left -= part;
    if (!client->left) end_of_frame(client);
  }
}

/* Each stamp is an event. What may be the beginning of one is kept. */
static void feed_events(client_t *client, const uint8_t *bytes, size_t length) {
  while (length) {
    size_t room = PREFIX - 1 - client->prefix_length, part = length < room ? length : room;
    keep_prefix(client, bytes, part);
    bytes += part, length -= part;
    char *from = client->prefix, *end = client->prefix + client->prefix_length, *at;
    stamp_t stamp;
    while ((at = memmem(from, (size_t)(end - from), "WSL:", 4)) && at + STAMP <= end) {
      if (!message_find(at, STAMP, &stamp))
        clients.bad++;
      else if (client->role == SUBSCRIBER)
        clients.on_message(client, stamp);
      from = at + STAMP;
    }
    if (at)
      from = at;
    else if (end - from > 3)
      from = end - 3;
    client->prefix_length = (size_t)(end - from);
    memmove(client->prefix, from, client->prefix_length);
  }
}

static void feed(client_t *client, const uint8_t *bytes, size_t length) {
  if (client->state == OPEN) clients.bytes += length;
  if (client->event_stream)
    feed_events(client, bytes, length);
  else
    feed_frames(client, bytes, length);
}

static void read_some(client_t *client) {
  ssize_t got = recv(client->fd, scratch, sizeof scratch, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    drop(client);
    return;
  }
  clients.now = clock_now();
  (client->state == UPGRADING ? feed_answer : feed)(client, scratch, (size_t)got);
}

/* --- the loop --- */

static void on_event(client_t *client, uint32_t events) {
  if (client->state == CONNECTING) {
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) request(client);
    return;
  }
  if (client->state != DEAD && events & EPOLLOUT && client->sending) flush(client);
  if (client->state != DEAD && events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_some(client);
}

void clients_turn(uint64_t nanoseconds) {
  static struct epoll_event events[BATCH];
  while (opening < options.window && next_to_open < clients.count) start(&clients.at[next_to_open++]);
  struct timespec wait = {(time_t)(nanoseconds / SECOND), (long)(nanoseconds % SECOND)};
  int count = epoll_pwait2(poller, events, BATCH, &wait, NULL);
  if (count < 0 && errno != EINTR) die("wsload: epoll_pwait2");
  for (int i = 0; i < count; i++) {
    on_event(events[i].data.ptr, events[i].events);
    if (i % 32 == 31 && clients.between) clients.between();
  }
  clients.now = clock_now();
}

void clients_until(uint64_t time) {
  while ((clients.now = clock_now()) < time) clients_turn(time - clients.now);
}

void clients_set_role(client_t *client, role_t role) {
  client->role = role;
  client->event_stream = options.sse && (role == SUBSCRIBER || role == IDLE);
}

void clients_prepare(int count, role_t role) {
  clients.count = count;
  clients.at = calloc((size_t)count, sizeof *clients.at);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (!clients.at || poller < 0) die("wsload: clients");
  for (int i = 0; i < count; i++) {
    clients.at[i].index = i;
    clients_set_role(&clients.at[i], role);
  }
}

static void give_up(void) {
  clients.failed += clients.count - next_to_open;
  clients.count = next_to_open;
  for (int i = 0; i < clients.count; i++)
    if (is_opening(&clients.at[i])) drop(&clients.at[i]);
}

void clients_open(void) {
  uint64_t since = clock_now();
  for (int before = -1, done; (done = clients.open + clients.failed + clients.closed) < clients.count;) {
    if (done != before) before = done, since = clients.now = clock_now();
    if (clients.now - since > 10ull * SECOND) give_up();
    clients_turn(SECOND / 5);
  }
}
