/* A root and its workers, in one process: what is said in one and heard in the others. */
#include "../../../ext/iodine/base/alloc.h"
#include "../test.h"
#include "processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 3, NOBODY = 1 << 29 /* a pid that no process has */ };

static iod_server_t *root, *workers[WORKERS];

static void begin(void) {
  root = process_open();
  for (int i = 0; i < WORKERS; i++) process_tie(root, workers[i] = process_open(), NOBODY + i);
}

static void end(void) {
  for (int i = 0; i < WORKERS; i++)
    if (workers[i]) process_close(workers[i]);
  process_close(root);
}

static iod_server_t *process(int i) { return i == 0 ? root : workers[i - 1]; }

static iod_watcher_t *watch(iod_server_t *server, const char *name, bool pattern) {
  return process_watch(server, name, pattern, 1);
}

/* ---- who hears what ---- */

TEST(cluster_scopes) {
  static const struct {
    const char *name;
    iod_scope_t scope;
    int from;
    bool heard[WORKERS + 1]; /* by the root, then by each worker */
  } cases[] = {
      {"all, from a worker", IOD_SCOPE_CLUSTER, 2, {true, true, true, true}},
      {"all, from the root", IOD_SCOPE_CLUSTER, 0, {true, true, true, true}},
      {"the others, from a worker", IOD_SCOPE_SIBLINGS, 2, {true, true, false, true}},
      {"the others, from the root", IOD_SCOPE_SIBLINGS, 0, {false, true, true, true}},
      {"this one, from a worker", IOD_SCOPE_PROCESS, 2, {false, false, true, false}},
      {"this one, from the root", IOD_SCOPE_PROCESS, 0, {true, false, false, false}},
      {"the root, from a worker", IOD_SCOPE_ROOT, 2, {true, false, false, false}},
      {"the root, from the root", IOD_SCOPE_ROOT, 0, {true, false, false, false}},
  };
  begin();
  for (int i = 0; i <= WORKERS; i++) CHECK(watch(process(i), "a", false) && watch(process(i), "b*", true));
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    test_case(cases[c].name);
    process_publish(process(cases[c].from), "a", "x", cases[c].scope);
    process_publish(process(cases[c].from), "bc", "y", cases[c].scope);
    process_publish(process(cases[c].from), "c", "z", cases[c].scope);
    processes_settle();
    for (int i = 0; i <= WORKERS; i++) {
      const char *heard = process_heard(process(i));
      bool both = strstr(heard, "1 a=x ") && strstr(heard, "1 bc=y ");
      CHECK_INT(both, cases[c].heard[i]);
      CHECK_INT(strlen(heard), cases[c].heard[i] ? 13 : 0);
    }
  }
  end();
}

TEST(cluster_of_one) {
  static const iod_scope_t scopes[] = {IOD_SCOPE_CLUSTER, IOD_SCOPE_PROCESS, IOD_SCOPE_ROOT, IOD_SCOPE_SIBLINGS};
  iod_server_t *alone = process_open();
  CHECK(watch(alone, "a", false));
  for (int i = 0; i < 4; i++) {
    process_publish(alone, "a", "x", scopes[i]);
    HEARD(alone, i < 3 ? "1 a=x " : "");
  }
  process_close(alone);
}

TEST(cluster_text_and_bytes) {
  static const struct {
    const char *message;
    bool said, text;
  } cases[] = {{"caf\xc3\xa9", true, true}, {"abc", false, false}, {"\xff", true, false}, {"", true, true}};
  begin();
  iod_watcher_t *w = watch(workers[1], "a", false);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].message);
    iod_publication_t *p = iod_publication_new(slice("a"), slice(cases[i].message), cases[i].said);
    CHECK_INT(iod_server_publish(workers[0], p, IOD_SCOPE_CLUSTER), 0);
    processes_settle();
    iod_message_t *m = iod_strand_take(&w->strand);
    CHECK(m && m->publication->text == cases[i].text);
    if (m) CHECK(iod_slice_equal(iod_payload_slice(m->publication->message), slice(cases[i].message)));
    iod_message_free(m);
  }
  end();
}

/* ---- many messages ---- */

enum { ROUNDS = 1000 };

