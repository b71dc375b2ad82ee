#include "map.h"

#include "alloc.h"

enum {
  SMALLEST = 16, /* buckets of a table that has more than one */
  MOVES = 16,    /* buckets moved with each change: all are before the next table is wanted */
};

void iod_map_init(iod_map_t *map, iod_map_key_t key, const iod_seed_t *seed) {
  *map = (iod_map_t){.key = key, .seed = *seed};
}

void iod_map_deinit(iod_map_t *map) {
  iod_free(map->table.buckets);
  iod_free(map->old.buckets);
  iod_seed_t seed = map->seed;
  iod_map_init(map, map->key, &seed);
}

static iod_map_node_t **bucket(iod_map_table_t *table, size_t index) {
  return table->buckets ? &table->buckets[index] : &table->single;
}

/* Where a hash's chain begins now. */
static iod_map_node_t **chain(iod_map_t *map, uint64_t hash) {
  size_t index = (size_t)hash & map->old.mask;
  if (map->moving && index >= map->moved) return bucket(&map->old, index);
  return bucket(&map->table, (size_t)hash & map->table.mask);
}

static void push(iod_map_node_t **head, iod_map_node_t *node) {
  node->next = *head;
  *head = node;
}

static void move_bucket(iod_map_t *map) {
  iod_map_node_t **from = bucket(&map->old, map->moved++), *node = *from;
  *from = NULL;
  for (iod_map_node_t *next; node; node = next) {
    next = node->next;
    push(bucket(&map->table, (size_t)node->hash & map->table.mask), node);
  }
}

static void move(iod_map_t *map, size_t most) {
  if (!map->moving) return;
  for (; most > 0 && map->moved <= map->old.mask; most--) move_bucket(map);
  if (map->moved <= map->old.mask) return;
  iod_free(map->old.buckets);
  map->old = (iod_map_table_t){0};
  map->moving = false;
}

/* As many buckets as this, from now on; or as before, where memory is short. */
static void resize(iod_map_t *map, size_t buckets) {
  iod_map_table_t table = {.mask = buckets - 1};
  if (buckets > 1 && !(table.buckets = iod_alloc_zero(buckets * sizeof *table.buckets))) return;
  map->old = map->table;
  map->table = table;
  map->moved = 0;
  map->moving = true;
}

/* Between one node for eight buckets and one for each. */
static void fit(iod_map_t *map) {
  move(map, MOVES);
  size_t buckets = map->table.mask + 1;
  if (map->moving) return;
  if (map->count > buckets)
    resize(map, buckets < SMALLEST ? SMALLEST : buckets * 2);
  else if (buckets > 1 && map->count < buckets / 8)
    resize(map, buckets > SMALLEST ? buckets / 4 > SMALLEST ? buckets / 4 : SMALLEST : 1);
}

iod_map_node_t *iod_map_find(const iod_map_t *map, iod_slice_t key) {
  uint64_t hash = iod_hash(&map->seed, key);
  iod_map_node_t *node = *chain((iod_map_t *)(uintptr_t)map, hash);
  while (node && !(node->hash == hash && iod_slice_equal(map->key(node), key))) node = node->next;
  return node;
}

void iod_map_add(iod_map_t *map, iod_map_node_t *node) {
  node->hash = iod_hash(&map->seed, map->key(node));
  push(chain(map, node->hash), node);
  map->count++;
  fit(map);
}

void iod_map_remove(iod_map_t *map, iod_map_node_t *node) {
  iod_map_node_t **link = chain(map, node->hash);
  while (*link != node) link = &(*link)->next;
  *link = node->next;
  node->next = NULL;
  map->count--;
  fit(map);
}

static iod_map_node_t *first_from(const iod_map_t *map, size_t index) {
  if (!map->table.buckets) return index == 0 ? map->table.single : NULL;
  for (; index <= map->table.mask; index++)
    if (map->table.buckets[index]) return map->table.buckets[index];
  return NULL;
}

iod_map_node_t *iod_map_first(iod_map_t *map) {
  move(map, SIZE_MAX);
  return map->count > 0 ? first_from(map, 0) : NULL;
}

iod_map_node_t *iod_map_next(const iod_map_t *map, const iod_map_node_t *node) {
  return node->next ? node->next : first_from(map, ((size_t)node->hash & map->table.mask) + 1);
}
