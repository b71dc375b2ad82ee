/* A listener that tells how its server is doing, while no application thread is there at all. */
#include "../../../ext/iodine/server/server.h"
#include "../test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static iod_server_t *server;
static iod_listener_t *inside, *outside;
static char heard[65536];

static void nothing(iod_release_job_t *job) { (void)job; }

static iod_listener_t *listen_with(iod_inside_t *told) {
  char sentence[IOD_SENTENCE_ROOM];
  iod_listener_t *listener;
  iod_settings_t settings = {.keep_alive = 5000,
                             .head_timeout = 5000,
                             .body_timeout = 5000,
                             .write_timeout = 5000,
                             .limits = {8192, 4096, 4096, 64, 1024},
                             .backlog = 64,
                             .inside = told};
  CHECK_INT(iod_listener_add(server, true, "127.0.0.1", 0, &settings, NULL, &listener, sentence), 0);
  return listener;
}

static void begin(iod_server_t *workers) {
  server = iod_server_new(1, nothing);
  if (workers) iod_server_lead(server, workers);
  inside = listen_with(iod_inside_new(IOD_SLICE("<p>page</p>"), IOD_SLICE("default-src 'none'")));
  outside = listen_with(NULL);
  CHECK_INT(iod_server_open(server, 0), 0);
}

static void end(void) {
  iod_crew_halt(server);
  iod_server_close(server);
  iod_server_free(server);
}

static int dial(const iod_listener_t *listener) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  a.sin_port = htons((uint16_t)atoi(strrchr(listener->name, ':') + 1));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
  return fd;
}

/* What comes until the end. */
static const char *ask(const char *text) {
  int fd = dial(inside);
  size_t length = 0;
  CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
  for (struct pollfd ready = {.fd = fd, .events = POLLIN}; poll(&ready, 1, 15000) > 0;) {
    ssize_t n = recv(fd, heard + length, sizeof heard - 1 - length, 0);
    if (n <= 0) break;
    length += (size_t)n;
  }
  heard[length] = 0;
  close(fd);
  return heard;
}

#define GET(path) ask("GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

static bool begins_with(const char *text, const char *head) { return strncmp(text, head, strlen(head)) == 0; }
static bool has(const char *text, const char *part) { return strstr(text, part) != NULL; }

TEST(inside_tells) {
  begin(NULL);
  test_case("each place has its kind of text");
  CHECK(begins_with(GET("/health"), "HTTP/1.1 200 OK\r\n") && has(heard, "\r\n\r\nok\n"));
  CHECK(begins_with(GET("/metrics"), "HTTP/1.1 200 OK\r\n") && has(heard, "content-type: text/plain; version=0.0.4;"));
  CHECK(begins_with(GET("/stats?x=1"), "HTTP/1.1 200 OK\r\n") && has(heard, "content-type: application/json\r\n"));
  CHECK(has(heard, "\r\n\r\n{\"started\":"));
  CHECK(begins_with(GET("/"), "HTTP/1.1 200 OK\r\n") && has(heard, "content-type: text/html; charset=utf-8\r\n"));
  CHECK(has(heard, "\r\ncontent-security-policy: default-src 'none'\r\n") && has(heard, "\r\n\r\n<p>page</p>"));

  test_case("nothing else is there, and nothing can be sent to it");
  CHECK(begins_with(GET("/stats/"), "HTTP/1.1 404 ") && has(heard, "\r\n\r\nNot Found\n"));
  CHECK(begins_with(GET("//health"), "HTTP/1.1 404 "));
  CHECK(begins_with(ask("POST /stats HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
                    "HTTP/1.1 405 "));
  CHECK(has(heard, "\r\nallow: GET, HEAD\r\n"));
  CHECK(begins_with(ask("POST /stats HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"), "HTTP/1.1 413 "));

  test_case("HEAD has the head alone");
  CHECK(begins_with(ask("HEAD /health HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
  CHECK(has(heard, "\r\ncontent-length: 3\r\n") && !has(heard, "ok\n"));

  test_case("a connection is kept");
  CHECK(has(ask("GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            "\r\n\r\nok\nHTTP/1.1 404 "));

  test_case("what was asked here isn't counted");
  CHECK(has(GET("/stats"), "\"total\":0,") && has(heard, "\"accepted\":0,") && has(heard, "\"in\":0,"));
  CHECK(has(heard, "\"connections\":{\"http_active\":0,\"http_idle\":0,"));
  end();
}

TEST(inside_tells_of_readiness) {
  begin(NULL);
  test_case("ready");
  CHECK(begins_with(GET("/ready"), "HTTP/1.1 200 OK\r\n") && has(heard, "ready: 1 of 1 workers\n"));

  test_case("not while requests wait and nobody takes them");
  int fd = dial(outside);
  CHECK(send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL) == 27);
  for (int i = 0; i < 300 && !begins_with(GET("/ready"), "HTTP/1.1 503 "); i++) usleep(50000);
  CHECK(has(heard, "not ready: requests wait"));
  CHECK(has(GET("/stats"), "\"waiting\":1,") && has(heard, "\"http_active\":1,") && has(heard, "\"accepted\":1,"));
  CHECK(begins_with(GET("/health"), "HTTP/1.1 200 "));

  test_case("nor while it drains");
  iod_server_drain(server);
  CHECK(begins_with(GET("/ready"), "HTTP/1.1 503 ") && has(heard, "no worker serves"));
  CHECK_INT(iod_server_busy(server), 1); /* the request outside */
  close(fd);
  end();
}

TEST(inside_tells_of_workers) {
  iod_server_t *workers = iod_server_new(2, nothing);
  begin(workers);
  test_case("the root tells of its workers, and counts as the root");
  CHECK(has(GET("/ready"), "no worker serves"));
  iod_shared_enter(&workers->shared, 1);
  CHECK(has(GET("/ready"), "ready: 1 of 1 workers\n"));
  CHECK(has(GET("/stats"), "{\"worker\":2,") && has(heard, "\"root\":{\"pid\":"));
  CHECK(server->stats == iod_shared_root(&workers->shared));

  test_case("a worker that is gone is not told of");
  iod_server_vacate(workers, 1);
  CHECK(has(GET("/stats"), "\"workers\":[],"));
  end();
  iod_server_free(workers);
}
