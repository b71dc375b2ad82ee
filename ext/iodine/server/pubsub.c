#include "pubsub.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../protocol/glob.h"
#include "line.h"
#include "link.h"
#include "server.h"

#include <sys/random.h>
#include <unistd.h>

/* Who is subscribed is kept in an array: to deliver is to walk it, and what is far ahead is fetched in time. */
typedef struct channel {
  iod_map_node_t node;
  struct iod_subscription **subscriptions;
  uint32_t count, capacity;
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
  iod_link_note(server, name, channel->pattern, there);
  if (server->noted && atomic_load(&server->pubsub.listed)) server->noted(server, name, channel->pattern, there);
}

static channel_t *channel_get(iod_server_t *server, iod_slice_t name, bool pattern) {
  iod_map_t *map = map_of(&server->pubsub, pattern);
  iod_map_node_t *found = iod_map_find(map, name);
  if (found) return channel_of(found);
  channel_t *channel = iod_alloc_zero(sizeof *channel + name.length);
  if (!channel) return NULL;
  channel->pattern = pattern;
  channel->length = name.length;
  if (name.length) memcpy(channel->name, name.at, name.length);
  iod_map_add(map, &channel->node);
  return channel;
}

static void channel_drop(iod_server_t *server, channel_t *channel) {
  iod_map_remove(map_of(&server->pubsub, channel->pattern), &channel->node);
  iod_free(channel->subscriptions);
  iod_free(channel);
}

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
  channel->subscriptions[channel->count++] = subscription;
  return true;
}

/* The last one takes its place. */
static void channel_remove(channel_t *channel, const subscription_t *subscription) {
  subscription_t *last = channel->subscriptions[--channel->count];
  channel->subscriptions[subscription->place] = last;
  last->place = subscription->place;
  if (channel->count > channel->capacity / 4 || channel->capacity <= FIRST_PLACES) return;
  subscription_t **places = iod_realloc(channel->subscriptions, channel->capacity / 2 * sizeof *places);
  if (!places) return;
  channel->subscriptions = places;
  channel->capacity /= 2;
}

/* ---- subscribing ---- */

static subscription_t *find(const iod_subscriber_t *subscriber, iod_slice_t name, bool pattern) {
  for (subscription_t *s = subscriber->first; s; s = s->next)
    if (s->channel->pattern == pattern && iod_slice_equal(name_of(&s->channel->node), name)) return s;
  return NULL;
}

static void remove_subscription(iod_server_t *server, subscription_t *s) {
  channel_t *channel = s->channel;
  *s->link = s->next;
  if (s->next) s->next->link = s->link;
  channel_remove(channel, s);
  iod_free(s);
  if (channel->count > 0) return;
  note(server, channel, false);
  channel_drop(server, channel);
}

static subscription_t *add(iod_server_t *server, iod_subscriber_t *subscriber, iod_slice_t name, bool pattern) {
  subscription_t *s = iod_alloc_zero(sizeof *s);
  channel_t *channel = s ? channel_get(server, name, pattern) : NULL;
  if (!channel || !channel_add(channel, s)) {
    if (channel && channel->count == 0) channel_drop(server, channel);
    iod_free(s);
    return NULL;
  }
  s->subscriber = subscriber;
  s->next = subscriber->first;
  s->link = &subscriber->first;
  if (s->next) s->next->link = &s->next;
  subscriber->first = s;
  if (channel->count == 1) note(server, channel, true);
  return s;
}

static int subscribe(iod_server_t *server, iod_subscriber_t *subscriber, const iod_subscribing_t *how) {
  if (subscriber->over) return IOD_E_CLOSED;
  subscription_t *s = find(subscriber, how->name, how->pattern);
  if (!s && !(s = add(server, subscriber, how->name, how->pattern))) return IOD_E_NOMEM;
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
  subscription_t *s = find(subscriber, name, pattern);
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
  pthread_mutex_unlock(&server->pubsub.lock);
}

