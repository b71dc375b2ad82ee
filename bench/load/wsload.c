/* Load of WebSockets and event streams for a server on loopback: one thread, epoll, always stops by itself.
 *
 *   cc -O2 -D_GNU_SOURCE *.c -lz -o wsload
 *
 *   wsload [options] idle N                               holds N connections: the server's bytes for each
 *   wsload [options] echo N SECS SIZE                     every connection sends a message of SIZE bytes when the one
 *                                                         before is back
 *   wsload [options] broadcast N PUBS SECS SIZE RATE      N subscribers; PUBS other clients publish RATE messages a
 *                                                         second in all, at fixed times: latency counts from the time a
 *                                                         message was due. RATE 0: closed loop, --inflight messages of
 *                                                         each publisher under way
 *
 * SIZE is the length of the text, at least 64. One line of name=value comes out.
 *
 *   --port 3000  --host 127.0.0.1  --path /
 *   --pub-path /pub   where publishers connect; the server should not subscribe them
 *   --pid PID         the server: its session if it leads one, and its descendants, for CPU and memory
 *   --window 64       handshakes under way at once          --hold 3      idle: seconds
 *   --warmup 1        seconds that are not counted          --settle 0.5  seconds before the first message
 *   --drain 5         seconds to wait for what is under way --inflight 1  see broadcast
 *   --rate R          echo: R messages a second over all connections, at fixed times; broadcast: instead of RATE
 *   --sse             subscribers and idle clients are event streams
 *   --deflate         offers permessage-deflate without context takeover; what comes compressed is inflated and checked
 *   --json            the text is a JSON document
 *   --cable JSON      Action Cable: subscribes to this identifier, performs "pub" or "echo" with the text as "m"
 *   --cable-pub JSON  Action Cable: the identifier of publishers
 *
 * lost: a later message came, this one never did; undelivered: missing when the drain time was over; dup: came twice;
 * reorder: came after a later one of its publisher; bad: wrong length or content; closed: ended by the server.
 * us is the server's CPU time a message or delivery in µs, kernel the system part of it. bytes are those of the wire.
 * load_cpu is this program's own share of a core: near 100 % a figure is the load's limit, not the server's. */
#include "client.h"
#include "clock.h"
#include "histogram.h"
#include "ledger.h"
#include "options.h"
#include "usage.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PUBLISHERS = 256, INFLIGHT = 64, SMALLEST = 64, CHILDREN = 64, SPARE = 100 };

options_t options = {.host = "127.0.0.1",
                     .path = "/",
                     .pub_path = "/pub",
                     .port = 3000,
                     .window = 64,
                     .inflight = 1,
                     .hold = 3,
                     .warmup = 1,
                     .settle = 0.5,
                     .drain = 5};

static double share(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 0; }

/* --- what is counted: from the end of the warm-up on --- */

typedef struct {
  usage_t server;
  double own;
  uint64_t time, bytes;
} sample_t;

static struct {
  bool on;
  sample_t begin, end;
  uint64_t messages, published, all; /* all: those of the warm-up, too */
} window;

static sample_t sample(void) {
  return (sample_t){usage_of(options.pid, false), usage_own(), clients.now = clock_now(), clients.bytes};
}

static void window_begin(void) {
  window.begin = sample();
  window.on = true;
}

static void window_end(void) {
  window.on = false;
  window.end = sample();
}

static double window_seconds(void) { return (double)(window.end.time - window.begin.time) / SECOND; }

static void count_message(void) {
  window.all++;
  window.messages += window.on;
}

