/* Listeners that somebody else has bound, and that go on to somebody else. */
#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/server.h"
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const iod_settings_t settings = {.backlog = 8, .mode = 0600};
static char sentence[IOD_SENTENCE_ROOM];

static void on_released(iod_release_job_t *job) { (void)job; }

static iod_server_t *new_server(void) { return iod_server_new(1, on_released); }

static int take(iod_server_t *server, int fd, iod_listener_t **listener) {
  sentence[0] = 0;
  return iod_listener_take(server, fd, &settings, NULL, listener, sentence);
}

TEST(listeners_go_on_to_another_server) {
  iod_listener_t *old, *new;
  iod_peer_t peer;
  iod_server_t *before = new_server(), *after = new_server();
  CHECK_INT(iod_listener_add(before, true, "127.0.0.1", 0, &settings, NULL, &old, sentence), 0);

  test_case("the descriptor is found by the name");
  int fd = dup(iod_listener_descriptor(before, old->name));
  CHECK(fd >= 0);
  CHECK_INT(iod_listener_descriptor(before, "127.0.0.1:1"), IOD_E_CLOSED);

  test_case("its name is the same, and it is prepared once more");
  CHECK_INT(take(after, fd, &new), 0);
  CHECK(new->tcp &&new->fd == fd &&strcmp(new->name, old->name) == 0);
  CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);

  test_case("what waited when the first one closed is accepted by the other");
  unsigned port = (unsigned)atoi(strchr(new->name, ':') + 1);
  int client = iod_socket_connect_tcp("127.0.0.1", (uint16_t)port, &peer, sentence);
  CHECK(client >= 0);
  iod_server_close(before);
  CHECK_INT(iod_listener_descriptor(before, new->name), IOD_E_CLOSED);
  CHECK(send(client, "x", 1, 0) == 1); /* it is handed over with its first byte */
  int accepted;
  for (int i = 0; (accepted = iod_socket_accept(fd, true, &peer)) < 0 && i < 1000; i++) usleep(1000);
  CHECK(accepted >= 0);
  close(accepted);
  close(client);
  iod_server_free(before);
  iod_server_free(after);
}

TEST(unix_listeners_are_taken_over) {
  char path[64], template[] = "/tmp/iodine-listener-XXXXXX";
  iod_listener_t *listener;
  CHECK(mkdtemp(template) != NULL);
  snprintf(path, sizeof path, "%s/socket", template);
  int fd = iod_socket_listen_unix(path, 0640, 8, sentence);
  iod_server_t *server = new_server();

  test_case("by their path, and the file stays as it is");
  struct stat file;
  CHECK_INT(take(server, fd, &listener), 0);
  CHECK(!listener->tcp);
  CHECK_BYTES(listener->name, strlen(listener->name), path);
  CHECK_INT(stat(path, &file), 0);
  CHECK_INT(file.st_mode & 0777, 0640);
  unlink(path);
  rmdir(template);

#ifdef __linux__
  test_case("one without a file has a name with @");
  struct sockaddr_un nameless = {.sun_family = AF_UNIX, .sun_path = "\0iodine-test"};
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_INT(bind(fd, (struct sockaddr *)&nameless, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 12)), 0);
  CHECK_INT(listen(fd, 8), 0);
  CHECK_INT(take(server, fd, &listener), 0);
  CHECK_BYTES(listener->name, strlen(listener->name), "@iodine-test");
#endif
  iod_server_free(server);
}

TEST(what_does_not_listen_is_not_taken_over) {
  iod_listener_t *listener;
  iod_server_t *server = new_server();
  int pair[2], silent = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  int wrong[] = {pair[0], silent, datagrams, 9999};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    test_case("with a sentence that names the descriptor");
    char expected[IOD_SENTENCE_ROOM];
    snprintf(expected, sizeof expected, "can't take over descriptor %d: it is no listening stream socket", wrong[i]);
    CHECK_INT(take(server, wrong[i], &listener), IOD_E_SYSTEM);
    CHECK_BYTES(sentence, strlen(sentence), expected);
    CHECK_INT(server->listener_count, 0);
  }
  close(pair[0]);
  close(pair[1]);
  close(silent);
  close(datagrams);
  iod_server_free(server);
}

static int kept;

static void take_one(void) {
  iod_listener_t *listener;
  iod_server_t *server = new_server();
  if (!server) return;
  int fd = dup(kept), result = take(server, fd, &listener);
  CHECK(result == 0 || result == IOD_E_NOMEM);
  if (result) close(fd);
  iod_server_free(server);
}

TEST(taking_over_survives_without_memory) {
  char name[IOD_ADDRESS_ROOM];
  kept = iod_socket_listen_tcp("127.0.0.1", 0, 8, name, sentence);
  test_case("the descriptor stays the caller's");
  test_each_allocation_fails(take_one);
  close(kept);
}