static void visit_all(iod_map_t *map, void (*visit)(void *context, iod_slice_t name, bool pattern), void *context) {
  for (iod_map_node_t *node = iod_map_first(map); node; node = iod_map_next(map, node))
    visit(context, name_of(node), channel_of(node)->pattern);
}

void iod_pubsub_each(iod_server_t *server, void (*visit)(void *context, iod_slice_t name, bool pattern),
                     void *context) {
  pthread_mutex_lock(&server->pubsub.lock);
  visit_all(&server->pubsub.channels, visit, context);
  visit_all(&server->pubsub.patterns, visit, context);
  pthread_mutex_unlock(&server->pubsub.lock);
}

/* ---- delivering, under both locks ---- */

static void tell(const subscription_t *s, iod_publication_t *publication) {
  iod_message_t *message = iod_message_new(s->subscriber->tell, NULL, 0);
  if (!message) {
    iod_log(IOD_LOG_ERROR, "a message for %.*s was lost: out of memory", (int)s->channel->length, s->channel->name);
    return;
  }
  message->publication = iod_publication_ref(publication);
  message->id = s->id;
  iod_strand_push(s->subscriber->strand, message);
}

static void deliver(const subscription_t *s, iod_publication_t *publication) {
  switch ((iod_deliver_t)s->deliver) {
  case IOD_DELIVER_TEXT:
  case IOD_DELIVER_BINARY: iod_line_publish(s->line, publication, s->deliver == IOD_DELIVER_BINARY); break;
  case IOD_DELIVER_STRAND: tell(s, publication); break;
  case IOD_DELIVER_ELSEWHERE: break;
  }
}

/* A subscription is one miss of the caches, its connection another one or two: both are asked for in advance. */
static void deliver_to_all(const channel_t *channel, iod_publication_t *publication) {
  for (uint32_t i = 0; i < channel->count; i++) {
    if (i + 2 * AHEAD < channel->count) __builtin_prefetch(channel->subscriptions[i + 2 * AHEAD]);
    if (i + AHEAD < channel->count) iod_line_prefetch(channel->subscriptions[i + AHEAD]->line);
    deliver(channel->subscriptions[i], publication);
  }
}

void iod_pubsub_deliver(iod_server_t *server, iod_publication_t *publication) {
  iod_pubsub_t *p = &server->pubsub;
  iod_slice_t name = iod_publication_channel(publication);
  pthread_mutex_lock(&p->lock);
  iod_map_node_t *found = iod_map_find(&p->channels, name);
  if (found) deliver_to_all(channel_of(found), publication);
  if (p->patterns.count > 0) {
    for (iod_map_node_t *node = iod_map_first(&p->patterns); node; node = iod_map_next(&p->patterns, node))
      if (iod_glob_matches(name_of(node), name)) deliver_to_all(channel_of(node), publication);
  }
  pthread_mutex_unlock(&p->lock);
  iod_lines_drop_overfull(server);
}

/* ---- publishing ---- */

typedef struct publish_command {
  iod_command_t command; /* first */
  iod_publication_t *publication;
  iod_scope_t scope;
} publish_command_t;

/* Others first: they have the longer way. */
static void publish_now(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope) {
  if (scope != IOD_SCOPE_PROCESS) iod_link_publish(server, publication, scope);
  if (scope != IOD_SCOPE_SIBLINGS && (scope != IOD_SCOPE_ROOT || !server->root))
    iod_pubsub_deliver(server, publication);
  iod_publication_unref(publication);
}

static void apply_publish(iod_server_t *server, iod_command_t *command) {
  publish_command_t *p = (publish_command_t *)command;
  publish_now(server, p->publication, p->scope);
  iod_free(p);
}

int iod_server_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope) {
  if (server->inherited) {
    iod_publication_unref(publication);
    return 0;
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
