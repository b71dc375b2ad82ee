/* A hash map of what its owner allocates: a node is part of the owner's struct, the map has only the buckets. It grows
 * and shrinks a little with each change, so no change takes long, and adding can't fail: without memory for more
 * buckets the chains get longer. Not thread safe. */
#ifndef IOD_BASE_MAP_H
#define IOD_BASE_MAP_H

#include "hash.h"

#include <stddef.h>

typedef struct iod_map_node {
  struct iod_map_node *next; /* private */
  uint64_t hash;             /* of its key */
} iod_map_node_t;

/* The struct of this type whose `member` is the node. */
#define IOD_MAP_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* A node's key: the same as long as it is in the map. */
typedef iod_slice_t (*iod_map_key_t)(const iod_map_node_t *node);

typedef struct iod_map_table {
  iod_map_node_t **buckets; /* NULL: there is one, and `single` is it */
  iod_map_node_t *single;
  size_t mask; /* their number less 1 */
} iod_map_table_t;

typedef struct iod_map {
  iod_map_key_t key;
  iod_seed_t seed;
  size_t count;
  iod_map_table_t table; /* private, as what follows */
  iod_map_table_t old;   /* what is moved to the table, bucket after bucket */
  size_t moved;          /* buckets of the old one that are empty now */
  bool moving;
} iod_map_t;

void iod_map_init(iod_map_t *map, iod_map_key_t key, const iod_seed_t *seed);
void iod_map_deinit(iod_map_t *map); /* the nodes are their owners' */

/* The node with this key, or NULL. */
iod_map_node_t *iod_map_find(const iod_map_t *map, iod_slice_t key);

/* Its key must not be in the map yet. */
void iod_map_add(iod_map_t *map, iod_map_node_t *node);

/* It must be in the map. */
void iod_map_remove(iod_map_t *map, iod_map_node_t *node);

/* Every node once, in any order, for as long as the map isn't changed: the first, and that behind a node; NULL at the
 * end. Who frees all nodes asks for each one's next before, and deinits the map then. */
iod_map_node_t *iod_map_first(iod_map_t *map);
iod_map_node_t *iod_map_next(const iod_map_t *map, const iod_map_node_t *node);

#endif
