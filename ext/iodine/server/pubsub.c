#include "pubsub.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../protocol/glob.h"
#include "cluster.h"
#include "line.h"
#include "notices.h"
#include "server.h"

#include <sys/random.h>
#include <unistd.h>

/* Who is subscribed is kept in an array: to deliver is to walk it, and what is far ahead is fetched in time. */
typedef struct channel {
  iod_map_node_t node;
  struct iod_subscription **subscriptions;
  uint32_t count, capacity;
  uint32_t elsewhere; /* of them: not told here */
  bool pattern;
  size_t length;
  char name[];
} channel_t;

typedef struct iod_subscription {
  iod_line_t *line; /* of IOD_DELIVER_TEXT and _BINARY */
  iod_subscriber_t *subscriber;
  channel_t *channel;
  struct iod_subscription *next, **link; /* of its subscriber */
  uint64_t id;
  uint32_t place; /* in the channel's array */
  uint8_t deliver;
} subscription_t;

enum { FIRST_PLACES = 2, AHEAD = 8 };

static channel_t *channel_of(const iod_map_node_t *node) { return IOD_MAP_OWNER(node, channel_t, node); }

static iod_slice_t name_of(const iod_map_node_t *node) {
  const channel_t *channel = IOD_MAP_OWNER(node, const channel_t, node);
  return (iod_slice_t){channel->name, channel->length};
}

void iod_pubsub_init(iod_pubsub_t *p) {
  iod_seed_t seed;
  if (getentropy(&seed, sizeof seed)) seed = (iod_seed_t){{iod_clock_us(), (uint64_t)getpid()}};
  *p = (iod_pubsub_t){0};
  pthread_mutex_init(&p->lock, NULL);
  iod_map_init(&p->channels, name_of, &seed);
  iod_map_init(&p->patterns, name_of, &seed);
}

void iod_pubsub_deinit(iod_pubsub_t *p) {
  iod_map_deinit(&p->channels);
  iod_map_deinit(&p->patterns);
  pthread_mutex_destroy(&p->lock);
}

/* ---- channels, under the lock ---- */

static iod_map_t *map_of(iod_pubsub_t *p, bool pattern) { return pattern ? &p->patterns : &p->channels; }

static void note(iod_server_t *server, const channel_t *channel, bool there) {
  iod_slice_t name = {channel->name, channel->length};
  iod_cluster_note(server, name, channel->pattern, there);
  if (atomic_load(&server->pubsub.listed)) iod_notices_name(server, name, channel->pattern, there);
}

static channel_t *channel_find(iod_server_t *server, iod_slice_t name, bool pattern) {
  iod_map_node_t *found = iod_map_find(map_of(&server->pubsub, pattern), name);
  return found ? channel_of(found) : NULL;
}

static channel_t *channel_new(iod_server_t *server, iod_slice_t name, bool pattern) {
  channel_t *channel = iod_alloc_zero(sizeof *channel + name.length);
  if (!channel) return NULL;
  channel->pattern = pattern;
  channel->length = name.length;
  if (name.length) memcpy(channel->name, name.at, name.length);
  iod_map_add(map_of(&server->pubsub, pattern), &channel->node);
  return channel;
}

static void channel_drop(iod_server_t *server, channel_t *channel) {
  iod_map_remove(map_of(&server->pubsub, channel->pattern), &channel->node);
  iod_free(channel->subscriptions);
  iod_free(channel);
}

/* Of another process: it is told elsewhere. */
static bool is_elsewhere(const iod_subscriber_t *subscriber) { return !subscriber->strand; }

static bool channel_add(channel_t *channel, subscription_t *subscription) {
  if (channel->count == channel->capacity) {
    uint32_t capacity = channel->capacity ? channel->capacity * 2 : FIRST_PLACES;
    subscription_t **places = iod_realloc(channel->subscriptions, capacity * sizeof *places);
    if (!places) return false;
    channel->subscriptions = places;
    channel->capacity = capacity;
  }
  subscription->channel = channel;
  subscription->place = channel->count;
  channel->elsewhere += is_elsewhere(subscription->subscriber);
  channel->subscriptions[channel->count++] = subscription;
  return true;
}

/* The last one takes its place. */
static void channel_remove(channel_t *channel, const subscription_t *subscription) {
  subscription_t *last = channel->subscriptions[--channel->count];
  channel->subscriptions[subscription->place] = last;
  last->place = subscription->place;
  channel->elsewhere -= is_elsewhere(subscription->subscriber);
  if (channel->count > channel->capacity / 4 || channel->capacity <= FIRST_PLACES) return;
  subscription_t **places = iod_realloc(channel->subscriptions, channel->capacity / 2 * sizeof *places);
  if (!places) return;
  channel->subscriptions = places;
  channel->capacity /= 2;
}

/* ---- subscribing ---- */