/* Each process says its numbers; the length of a message follows from its number. */
static void say_number(int from, uint32_t number) {
  size_t length = 8 + (number % 97 == 0 ? 200000 : number % 7 == 0 ? 5000 : number % 50);
  char *bytes = iod_alloc_zero(length);
  memcpy(bytes, &from, 4);
  memcpy(bytes + 4, &number, 4);
  iod_publication_t *p = iod_publication_new(slice("a"), (iod_slice_t){bytes, length}, false);
  CHECK_INT(iod_server_publish(process(from), p, IOD_SCOPE_CLUSTER), 0);
  iod_free(bytes);
}

static void hear_numbers(iod_watcher_t *w, uint32_t *next) {
  for (iod_message_t *m; (m = iod_strand_take(&w->strand)); iod_message_free(m)) {
    int from;
    uint32_t number;
    memcpy(&from, m->publication->message->bytes, 4);
    memcpy(&number, m->publication->message->bytes + 4, 4);
    if (next[from] != number) CHECK_INT(number, next[from]);
    next[from] = number + 1;
  }
}

TEST(cluster_keeps_the_order_of_each_publisher) {
  iod_watcher_t *watchers[WORKERS + 1];
  uint32_t next[WORKERS + 1][WORKERS + 1] = {0};
  unsigned seed = 3;
  begin();
  for (int i = 0; i <= WORKERS; i++) watchers[i] = watch(process(i), "a", false);
  for (uint32_t number = 0; number < ROUNDS; number++) {
    for (int from = 0; from <= WORKERS; from++) say_number(from, number);
    if (rand_r(&seed) % 4 == 0) process_turn(process(rand_r(&seed) % (WORKERS + 1)));
  }
  processes_settle();
  for (int i = 0; i <= WORKERS; i++) {
    hear_numbers(watchers[i], next[i]);
    for (int from = 0; from <= WORKERS; from++) CHECK_INT(next[i][from], ROUNDS);
  }
  end();
}

TEST(cluster_large_messages) {
  static const struct {
    size_t length;
    bool up;
  } cases[] = {{4096, true}, {4097, true}, {1 << 20, true}, {4097, false}, {IOD_MESSAGE_MAX, false}};
  iod_server_t *worker = process_open();
  process_tie(root = process_open(), worker, NOBODY);
  char *bytes = malloc(IOD_MESSAGE_MAX);
  for (size_t i = 0; i < IOD_MESSAGE_MAX; i++) bytes[i] = (char)(i * 31 + i / 4099);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iod_server_t *from = cases[i].up ? worker : root, *to = cases[i].up ? root : worker;
    iod_slice_t message = {bytes, cases[i].length};
    iod_watcher_t *w = watch(to, "a", false);
    test_case(cases[i].up ? "up" : "down");
    CHECK_INT(iod_server_publish(from, iod_publication_new(slice("a"), message, false), IOD_SCOPE_CLUSTER), 0);
    processes_settle();
    iod_message_t *m = iod_strand_take(&w->strand);
    CHECK(m && iod_slice_equal(iod_payload_slice(m->publication->message), message));
    iod_message_free(m);
    process_unwatch(w);
    CHECK_INT(to->pubsub.told, 0);
  }
  test_case("nothing of it is left");
  CHECK(!root->links.workers->stream.input.bytes && !worker->links.root->stream.input.bytes);
  free(bytes);
  process_close(worker);
  process_close(root);
}

/* ---- names ---- */

static char names[256];

static void add_name(void *context, iod_slice_t name, bool pattern) {
  (void)context;
  char one[32];
  snprintf(one, sizeof one, "%.*s%s ", (int)name.length, name.at, pattern ? "*" : "");
  strcat(names, one);
}

static const char *names_of(iod_server_t *server) {
  names[0] = 0;
  iod_pubsub_each(server, &(iod_visitor_t){.visit = add_name});
  return names;
}

