#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/base/map.h"
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct item {
  iod_map_node_t node;
  char name[16];
  bool inside;
} item_t;

static const iod_seed_t SEED = {{7, 11}};

static iod_slice_t key_of(const iod_map_node_t *node) {
  const item_t *item = IOD_MAP_OWNER(node, const item_t, node);
  return (iod_slice_t){item->name, strlen(item->name)};
}

static item_t *find(const iod_map_t *map, const char *name) {
  iod_map_node_t *node = iod_map_find(map, (iod_slice_t){name, strlen(name)});
  return node ? IOD_MAP_OWNER(node, item_t, node) : NULL;
}

static item_t *new_items(size_t count) {
  item_t *items = calloc(count, sizeof *items);
  for (size_t i = 0; i < count; i++) sprintf(items[i].name, "room:%zu", i);
  return items;
}

static void add(iod_map_t *map, item_t *item) {
  iod_map_add(map, &item->node);
  item->inside = true;
}

static void take_out(iod_map_t *map, item_t *item) {
  iod_map_remove(map, &item->node);
  item->inside = false;
}

static void check_all(const iod_map_t *map, item_t *items, size_t count) {
  size_t wrong = 0;
  for (size_t i = 0; i < count; i++) wrong += find(map, items[i].name) != (items[i].inside ? &items[i] : NULL);
  CHECK_INT(wrong, 0);
}

static void check_walk(iod_map_t *map, item_t *items, size_t count) {
  size_t inside = 0, seen = 0;
  for (size_t i = 0; i < count; i++) inside += items[i].inside;
  for (iod_map_node_t *node = iod_map_first(map); node; node = iod_map_next(map, node)) {
    item_t *item = IOD_MAP_OWNER(node, item_t, node);
    if (!CHECK(item->inside)) return;
    item->inside = false;
    seen++;
  }
  CHECK_INT(seen, inside);
  CHECK_INT(map->count, inside);
  for (iod_map_node_t *node = iod_map_first(map); node; node = iod_map_next(map, node))
    IOD_MAP_OWNER(node, item_t, node)->inside = true;
}

TEST(map_of_nothing_and_of_one) {
  item_t *items = new_items(1);
  iod_map_t map;
  iod_map_init(&map, key_of, &SEED);
  CHECK(!find(&map, "room:0"));
  CHECK(!iod_map_first(&map));
  add(&map, items);
  CHECK(find(&map, "room:0") == items);
  CHECK(!find(&map, "room:1"));
  check_walk(&map, items, 1);
  CHECK(!map.table.buckets); /* no memory for one */
  take_out(&map, items);
  CHECK(!find(&map, "room:0"));
  iod_map_deinit(&map);
  free(items);
}

TEST(map_grows_and_shrinks) {
  enum { MANY = 100000 };
  item_t *items = new_items(MANY);
  iod_map_t map;
  iod_map_init(&map, key_of, &SEED);
  for (size_t i = 0; i < MANY; i++) {
    add(&map, &items[i]);
    if ((i & (i + 1)) == 0 || i == 70000) check_all(&map, items, i + 2 < MANY ? i + 2 : MANY);
  }
  check_all(&map, items, MANY);
  check_walk(&map, items, MANY);
  CHECK(map.table.mask + 1 >= MANY);
  for (size_t i = 0; i < MANY; i++) {
    take_out(&map, &items[(i * 7919) % MANY]);
    if (i % 19997 == 0) check_all(&map, items, MANY);
  }
  CHECK_INT(map.count, 0);
  CHECK(!map.table.buckets && !map.old.buckets);
  iod_map_deinit(&map);
  free(items);
}

/* Each change moves only so much that none takes long, and yet a table is never wanted before the last one is done. */
TEST(map_is_never_late_with_moving) {
  enum { MANY = 5000 };
  item_t *items = new_items(MANY);
  iod_map_t map;
  iod_map_init(&map, key_of, &SEED);
  unsigned random = 1;
  for (int i = 0; i < 200000; i++) {
    random = random * 1103515245u + 12345u;
    item_t *item = &items[(random >> 8) % MANY];
    bool grow = i % 40000 < 20000 ? i % 8 != 0 : i % 8 == 0;
    if (grow && !item->inside) add(&map, item);
    if (!grow && item->inside) take_out(&map, item);
    if (!map.moving) CHECK(map.count <= map.table.mask + 1);
    CHECK(map.count <= 2 * (map.table.mask + 1) + 1);
    if (i % 10007 == 0) check_all(&map, items, MANY), check_walk(&map, items, MANY);
  }
  iod_map_deinit(&map);
  free(items);
}

TEST(map_without_memory_still_finds) {
  enum { MANY = 300 };
  item_t *items = new_items(MANY);
  iod_map_t map;
  iod_map_init(&map, key_of, &SEED);
  for (size_t i = 0; i < MANY; i++) {
    iod_alloc_countdown = 0;
    add(&map, &items[i]);
  }
  iod_alloc_countdown = -1;
  CHECK(!map.table.buckets);
  check_all(&map, items, MANY);
  check_walk(&map, items, MANY);
  iod_map_deinit(&map);
  free(items);
}