static void print_figures(void) {
  usage_t memory = usage_of(options.pid, true), before = window.begin.server, after = window.end.server;
  double system = after.system - before.system, cpu = after.user - before.user + system, seconds = window_seconds();
  double per = window.messages ? 1e6 / (double)window.messages : 0;
  printf(" per_s=%.0f total=%" PRIu64, (double)window.messages / seconds, window.all);
  printf(" p50_us=%.0f p99_us=%.0f p999_us=%.0f max_us=%.0f", histogram_percentile(.5), histogram_percentile(.99),
         histogram_percentile(.999), histogram_max());
  printf(" us=%.3f kernel=%.3f server_cpu=%.2f load_cpu=%.2f", cpu * per, cpu > 0 ? system / cpu : 0, cpu / seconds,
         (window.end.own - window.begin.own) / seconds);
  printf(" processes=%d pss_mb=%.1f rss_mb=%.1f", memory.processes, (double)memory.pss / 1024,
         (double)memory.rss / 1024);
  printf(" bytes=%.1f deflated=%d", share(window.end.bytes - window.begin.bytes, window.messages), clients.deflated);
  printf(" bad=%" PRIu64 " closed=%d failed=%d pings=%" PRIu64, clients.bad, clients.closed, clients.failed,
         clients.pings);
}

/* Calls step, which says when it is to be called next, until the warm-up and the seconds are over. */
static void run_window(double seconds, uint64_t (*step)(void)) {
  uint64_t end = clock_now() + clock_span(options.warmup);
  for (bool counted = false; !counted || clients.now < end;) {
    if (!counted && clients.now >= end) {
      counted = true;
      window_begin();
      end = window.begin.time + clock_span(seconds);
    }
    uint64_t next = step();
    clients.now = clock_now();
    if (next > end) next = end;
    clients_turn(next > clients.now ? next - clients.now : 0);
  }
  window_end();
}

/* --- echo --- */

static struct {
  bool running;
  uint64_t begin, sent;
  int at;
} echoes;

static void echo_send(client_t *client, uint64_t time) {
  client_send(client, (stamp_t){(unsigned)client->index & 0xffff, client->number, time});
}

static void echo_received(client_t *client, stamp_t stamp) {
  if (stamp.number != client->number || stamp.publisher != ((unsigned)client->index & 0xffff)) {
    clients.bad++;
    return;
  }
  count_message();
  if (window.on) histogram_add(clients.now - stamp.time);
  client->number++;
  client->waiting = 0;
  if (echoes.running && options.rate <= 0) echo_send(client, clock_now());
}

static bool echo_is_free(int index) { return clients.at[index].state == OPEN && !clients.at[index].waiting; }

/* The next one that isn't waiting for its answer, or NULL. */
static client_t *echo_next(void) {
  for (int tried = 0; tried < clients.count; tried++) {
    echoes.at = (echoes.at + 1) % clients.count;
    if (echo_is_free(echoes.at)) return &clients.at[echoes.at];
  }
  return NULL;
}

static uint64_t echo_due(void) { return echoes.begin + clock_span((double)echoes.sent / options.rate); }

static uint64_t echo_step(void) {
  if (options.rate <= 0) return UINT64_MAX;
  for (client_t *client; echo_due() <= clients.now && (client = echo_next()); echoes.sent++)
    echo_send(client, echo_due());
  return echo_due() > clients.now ? echo_due() : clients.now + SECOND / 10000;
}

static void echo(int count, double seconds) {
  clients_prepare(count, ECHO);
  clients.on_message = echo_received;
  clients_open();
  clients_until(clock_now() + clock_span(options.settle));
  echoes.running = true;
  echoes.begin = clients.now = clock_now();
  for (int i = 0; options.rate <= 0 && i < clients.count; i++)
    if (echo_is_free(i)) echo_send(&clients.at[i], clock_now());
  run_window(seconds, echo_step);
  printf("echo clients=%d size=%zu seconds=%.2f", clients.open, message.length, window_seconds());
  print_figures();
  printf("\n");
}

/* --- broadcast --- */

typedef struct {
  client_t *client;
  uint32_t next;         /* number of the message that it sends next */
  uint64_t last;         /* when it sent one */
  int awaited[INFLIGHT]; /* deliveries to come of a message, by its number */
} publisher_t;

static struct {
  publisher_t at[PUBLISHERS];
  unsigned count;
  int subscribers;
  bool running;
  double gap; /* ns between two messages; 0: closed loop */
  uint64_t begin, sent, stalls;
} publishing;

static bool can_publish(const publisher_t *publisher) {
  return publisher->client->state == OPEN && !publisher->client->sending;
}

