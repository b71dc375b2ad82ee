/* The floor under any HTTP server: one epoll loop, a constant answer for each end of a head, one write a readable
 * socket.
 *
 *   cc -O2 limit.c -o limit && ./limit PORT
 *
 * It parses nothing and keeps nothing: what it costs is what the kernel's sockets cost. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "content-type: text/plain\r\n"
                             "content-length: 11\r\n"
                             "date: Sun, 22 Nov 2026 00:00:00 GMT\r\n\r\n"
                             "Hello World";

static int on = 1;

static int open_listener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
    perror("limit: can't listen");
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

static void respond(int fd) {
  static char in[65536], out[1 << 20];
  ssize_t got = read(fd, in, sizeof in);
  if (got <= 0) {
    close(fd);
    return;
  }
  size_t length = 0, size = sizeof answer - 1;
  for (char *p = in; (p = memmem(p, (size_t)(in + got - p), "\r\n\r\n", 4)); p += 4)
    if (length + size < sizeof out) memcpy(out + length, answer, size), length += size;
  if (length && write(fd, out, length) < 0) close(fd);
}

int main(int argc, char **argv) {
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