/* A subscriber may have many, as may a channel: the shorter list is walked. */
static subscription_t *find(const iod_subscriber_t *subscriber, const channel_t *channel) {
  if (channel->count < subscriber->count) {
    for (uint32_t i = 0; i < channel->count; i++)
      if (channel->subscriptions[i]->subscriber == subscriber) return channel->subscriptions[i];
    return NULL;
  }
  for (subscription_t *s = subscriber->first; s; s = s->next)
    if (s->channel == channel) return s;
  return NULL;
}

static void remove_subscription(iod_server_t *server, subscription_t *s) {
  channel_t *channel = s->channel;
  *s->link = s->next;
  if (s->next) s->next->link = s->link;
  s->subscriber->count--;
  channel_remove(channel, s);
  iod_free(s);
  if (channel->count > 0) return;
  note(server, channel, false);
  channel_drop(server, channel);
}

static subscription_t *add(iod_server_t *server, iod_subscriber_t *subscriber, channel_t *channel) {
  subscription_t *s = iod_alloc_zero(sizeof *s);
  if (s) s->subscriber = subscriber;
  if (!s || !channel_add(channel, s)) {
    iod_free(s);
    return NULL;
  }
  s->next = subscriber->first;
  s->link = &subscriber->first;
  if (s->next) s->next->link = &s->next;
  subscriber->first = s;
  subscriber->count++;
  if (channel->count == 1) note(server, channel, true);
  return s;
}

static int subscribe(iod_server_t *server, iod_subscriber_t *subscriber, const iod_subscribing_t *how) {
  if (subscriber->over) return IOD_E_CLOSED;
  channel_t *channel = channel_find(server, how->name, how->pattern);
  subscription_t *s = channel ? find(subscriber, channel) : NULL;
  if (!channel && !(channel = channel_new(server, how->name, how->pattern))) return IOD_E_NOMEM;
  if (!s && !(s = add(server, subscriber, channel))) {
    if (channel->count == 0) channel_drop(server, channel);
    return IOD_E_NOMEM;
  }
  s->line = subscriber->line;
  s->deliver = (uint8_t)how->deliver;
  s->id = how->id;
  return 0;
}

/* What was noted for other processes goes to them. */
static void unlock(iod_server_t *server) {
  pthread_mutex_unlock(&server->pubsub.lock);
  if (atomic_load(&server->commands.waiting) > 0) iod_server_kick(server);
}

int iod_pubsub_subscribe(iod_server_t *server, iod_subscriber_t *subscriber, const iod_subscribing_t *how) {
  pthread_mutex_lock(&server->pubsub.lock);
  int result = subscribe(server, subscriber, how);
  unlock(server);
  return result;
}

bool iod_pubsub_drop(iod_server_t *server, iod_subscriber_t *subscriber, iod_slice_t name, bool pattern) {
  pthread_mutex_lock(&server->pubsub.lock);
  channel_t *channel = channel_find(server, name, pattern);
  subscription_t *s = channel ? find(subscriber, channel) : NULL;
  if (s) remove_subscription(server, s);
  unlock(server);
  return s != NULL;
}

bool iod_pubsub_unsubscribe(iod_server_t *server, iod_subscriber_t *subscriber, iod_slice_t name) {
  bool channel = iod_pubsub_drop(server, subscriber, name, false);
  return iod_pubsub_drop(server, subscriber, name, true) || channel;
}

void iod_pubsub_leave(iod_server_t *server, iod_subscriber_t *subscriber) {
  pthread_mutex_lock(&server->pubsub.lock);
  subscriber->over = true;
  subscriber->line = NULL;
  while (subscriber->first) remove_subscription(server, subscriber->first);
  unlock(server);
}

static void visit_all(iod_map_t *map, const iod_visitor_t *v) {
  for (iod_map_node_t *node = iod_map_first(map); node; node = iod_map_next(map, node))
    v->visit(v->context, name_of(node), channel_of(node)->pattern);
}

void iod_pubsub_each(iod_server_t *server, const iod_visitor_t *v) {
  pthread_mutex_lock(&server->pubsub.lock);
  if (v->begin) v->begin(v->context);
  visit_all(&server->pubsub.channels, v);
  visit_all(&server->pubsub.patterns, v);
  if (v->end) v->end(v->context);
  pthread_mutex_unlock(&server->pubsub.lock);
}

/* ---- delivering, under both locks ---- */

/* What is delivered: of another process it is bytes until somebody is to be told. */
typedef struct delivery {
  iod_publication_t *publication;
  iod_slice_t name, message;
  bool text, lost;
} delivery_t;

static void lose(delivery_t *d) {
  if (!d->lost) iod_log(IOD_LOG_ERROR, "a message for %.*s was lost: out of memory", (int)d->name.length, d->name.at);
  d->lost = true;
}

static bool is_ready(delivery_t *d) {
  if (d->publication) return true;
  if (!d->lost) d->publication = iod_publication_new(d->name, d->message, d->text);
  if (!d->publication) lose(d);
  return d->publication != NULL;
}