static void publish(unsigned index, uint64_t time) {
  publisher_t *publisher = &publishing.at[index];
  if (!can_publish(publisher)) return;
  publishing.sent++;
  window.published += window.on;
  publisher->awaited[publisher->next % INFLIGHT] = publishing.subscribers;
  publisher->last = clients.now;
  client_send(publisher->client, (stamp_t){index, publisher->next++, time});
}

static uint64_t publish_due(unsigned index) {
  double place = (double)publishing.at[index].next * publishing.count + index;
  return publishing.begin + (uint64_t)(place * publishing.gap);
}

static void publish_planned(unsigned index) {
  while (can_publish(&publishing.at[index]) && publish_due(index) <= clients.now) publish(index, publish_due(index));
}

/* Begins the closed loop; a message that was lost would end it, so it begins anew after two seconds. */
static void publish_first(unsigned index) {
  publisher_t *publisher = &publishing.at[index];
  if (publisher->last && clients.now - publisher->last < 2ull * SECOND) return;
  publishing.stalls += publisher->last > 0;
  for (int i = 0; i < options.inflight; i++) publish(index, clients.now);
}

static void publish_all(void) {
  if (!publishing.running) return;
  clients.now = clock_now();
  for (unsigned i = 0; i < publishing.count; i++) (publishing.gap > 0 ? publish_planned : publish_first)(i);
}

static uint64_t publish_step(void) {
  publish_all();
  uint64_t next = clients.now + SECOND / 10;
  for (unsigned i = 0; publishing.gap > 0 && i < publishing.count; i++)
    if (can_publish(&publishing.at[i]) && publish_due(i) < next) next = publish_due(i);
  return next;
}

/* Also if it comes only after the end. */
static bool was_due_in_window(uint64_t time) {
  return window.begin.time && time >= window.begin.time && (!window.end.time || time < window.end.time);
}

static void delivered(client_t *client, stamp_t stamp) {
  if (client->role != SUBSCRIBER || stamp.publisher >= publishing.count) return;
  if (!ledger_add(client->index, stamp.publisher, stamp.number)) return;
  count_message();
  if (was_due_in_window(stamp.time)) histogram_add(clients.now > stamp.time ? clients.now - stamp.time : 0);
  publisher_t *publisher = &publishing.at[stamp.publisher];
  bool whole = --publisher->awaited[stamp.number % INFLIGHT] == 0;
  if (whole && publishing.running && publishing.gap <= 0) publish(stamp.publisher, clock_now());
}

/* What is under way, and a moment for what should not come. */
static void await_deliveries(void) {
  uint64_t all = publishing.sent * (uint64_t)publishing.subscribers, end = clock_now() + clock_span(options.drain);
  while (ledger.unique < all && clock_now() < end) clients_turn(SECOND / 50);
  clients_until(clock_now() + SECOND / 5);
}

static void print_broadcast(void) {
  uint64_t all = publishing.sent * (uint64_t)publishing.subscribers;
  uint64_t missing = all > ledger.unique ? all - ledger.unique : 0;
  printf("broadcast subscribers=%d publishers=%u size=%zu seconds=%.2f published_per_s=%.1f", publishing.subscribers,
         publishing.count, message.length, window_seconds(), (double)window.published / window_seconds());
  print_figures();
  printf(" lost=%" PRIu64 " undelivered=%" PRIu64 " dup=%" PRIu64 " reorder=%" PRIu64 " stalls=%" PRIu64 "\n",
         ledger.lost, missing > ledger.lost ? missing - ledger.lost : 0, ledger.doubled, ledger.reordered,
         publishing.stalls);
}

static void broadcast(int subscribers, unsigned publishers, double seconds, double rate) {
  clients_prepare(subscribers + (int)publishers, SUBSCRIBER);
  ledger_prepare(subscribers, (int)publishers);
  publishing.count = publishers;
  publishing.gap = rate > 0 ? SECOND / rate : 0;
  for (unsigned i = 0; i < publishers; i++) {
    publishing.at[i].client = &clients.at[subscribers + (int)i];
    clients_set_role(publishing.at[i].client, PUBLISHER);
  }
  clients.on_message = delivered;
  clients.between = publish_all;
  clients_open();
  clients_until(clock_now() + clock_span(options.settle));
  for (int i = 0; i < subscribers; i++) publishing.subscribers += clients.at[i].state == OPEN;
  publishing.running = true;
  publishing.begin = clients.now = clock_now();
  run_window(seconds, publish_step);
  publishing.running = false;
  await_deliveries();
  print_broadcast();
}

