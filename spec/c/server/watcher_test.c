#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"
#include "processes.h"

static iod_watcher_t *watch(iod_server_t *server) { return process_watch(server, "a", false, 7); }

/* Its job, as an application thread takes it. */
static iod_watcher_t *taken(iod_server_t *server) { return (iod_watcher_t *)iod_jobs_take(&server->jobs); }

static void say(iod_server_t *server, const char *message) { process_publish(server, "a", message, IOD_SCOPE_PROCESS); }

TEST(watchers_keep_order) {
  iod_server_t *server = process_open();
  iod_watcher_t *w = watch(server);
  test_case("many messages are one job");
  say(server, "1");
  say(server, "2");
  CHECK(taken(server) == w);
  CHECK(!taken(server));
  iod_message_t *m = iod_strand_take(&w->strand);
  CHECK(m && m->id == 7);
  CHECK_BYTES(m->publication->message->bytes, m->publication->message->length, "1");
  iod_message_free(m);
  test_case("what comes meanwhile is left to whoever has the job");
  say(server, "3");
  CHECK(!taken(server));
  test_case("with more to do it is queued again");
  iod_watcher_rest(w);
  CHECK(taken(server) == w);
  for (const char *text = "23"; *text; text++) {
    m = iod_strand_take(&w->strand);
    CHECK(m && m->publication->message->bytes[0] == *text);
    iod_message_free(m);
  }
  CHECK(!iod_strand_take(&w->strand));
  iod_watcher_rest(w);
  CHECK(!taken(server));
  process_unwatch(w);
  process_close(server);
}

TEST(watchers_end) {
  static const struct {
    const char *name;
    bool told, running; /* something waits; its job is run just now */
  } cases[] = {
      {"idle", false, false},
      {"with a message that nobody has taken", true, false},
      {"in the middle of its job", false, true},
      {"in the middle of its job, with more to come", true, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iod_server_t *server = process_open();
    iod_watcher_t *w = watch(server);
    test_case(cases[i].name);
    if (cases[i].running) {
      say(server, "1");
      CHECK(taken(server) == w);
      iod_message_free(iod_strand_take(&w->strand));
    }
    if (cases[i].told) say(server, "2");
    process_unwatch(w);
    CHECK_INT(server->pubsub.channels.count, 0);
    say(server, "3"); /* to nobody */
    if (cases[i].running) iod_watcher_rest(w);
    for (iod_watcher_t *job; (job = taken(server));) {
      CHECK(job == w);
      iod_message_free(iod_strand_take(&job->strand));
      iod_watcher_rest(job); /* frees it when there is nothing more */
    }
    CHECK_INT(server->pubsub.told, 0);
    process_close(server);
  }
  test_case("with its server, which drops its job");
  iod_server_t *server = process_open();
  CHECK(watch(server) != NULL);
  say(server, "1");
  process_close(server);
}

static void live(void) {
  long countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  iod_server_t *server = process_open();
  iod_alloc_countdown = countdown;
  iod_watcher_t *w = watch(server);
  CHECK_INT(server->pubsub.channels.count, w != NULL);
  process_unwatch(w);
  process_close(server);
}

TEST(watchers_without_memory) { test_each_allocation_fails(live); }
