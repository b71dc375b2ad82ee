#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"
#include "processes.h"

#include <stdio.h>
#include <stdlib.h>

static iod_watcher_t *watch(iod_server_t *server, const char *name, bool pattern, uint64_t id) {
  return process_watch(server, name, pattern, id);
}

TEST(pubsub_tells_whom_it_concerns) {
  static const struct {
    const char *name, *subscribed[3]; /* ids 1, 2, 3; those with a * are patterns */
    const char *channel, *heard;
  } cases[] = {
      {"the name alone", {"chat", "chats", "cha"}, "chat", "1 chat=x "},
      {"nobody", {"chat"}, "Chat", ""},
      {"all who are subscribed to it", {"a", "a", "b"}, "a", "1 a=x 2 a=x "},
      {"by name and by pattern", {"room.1", "room.*", "*"}, "room.1", "1 room.1=x 2 room.1=x 3 room.1=x "},
      {"a name that looks like a pattern", {"*", "a"}, "*", "1 *=x "},
      {"no name", {"", "*"}, "", "1 =x "},
      {"another pattern", {"x*"}, "y", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iod_watcher_t *watchers[3] = {0};
    iod_server_t *server = process_open();
    test_case(cases[i].name);
    for (int n = 0; n < 3; n++) {
      const char *name = cases[i].subscribed[n];
      if (name) watchers[n] = watch(server, name, strchr(name, '*') && i != 4, (uint64_t)n + 1);
    }
    process_publish(server, cases[i].channel, "x", IOD_SCOPE_PROCESS);
    const char *heard = process_heard(server);
    CHECK_INT(strlen(heard), strlen(cases[i].heard));
    for (const char *at = cases[i].heard; *at; at = strchr(at, ' ') + 1) { /* patterns come in any order */
      char one[32];
      snprintf(one, sizeof one, "%.*s", (int)(strchr(strchr(at, ' ') + 1, ' ') - at) + 1, at);
      CHECK(strstr(heard, one) != NULL);
      at = strchr(at, ' ') + 1;
    }
    for (int n = 0; n < 3; n++) process_unwatch(watchers[n]);
    process_close(server);
  }
}

TEST(pubsub_subscriptions_come_and_go) {
  iod_server_t *server = process_open();
  iod_strand_t strand;
  iod_strand_init(&strand, server, IOD_JOB_WATCHER);
  iod_subscriber_t subscriber = {.strand = &strand};
  iod_subscribing_t how = {.name = slice("a"), .deliver = IOD_DELIVER_STRAND, .id = 1};
  test_case("the same name again replaces");
  CHECK_INT(iod_pubsub_subscribe(server, &subscriber, &how), 0);
  how.id = 2;
  CHECK_INT(iod_pubsub_subscribe(server, &subscriber, &how), 0);
  CHECK_INT(subscriber.count, 1);
  process_publish(server, "a", "x", IOD_SCOPE_PROCESS);
  iod_message_t *message = iod_strand_take(&strand);
  CHECK(message && message->id == 2);
  iod_message_free(message);
  CHECK(!iod_strand_take(&strand));

  test_case("a pattern of the same name is another one, and both end together");
  how.pattern = true;
  CHECK_INT(iod_pubsub_subscribe(server, &subscriber, &how), 0);
  CHECK_INT(subscriber.count, 2);
  CHECK(iod_pubsub_unsubscribe(server, &subscriber, slice("a")));
  CHECK(!iod_pubsub_unsubscribe(server, &subscriber, slice("a")));
  CHECK_INT(subscriber.count, 0);

  test_case("each alone");
  CHECK_INT(iod_pubsub_subscribe(server, &subscriber, &how), 0);
  CHECK(!iod_pubsub_drop(server, &subscriber, slice("a"), false));
  CHECK(iod_pubsub_drop(server, &subscriber, slice("a"), true));

  test_case("who has left takes no more");
  CHECK_INT(iod_pubsub_subscribe(server, &subscriber, &how), 0);
  iod_pubsub_leave(server, &subscriber);
  CHECK(!subscriber.first);
  CHECK_INT(iod_pubsub_subscribe(server, &subscriber, &how), IOD_E_CLOSED);
  CHECK_INT(server->pubsub.channels.count + server->pubsub.patterns.count, 0);
  CHECK(iod_jobs_remove(&server->jobs, &strand.job));
  iod_strand_deinit(&strand);
  process_close(server);
}

TEST(pubsub_names_are_noted_once) {
  iod_server_t *server = process_open();
  iod_watcher_t *a = watch(server, "a", false, 1);
  test_case("only when somebody wants to know");
  CHECK_BYTES(process_heard(server), strlen(process_heard(server)), "");
  iod_notices_list(server);
  const char *heard = process_heard(server);
  CHECK_BYTES(heard, strlen(heard), "listing +a listed ");
  test_case("the first and the last subscriber");
  iod_watcher_t *b = watch(server, "a", false, 2), *c = watch(server, "a", true, 3);
  process_unwatch(a);
  process_unwatch(b);
  process_unwatch(c);
  heard = process_heard(server);
  CHECK_BYTES(heard, strlen(heard), "+a* -a -a* ");
  process_close(server);
}

/* By one subscriber and by many: no list is walked for each. */
TEST(pubsub_a_hundred_thousand_channels) {
  enum { CHANNELS = 100000 };
  iod_server_t *server = process_open();
  iod_strand_t strand;
  char name[32];
  iod_strand_init(&strand, server, IOD_JOB_WATCHER);
  iod_subscriber_t one = {.strand = &strand}, *many = iod_alloc_zero(CHANNELS * sizeof *many);
  for (int i = 0; i < CHANNELS; i++) {
    iod_subscribing_t how = {.deliver = IOD_DELIVER_STRAND, .id = (uint64_t)i, .name = {name, 0}};
    how.name.length = (size_t)snprintf(name, sizeof name, "channel %d", i);
    if (iod_pubsub_subscribe(server, &one, &how)) break;
    how.name = slice("all");
    many[i].strand = &strand;
    if (iod_pubsub_subscribe(server, &many[i], &how)) break;
  }
  test_case("one is subscribed to all");
  CHECK_INT(one.count, CHANNELS);
  process_publish(server, "channel 99999", "x", IOD_SCOPE_PROCESS);
  process_publish(server, "channel 100000", "x", IOD_SCOPE_PROCESS);
  CHECK_INT(strand.count, 1);
  test_case("all are subscribed to one");
  process_publish(server, "all", "x", IOD_SCOPE_PROCESS);
  CHECK_INT(strand.count, CHANNELS + 1);
  test_case("each can end");
  for (int i = 0; i < CHANNELS; i += 2) {
    snprintf(name, sizeof name, "channel %d", i);
    if (!iod_pubsub_unsubscribe(server, &one, slice(name))) break;
    iod_pubsub_leave(server, &many[i]);
  }
  CHECK_INT(one.count, CHANNELS / 2);
  iod_pubsub_leave(server, &one);
  for (int i = 1; i < CHANNELS; i += 2) iod_pubsub_leave(server, &many[i]);
  CHECK_INT(server->pubsub.channels.count, 0);
  CHECK(iod_jobs_remove(&server->jobs, &strand.job));
  iod_strand_deinit(&strand);
  CHECK_INT(server->pubsub.told, 0);
  iod_free(many);
  process_close(server);
}

/* ---- at random, beside a table ---- */

enum { WHO = 8, WHAT = 6, STEPS = 20000 };

static void compare(iod_server_t *server, iod_strand_t *strands, bool (*table)[WHAT]) {
  static const char *const names[WHAT] = {"a", "b", "ab", "a*", "*b", "?"};
  for (int channel = 0; channel < 3; channel++) {
    process_publish(server, names[channel], "x", IOD_SCOPE_PROCESS);
    for (int who = 0; who < WHO; who++) {
      unsigned expected = table[who][channel];
      for (int what = 3; what < WHAT; what++) {
        static const bool matches[3][3] = {{true, false, true}, {false, true, true}, {true, true, false}};
        expected += table[who][what] && matches[channel][what - 3];
      }
      CHECK_INT(strands[who].count, expected);
      for (iod_message_t *m; (m = iod_strand_take(&strands[who]));) iod_message_free(m);
    }
  }
}

TEST(pubsub_at_random) {
  static const char *const names[WHAT] = {"a", "b", "ab", "a*", "*b", "?"};
  iod_server_t *server = process_open();
  iod_strand_t strands[WHO];
  iod_subscriber_t subscribers[WHO] = {0};
  bool table[WHO][WHAT] = {0};
  unsigned seed = 5;
  for (int i = 0; i < WHO; i++) {
    iod_strand_init(&strands[i], server, IOD_JOB_WATCHER);
    subscribers[i].strand = &strands[i];
  }
  for (int i = 0; i < STEPS; i++) {
    int who = rand_r(&seed) % WHO, what = rand_r(&seed) % WHAT;
    iod_subscribing_t how = {.name = slice(names[what]), .pattern = what > 2, .deliver = IOD_DELIVER_STRAND};
    if (rand_r(&seed) % 2) {
      if (iod_pubsub_subscribe(server, &subscribers[who], &how)) abort();
      table[who][what] = true;
    } else {
      bool was = iod_pubsub_drop(server, &subscribers[who], how.name, how.pattern);
      if (was != table[who][what]) CHECK_INT(was, table[who][what]);
      table[who][what] = false;
    }
    if (i % 50 == 0) compare(server, strands, table);
  }
  compare(server, strands, table);
  for (int i = 0; i < WHO; i++) {
    iod_pubsub_leave(server, &subscribers[i]);
    iod_jobs_remove(&server->jobs, &strands[i].job);
    iod_strand_deinit(&strands[i]);
  }
  process_close(server);
}

/* ---- limits ---- */

TEST(pubsub_refuses_what_is_too_long_for_others) {
  static const struct {
    const char *name;
    size_t channel, message;
    iod_scope_t scope;
    int result;
  } cases[] = {
      {"a name as long as may be", IOD_NAME_MAX, 1, IOD_SCOPE_CLUSTER, 0},
      {"a longer one", IOD_NAME_MAX + 1, 1, IOD_SCOPE_CLUSTER, IOD_E_FULL},
      {"within the process", IOD_NAME_MAX + 1, 1, IOD_SCOPE_PROCESS, 0},
      {"a message as long as may be", 1, IOD_MESSAGE_MAX, IOD_SCOPE_SIBLINGS, 0},
      {"a longer one", 1, IOD_MESSAGE_MAX + 1, IOD_SCOPE_SIBLINGS, IOD_E_FULL},
      {"for the root", 1, IOD_MESSAGE_MAX + 1, IOD_SCOPE_ROOT, IOD_E_FULL},
      {"within the process", 1, IOD_MESSAGE_MAX + 1, IOD_SCOPE_PROCESS, 0},
  };
  iod_server_t *server = process_open();
  char *bytes = iod_alloc_zero(IOD_MESSAGE_MAX + 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].name);
    iod_publication_t *p =
        iod_publication_new((iod_slice_t){bytes, cases[i].channel}, (iod_slice_t){bytes, cases[i].message}, false);
    CHECK_INT(iod_server_publish(server, p, cases[i].scope), cases[i].result);
  }
  iod_free(bytes);
  process_close(server);
}

static void live(void) {
  iod_server_t *server;
  long countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  server = process_open();
  iod_alloc_countdown = countdown;
  iod_watcher_t *a = watch(server, "a", false, 1), *b = watch(server, "*", true, 2);
  iod_notices_list(server);
  iod_publication_t *p = iod_publication_new(slice("a"), slice("x"), true);
  int result = p ? iod_server_publish(server, p, IOD_SCOPE_CLUSTER) : IOD_E_NOMEM;
  CHECK(result == 0 || result == IOD_E_NOMEM);
  process_unwatch(a);
  process_unwatch(b);
  process_heard(server);
  CHECK_INT(server->pubsub.channels.count + server->pubsub.patterns.count, 0);
  CHECK_INT(server->pubsub.told, 0);
  countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  process_close(server);
  iod_alloc_countdown = countdown;
}

TEST(pubsub_without_memory) { test_each_allocation_fails(live); }