/* --- idle: each child holds as many connections as one process may --- */

typedef struct {
  pid_t pid;
  int report; /* what it writes when all are open, and again when they are closed: open, failed, closed */
} child_t;

static void report(int fd) {
  int figures[3] = {clients.open, clients.failed, clients.closed};
  if (write(fd, figures, sizeof figures) != sizeof figures) _exit(1);
}

/* Holds them until the other end of `until` is closed. */
static void hold(int count, uint32_t first_address, int fd, int until) {
  clients_prepare(count, IDLE);
  clients.first_address = first_address;
  clients_open();
  report(fd);
  struct pollfd closed = {until, POLLIN, 0};
  while (!poll(&closed, 1, 0)) clients_turn(SECOND / 20);
  report(fd);
  _exit(0);
}

static child_t start_child(int count, int number, const int until[2]) {
  int pipes[2];
  child_t child = {.pid = -1};
  if (pipe(pipes) == 0) child.pid = fork();
  if (child.pid < 0) {
    perror("wsload: child");
    exit(1);
  }
  if (child.pid == 0) {
    close(until[1]), close(pipes[0]);
    hold(count, (uint32_t)number * 2, pipes[1], until[0]);
  }
  close(pipes[1]);
  child.report = pipes[0];
  return child;
}

static void add_report(const child_t *child, int sum[3]) {
  int figures[3];
  if (read(child->report, figures, sizeof figures) != sizeof figures) return;
  for (int i = 0; i < 3; i++) sum[i] += figures[i];
}

static double pss_bytes(usage_t usage) { return (double)usage.pss * 1024; }

static void print_idle(const int opened[3], int closed, double seconds, const usage_t u[4]) {
  double each = opened[0] ? opened[0] : 1;
  printf("idle opened=%d failed=%d closed=%d", opened[0], opened[1], closed);
  printf(" bytes=%.0f left=%.0f", (pss_bytes(u[2]) - pss_bytes(u[0])) / each,
         (pss_bytes(u[3]) - pss_bytes(u[0])) / each);
  printf(" pss_before=%.0f pss_held=%.0f pss_closed=%.0f", pss_bytes(u[0]), pss_bytes(u[2]), pss_bytes(u[3]));
  printf(" connect_us=%.1f connect_per_s=%.0f", (u[1].user + u[1].system - u[0].user - u[0].system) * 1e6 / each,
         opened[0] / seconds);
  printf(" idle_cpu=%.4f processes=%d\n", (u[2].user + u[2].system - u[1].user - u[1].system) / options.hold,
         u[2].processes);
}

static void idle(int count, int for_one) {
  int needed = (count + for_one - 1) / for_one, until[2], opened[3] = {0}, ended[3] = {0};
  child_t children[CHILDREN];
  usage_t usage[4] = {usage_of(options.pid, true)}; /* before, open, held, closed */
  if (needed > CHILDREN || pipe(until)) exit(1);
  uint64_t begin = clock_now();
  fflush(stdout);
  for (int i = 0; i < needed; i++) children[i] = start_child(count / needed + (i < count % needed), i, until);
  for (int i = 0; i < needed; i++) add_report(&children[i], opened);
  double seconds = (double)(clock_now() - begin) / SECOND;
  usage[1] = usage_of(options.pid, false);
  usleep((useconds_t)(options.hold * 1e6));
  usage[2] = usage_of(options.pid, true);
  close(until[1]);
  for (int i = 0; i < needed; i++) {
    add_report(&children[i], ended);
    waitpid(children[i].pid, NULL, 0);
  }
  usleep(1500000); /* the server sees them close, and gives back what it keeps for a moment */
  usage[3] = usage_of(options.pid, true);
  print_idle(opened, ended[2], seconds, usage);
}

/* --- the command line --- */

typedef struct {
  const char *name;
  const char **text;
  int *number;
  double *real;
  bool *flag;
} option_t;

