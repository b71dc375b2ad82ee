#include "../../../ext/iodine/reactor/poller.h"
#include "../../../ext/iodine/reactor/socket.h"
#include "../../../ext/iodine/reactor/wake.h"
#include "../test.h"

#include <sys/socket.h>
#include <unistd.h>

/* All flags told for a token within a moment. */
static uint8_t told(iod_poller_t *poller, uint64_t token) {
  iod_event_t events[8];
  uint8_t flags = 0;
  for (int n, round = 0; round < 4 && (n = iod_poller_wait(poller, events, 8, 5)) > 0; round++)
    for (int i = 0; i < n; i++)
      if (events[i].token == token) flags |= events[i].flags;
  return flags;
}

TEST(poller_streams_are_edge_triggered) {
  test_case("a change is told once, the next one again");
  iod_poller_t poller;
  int ends[2];
  CHECK_INT(iod_poller_init(&poller), 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK_INT(iod_socket_prepare(ends[0]), 0);
  CHECK_INT(iod_poller_add_stream(&poller, ends[0], 7ull << 32 | 9), 0);
  CHECK_INT(told(&poller, 7ull << 32 | 9), 0);
  CHECK_INT(iod_poller_watch_writes(&poller, ends[0], 7ull << 32 | 9), 0);
  CHECK_INT(told(&poller, 7ull << 32 | 9), IOD_WRITABLE);
  CHECK_INT(told(&poller, 7ull << 32 | 9), 0);
  CHECK(write(ends[1], "x", 1) == 1);
  CHECK(told(&poller, 7ull << 32 | 9) & IOD_READABLE);
  CHECK_INT(told(&poller, 7ull << 32 | 9), 0);
  shutdown(ends[1], SHUT_WR);
  CHECK((told(&poller, 7ull << 32 | 9) & (IOD_PEER_CLOSED | IOD_BROKEN)) == IOD_PEER_CLOSED);
  close(ends[1]);
  CHECK(told(&poller, 7ull << 32 | 9) & IOD_BROKEN);
  iod_poller_remove(&poller, ends[0]);
  close(ends[0]);
  iod_poller_deinit(&poller);
}

TEST(poller_sources_are_level_triggered) {
  test_case("what is ready is told until it is not, and not after it was removed");
  iod_poller_t poller;
  iod_wake_t wake;
  CHECK_INT(iod_poller_init(&poller), 0);
  CHECK_INT(iod_wake_init(&wake), 0);
  CHECK_INT(iod_poller_add_source(&poller, wake.read_fd, 3), 0);
  CHECK_INT(told(&poller, 3), 0);
  iod_wake_send(&wake), iod_wake_send(&wake);
  CHECK_INT(told(&poller, 3), IOD_READABLE);
  CHECK_INT(told(&poller, 3), IOD_READABLE);
  iod_wake_clear(&wake);
  CHECK_INT(told(&poller, 3), 0);
  iod_wake_send(&wake);
  iod_poller_remove(&poller, wake.read_fd);
  CHECK_INT(told(&poller, 3), 0);
  iod_wake_deinit(&wake);
  iod_poller_deinit(&poller);
}
