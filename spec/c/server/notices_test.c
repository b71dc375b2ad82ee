#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"
#include "processes.h"

#include <stdio.h>

static iod_watcher_t *watch(iod_server_t *server, const char *name) { return process_watch(server, name, false, 1); }

TEST(notices_of_names) {
  iod_server_t *server = process_open();
  iod_watcher_t *a = watch(server, "a");
  test_case("names that nobody asked for are none");
  HEARD(server, "");
  iod_notices_list(server);
  HEARD(server, "listing +a listed ");
  iod_watcher_t *b = watch(server, "b");
  process_unwatch(a);
  HEARD(server, "+b -a ");
  test_case("all again, in their order with what comes and goes");
  process_unwatch(b);
  iod_watcher_t *c = watch(server, "c");
  iod_notices_list(server);
  process_unwatch(c);
  HEARD(server, "-b +c listing +c listed -c ");
  process_close(server);
}

static void come_and_go(iod_server_t *server, iod_subscriber_t *subscriber, int number) {
  char name[32];
  iod_subscribing_t how = {.deliver = IOD_DELIVER_STRAND};
  snprintf(name, sizeof name, "name %d", number);
  how.name = slice(name);
  CHECK_INT(iod_pubsub_subscribe(server, subscriber, &how), 0);
  if (number > 0) CHECK(iod_pubsub_drop(server, subscriber, how.name, false));
}

/* How many notices there were. */
static uint32_t forget_notices(iod_server_t *server) {
  uint32_t count = 0;
  for (iod_message_t *m; iod_notices_take(server, &m); iod_message_free(m)) count++;
  iod_notices_rest(server);
  return count;
}

TEST(notices_that_are_too_many) {
  enum { MOST = 1 << 19 };
  iod_server_t *server = process_open();
  iod_strand_t strand;
  iod_strand_init(&strand, server, IOD_JOB_WATCHER);
  iod_subscriber_t subscriber = {.strand = &strand};
  iod_notices_list(server);
  HEARD(server, "listing listed ");
  test_case("no more of them wait than may, whatever comes and goes");
  for (int i = 0; i < MOST / 2 + 100; i++) come_and_go(server, &subscriber, i);
  CHECK(iod_jobs_take(&server->jobs) == &server->notices.strand.job);
  CHECK_INT(forget_notices(server), MOST);
  test_case("then those that are there are told again, and what comes from then on");
  come_and_go(server, &subscriber, 1);
  HEARD(server, "listing +name 0 listed +name 1 -name 1 ");
  iod_pubsub_leave(server, &subscriber);
  process_close(server);
}

static int say(iod_server_t *server, uint8_t type, const char *text, uint64_t id) {
  char bytes[64];
  iod_cluster_frame_t f = {.type = type, .id = id, .flags = IOD_CLUSTER_ENGINE, .message = slice(text)};
  int64_t length = iod_cluster_frame_length(&f);
  iod_cluster_frame_write(bytes, &f);
  return iod_notices_frame(server, type == IOD_CLUSTER_COMMAND ? IOD_NOTICE_COMMAND : IOD_NOTICE_REPLY,
                           (iod_slice_t){bytes, (size_t)length}, 0);
}

TEST(notices_of_frames) {
  iod_server_t *server = process_open();
  test_case("in order, and the end of the link behind them");
  iod_notices_unlinked(server);
  CHECK_INT(say(server, IOD_CLUSTER_COMMAND, "do", 1), 0);
  CHECK_INT(say(server, IOD_CLUSTER_REPLY, "done", 1), 0);
  HEARD(server, "command(,do) reply(done) unlinked ");
  HEARD(server, "");
  test_case("no more than may wait");
  size_t length = 1 << 20;
  char *large = iod_alloc_zero(length);
  int count = 0;
  while (count < 100 && iod_notices_frame(server, IOD_NOTICE_REPLY, (iod_slice_t){large, length}, 0) == 0) count++;
  CHECK_INT(count, 64);
  CHECK_INT(iod_notices_frame(server, IOD_NOTICE_REPLY, (iod_slice_t){large, 0}, 0), IOD_E_FULL);
  iod_free(large);
  process_close(server);
}

static void live(void) {
  long countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  iod_server_t *server = process_open();
  iod_watcher_t *a = watch(server, "a");
  iod_alloc_countdown = countdown;
  iod_notices_list(server);
  int result = say(server, IOD_CLUSTER_REPLY, "x", 1);
  CHECK(result == 0 || result == IOD_E_NOMEM);
  process_unwatch(a);
  bool whole = !atomic_load(&server->notices.stale);
  countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  const char *heard = process_heard(server);
  if (whole) CHECK(strncmp(heard, "listing +a listed ", 18) == 0);
  if (!whole && heard[0]) CHECK(strstr(heard, "listing listed ") != NULL); /* once there was memory again */
  process_close(server);
  iod_alloc_countdown = countdown;
}

TEST(notices_without_memory) { test_each_allocation_fails(live); }