static void tell(iod_pubsub_t *p, const subscription_t *s, delivery_t *d) {
  iod_message_t *message = iod_message_new(s->subscriber->tell, NULL, 0);
  if (!message) {
    lose(d);
    return;
  }
  message->publication = iod_publication_ref(d->publication);
  message->id = s->id;
  iod_publication_count(d->publication, &p->told);
  iod_strand_push(s->subscriber->strand, message);
}

static void deliver(iod_pubsub_t *p, const subscription_t *s, delivery_t *d) {
  switch ((iod_deliver_t)s->deliver) {
  case IOD_DELIVER_TEXT:
  case IOD_DELIVER_BINARY: iod_line_publish(s->line, d->publication, s->deliver == IOD_DELIVER_BINARY); break;
  case IOD_DELIVER_STRAND: tell(p, s, d); break;
  case IOD_DELIVER_ELSEWHERE: break;
  }
}

/* A subscription is one miss of the caches, its connection another one or two: both are asked for in advance. */
static void deliver_to_all(iod_server_t *server, const channel_t *channel, delivery_t *d) {
  iod_pubsub_t *p = &server->pubsub;
  if (channel->count == channel->elsewhere || !is_ready(d)) return;
  iod_count_add(&server->stats->counters.delivered, channel->count - channel->elsewhere);
  for (uint32_t i = 0; i < channel->count; i++) {
    if (i + 2 * AHEAD < channel->count) __builtin_prefetch(channel->subscriptions[i + 2 * AHEAD]);
    if (i + AHEAD < channel->count) iod_line_prefetch(channel->subscriptions[i + AHEAD]->line);
    deliver(p, channel->subscriptions[i], d);
  }
}

static bool matches(const channel_t *pattern, iod_slice_t name) {
  return pattern->count > pattern->elsewhere && iod_glob_matches(name_of(&pattern->node), name);
}

static void run_delivery(iod_server_t *server, delivery_t *d) {
  iod_pubsub_t *p = &server->pubsub;
  pthread_mutex_lock(&p->lock);
  iod_map_node_t *found = iod_map_find(&p->channels, d->name);
  if (found) deliver_to_all(server, channel_of(found), d);
  if (p->patterns.count > 0) {
    for (iod_map_node_t *node = iod_map_first(&p->patterns); node; node = iod_map_next(&p->patterns, node))
      if (matches(channel_of(node), d->name)) deliver_to_all(server, channel_of(node), d);
  }
  pthread_mutex_unlock(&p->lock);
  iod_lines_drop_overfull(server);
}

void iod_pubsub_deliver(iod_server_t *server, iod_publication_t *publication) {
  delivery_t d = {.publication = publication, .name = iod_publication_channel(publication)};
  run_delivery(server, &d);
}

void iod_pubsub_deliver_bytes(iod_server_t *server, iod_slice_t channel, iod_slice_t message, bool text) {
  delivery_t d = {.name = channel, .message = message, .text = text};
  run_delivery(server, &d);
  if (d.publication) iod_publication_unref(d.publication);
}

/* ---- publishing ---- */

typedef struct publish_command {
  iod_command_t command; /* first */
  iod_publication_t *publication;
  iod_scope_t scope;
} publish_command_t;

/* Others first: they have the longer way. */
static void publish_now(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope) {
  iod_count_one(&server->stats->counters.published);
  if (scope != IOD_SCOPE_PROCESS) iod_cluster_publish(server, publication, scope);
  if (scope != IOD_SCOPE_SIBLINGS && (scope != IOD_SCOPE_ROOT || !server->links.root))
    iod_pubsub_deliver(server, publication);
  iod_publication_unref(publication);
}

static void apply_publish(iod_server_t *server, iod_command_t *command) {
  publish_command_t *p = (publish_command_t *)command;
  publish_now(server, p->publication, p->scope);
  iod_free(p);
}

static bool is_too_long(const iod_publication_t *publication, iod_scope_t scope) {
  return scope != IOD_SCOPE_PROCESS &&
         (publication->channel_length > IOD_NAME_MAX || publication->message->length > IOD_MESSAGE_MAX);
}

int iod_server_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope) {
  bool too_long = is_too_long(publication, scope);
  if (server->inherited || too_long) {
    iod_publication_unref(publication);
    return too_long ? IOD_E_FULL : 0;
  }
  if (iod_server_trylock(server)) {
    publish_now(server, publication, scope);
    iod_server_unlock(server);
    return 0;
  }
  publish_command_t *command = iod_alloc(sizeof *command);
  if (!command) {
    iod_publication_unref(publication);
    return IOD_E_NOMEM;
  }
  *command = (publish_command_t){.command.apply = apply_publish, .publication = publication, .scope = scope};
  iod_server_command(server, &command->command);
  return 0;
}