TEST(cluster_names) {
  begin();
  test_case("the root has all names, once");
  iod_watcher_t *a = watch(workers[0], "a", false), *also = watch(workers[1], "a", false);
  iod_watcher_t *p = watch(workers[2], "p", true);
  iod_notices_list(root);
  processes_settle();
  HEARD(root, "listing listed +a +p* ");
  CHECK_BYTES(names_of(root), strlen(names_of(root)), "a p* ");
  test_case("a worker has its own");
  CHECK_BYTES(names_of(workers[2]), strlen(names_of(workers[2])), "p* ");
  test_case("each is gone with its last subscriber");
  process_unwatch(a);
  processes_settle();
  HEARD(root, "");
  process_unwatch(also);
  process_unwatch(p);
  processes_settle();
  HEARD(root, "-a -p* ");
  test_case("or with the worker");
  CHECK(watch(workers[1], "b", false) && watch(workers[1], "c", false) && watch(workers[2], "b", false));
  processes_settle();
  HEARD(root, "+b +c ");
  process_close(workers[1]);
  workers[1] = NULL;
  processes_settle();
  HEARD(root, "-c ");
  CHECK_INT(root->links.count, 2);
  end();
}

TEST(cluster_names_from_before) {
  test_case("a worker tells of those that it had before");
  root = process_open();
  iod_server_t *worker = process_open();
  CHECK(watch(worker, "a", false) && watch(worker, "p", true));
  process_tie(root, worker, NOBODY);
  processes_settle();
  CHECK_BYTES(names_of(root), strlen(names_of(root)), "a p* ");
  process_close(worker);
  process_close(root);
}

/* ---- commands ---- */

static iod_handle_t asker; /* where the last command came from */

static void take_command(void) {
  iod_message_t *m;
  CHECK_INT(iod_notices_take(root, &m), IOD_NOTICE_COMMAND);
  if (m) asker = m->id;
  iod_message_free(m);
}

TEST(cluster_commands) {
  begin();
  iod_slice_t answer = slice("yes");
  test_case("a command reaches the root, and its reply who sent it");
  CHECK_INT(iod_cluster_command(workers[1], 7, slice("redis"), slice("PING")), 0);
  processes_settle();
  take_command();
  CHECK_INT(iod_cluster_reply(root, asker, 7, &answer), 0);
  processes_settle();
  HEARD(workers[1], "reply(yes) ");
  HEARD(workers[0], "");
  test_case("there may be none");
  CHECK_INT(iod_cluster_reply(root, asker, 8, NULL), 0);
  processes_settle();
  HEARD(workers[1], "reply ");
  test_case("the root asks itself");
  CHECK_INT(iod_cluster_command(root, 9, slice("redis"), slice("PING")), 0);
  take_command();
  CHECK_INT(asker, 0);
  CHECK_INT(iod_cluster_reply(root, 0, 9, &answer), 0);
  HEARD(root, "reply(yes) ");
  test_case("too long");
  CHECK_INT(iod_cluster_command(workers[1], 7, slice("redis"), (iod_slice_t){"", IOD_MESSAGE_MAX + 1}), IOD_E_FULL);
  test_case("a reply for a worker that is gone");
  CHECK_INT(iod_cluster_command(workers[1], 7, slice("redis"), slice("PING")), 0);
  processes_settle();
  take_command();
  process_close(workers[1]);
  workers[1] = NULL;
  processes_settle();
  CHECK_INT(iod_cluster_reply(root, asker, 7, &answer), 0);
  processes_settle();
  test_case("in order, with what is published");
  CHECK_INT(iod_cluster_command(workers[0], 0, slice("e"), slice("1")), 0);
  CHECK_INT(iod_cluster_command(workers[0], 0, slice("e"), slice("2")), 0);
  processes_settle();
  HEARD(root, "command(e,1) command(e,2) ");
  end();
}

TEST(cluster_commands_without_a_root) {
  begin();
  test_case("the root goes");
  CHECK_INT(iod_cluster_command(workers[0], 1, slice("e"), slice("x")), 0);
  process_close(root);
  processes_settle();
  HEARD(workers[0], "unlinked ");
  test_case("who asks then gets no answer");
  CHECK_INT(iod_cluster_command(workers[0], 2, slice("e"), slice("x")), 0);
  HEARD(workers[0], "reply ");
  CHECK_INT(iod_cluster_command(workers[0], 0, slice("e"), slice("x")), 0);
  HEARD(workers[0], "");
  test_case("what is published is heard here");
  CHECK(watch(workers[0], "a", false));
  process_publish(workers[0], "a", "x", IOD_SCOPE_CLUSTER);
  HEARD(workers[0], "1 a=x ");
  for (int i = 0; i < WORKERS; i++) process_close(workers[i]);
}