static const option_t known[] = {
    {.name = "host", .text = &options.host},
    {.name = "path", .text = &options.path},
    {.name = "pub-path", .text = &options.pub_path},
    {.name = "cable", .text = &options.cable},
    {.name = "cable-pub", .text = &options.cable_pub},
    {.name = "port", .number = &options.port},
    {.name = "pid", .number = &options.pid},
    {.name = "window", .number = &options.window},
    {.name = "inflight", .number = &options.inflight},
    {.name = "hold", .real = &options.hold},
    {.name = "warmup", .real = &options.warmup},
    {.name = "settle", .real = &options.settle},
    {.name = "drain", .real = &options.drain},
    {.name = "rate", .real = &options.rate},
    {.name = "sse", .flag = &options.sse},
    {.name = "deflate", .flag = &options.deflate},
    {.name = "json", .flag = &options.json},
};

static void usage_error(const char *what) {
  fprintf(stderr, "wsload: %s\nusage: wsload [options] idle N | echo N SECS SIZE | broadcast N PUBS SECS SIZE RATE\n",
          what);
  exit(2);
}

static const option_t *find_option(const char *name) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].name, name) == 0) return &known[i];
  usage_error("no such option");
  return NULL;
}

/* How many words it took. */
static int set_option(const char *name, const char *value) {
  const option_t *option = find_option(name);
  if (option->flag) {
    *option->flag = true;
    return 1;
  }
  if (!value) usage_error("an option's value is missing");
  if (option->text) *option->text = value;
  if (option->number) *option->number = atoi(value);
  if (option->real) *option->real = atof(value);
  return 2;
}

/* What is no option goes to words. How many there are. */
static int parse(int argc, char **argv, const char *words[6]) {
  int count = 0;
  for (int i = 1; i < argc;) {
    if (strncmp(argv[i], "--", 2) == 0)
      i += set_option(argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL);
    else if (count < 6)
      words[count++] = argv[i++];
    else
      usage_error("too many words");
  }
  return count;
}

static int raise_descriptors(void) {
  struct rlimit limit, much = {1 << 20, 1 << 20};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (setrlimit(RLIMIT_NOFILE, &much) != 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  getrlimit(RLIMIT_NOFILE, &limit);
  return (int)limit.rlim_cur - SPARE;
}

static void out_of_time(int number) {
  (void)number;
  static const char text[] = "wsload: ran past its time\n";
  _exit(write(STDERR_FILENO, text, sizeof text - 1) > 0 ? 3 : 4);
}

/* Time to open them all, and for the load itself. */
static void limit_time(int count, double seconds) {
  signal(SIGALRM, out_of_time);
  alarm((unsigned)(60 + count / 200. + seconds + options.warmup + options.settle + options.drain + options.hold));
}

static size_t size_of(const char *word) {
  int size = atoi(word);
  if (size < SMALLEST) usage_error("SIZE is at least 64");
  return (size_t)size;
}

int main(int argc, char **argv) {
  const char *words[6] = {""};
  int given = parse(argc, argv, words), count = given > 1 ? atoi(words[1]) : 0, most = raise_descriptors();
  signal(SIGPIPE, SIG_IGN);
  if (options.inflight < 1 || options.inflight > INFLIGHT) usage_error("--inflight is 1 to 64");
  if (count < 1 || (count > most && strcmp(words[0], "idle") != 0)) usage_error("N is too small or too large");
  if (strcmp(words[0], "idle") == 0 && given == 2) {
    limit_time(count, 0);
    idle(count, most);
  } else if (strcmp(words[0], "echo") == 0 && given == 4) {
    message_make(size_of(words[3]), true);
    limit_time(count, atof(words[2]));
    echo(count, atof(words[2]));
  } else if (strcmp(words[0], "broadcast") == 0 && given == 6) {
    int publishers = atoi(words[2]);
    if (publishers < 1 || publishers > PUBLISHERS) usage_error("PUBS is 1 to 256");
    message_make(size_of(words[4]), false);
    limit_time(count, atof(words[3]));
    broadcast(count, (unsigned)publishers, atof(words[3]), options.rate > 0 ? options.rate : atof(words[5]));
  } else {
    usage_error("what is to be done?");
  }
  return 0;
}