/* ---- many threads ---- */

enum { THREADS = 3, SAID = 300, PUBLISHERS = (WORKERS + 1) * THREADS };

typedef struct publisher {
  iod_server_t *server;
  uint32_t number;
} publisher_t;

/* Names come and go meanwhile. */
static void *publish_numbers(void *argument) {
  const publisher_t *publisher = argument;
  iod_subscriber_t subscriber = {.strand = NULL};
  iod_subscribing_t how = {.name = slice("other"), .deliver = IOD_DELIVER_ELSEWHERE};
  for (uint32_t i = 0; i < SAID; i++) {
    uint32_t numbers[] = {publisher->number, i};
    iod_slice_t message = {(const char *)numbers, sizeof numbers};
    iod_publication_t *p = iod_publication_new(slice("a"), message, false);
    if (!p || iod_server_publish(publisher->server, p, IOD_SCOPE_CLUSTER)) abort();
    iod_server_flush(publisher->server);
    if (i % 10 == 0 && iod_pubsub_subscribe(publisher->server, &subscriber, &how)) abort();
    if (i % 10 == 5) (void)iod_pubsub_unsubscribe(publisher->server, &subscriber, how.name);
  }
  iod_pubsub_leave(publisher->server, &subscriber);
  return NULL;
}

/* Everything, in the order of each publisher. */
static void hear_publishers(iod_watcher_t *w) {
  uint32_t next[PUBLISHERS] = {0}, numbers[2], heard = 0;
  for (int waited = 0; heard < PUBLISHERS * SAID && waited < 60000; waited++, usleep(1000)) {
    for (iod_message_t *m; (m = iod_strand_take(&w->strand)); iod_message_free(m), heard++) {
      memcpy(numbers, m->publication->message->bytes, sizeof numbers);
      if (next[numbers[0]] != numbers[1]) CHECK_INT(numbers[1], next[numbers[0]]);
      next[numbers[0]] = numbers[1] + 1;
    }
  }
  CHECK_INT(heard, PUBLISHERS * SAID);
}

TEST(cluster_of_many_threads) {
  iod_watcher_t *watchers[WORKERS + 1];
  publisher_t publishers[PUBLISHERS];
  pthread_t threads[PUBLISHERS];
  root = process_open_alive();
  for (int i = 0; i < WORKERS; i++) process_tie(root, workers[i] = process_open_alive(), NOBODY + i);
  for (int i = 0; i <= WORKERS; i++) watchers[i] = watch(process(i), "a", false);
  iod_notices_list(root);
  for (uint32_t i = 0; i < PUBLISHERS; i++) {
    publishers[i] = (publisher_t){process((int)i / THREADS), i};
    CHECK_INT(pthread_create(&threads[i], NULL, publish_numbers, &publishers[i]), 0);
  }
  for (int i = 0; i < PUBLISHERS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i <= WORKERS; i++) hear_publishers(watchers[i]);
  end();
}

/* ---- without memory ---- */

static void live(void) {
  long countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  begin();
  iod_watcher_t *heard = watch(workers[1], "a", false);
  processes_settle();
  iod_alloc_countdown = countdown;
  static char large[10000];
  iod_publication_t *small = iod_publication_new(slice("a"), slice("x"), true);
  iod_publication_t *big = iod_publication_new(slice("a"), (iod_slice_t){large, sizeof large}, false);
  int result = 0;
  if (small) result |= iod_server_publish(workers[0], small, IOD_SCOPE_CLUSTER);
  if (big) result |= iod_server_publish(workers[0], big, IOD_SCOPE_CLUSTER);
  iod_watcher_t *w = watch(workers[0], "b", false);
  result |= iod_cluster_command(workers[2], 1, slice("e"), slice("x"));
  processes_settle();
  countdown = iod_alloc_countdown;
  iod_alloc_countdown = -1;
  (void)result;
  /* A worker gets all, or is cut off and to be replaced, or it was said in the log that there is no memory. */
  if (heard->strand.count == 2) CHECK(heard->strand.first->publication->message->length == 1);
  process_unwatch(w);
  processes_settle();
  end();
  iod_alloc_countdown = countdown;
}

TEST(cluster_without_memory) { test_each_allocation_fails(live); }
