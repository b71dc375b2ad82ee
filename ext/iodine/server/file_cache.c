#include "file_cache.h"

#include "../base/alloc.h"

#include <string.h>

enum {
  LIFE = 1000, /* ms */
  MAX_ENTRIES = 2048,
  MAX_DESCRIPTORS = 128,
  MAX_MEMORY = 8 << 20,
};

static uint32_t hash_of(const void *owner, iod_slice_t path) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)owner;
  for (size_t i = 0; i < path.length; i++) hash = (hash ^ (unsigned char)path.at[i]) * UINT64_C(0x100000001b3);
  return (uint32_t)(hash ^ hash >> 32);
}

static iod_file_entry_t **bucket_of(iod_file_cache_t *cache, uint32_t hash) {
  return &cache->buckets[hash % IOD_CACHE_BUCKETS];
}

static void free_files(iod_file_t *const files[IOD_FILE_CODINGS]) {
  for (int i = 0; i < IOD_FILE_CODINGS; i++) iod_file_free(files[i]);
}

static void forget_oldest(iod_file_cache_t *cache) {
  iod_file_entry_t *entry = cache->oldest, **link = bucket_of(cache, entry->hash);
  while (*link != entry) link = &(*link)->next_in_bucket;
  *link = entry->next_in_bucket;
  cache->oldest = entry->younger;
  if (!cache->oldest) cache->youngest = NULL;
  cache->count--;
  cache->descriptors -= entry->descriptors;
  cache->memory -= entry->memory;
  free_files(entry->files);
  iod_free(entry);
}

void iod_file_cache_expire(iod_file_cache_t *cache, uint64_t now) {
  while (cache->oldest && cache->oldest->due <= now) forget_oldest(cache);
}

bool iod_file_cache_give_way(iod_file_cache_t *cache) {
  bool any = cache->descriptors > 0;
  iod_file_cache_expire(cache, UINT64_MAX);
  return any;
}

iod_file_entry_t *iod_file_cache_find(iod_file_cache_t *cache, const void *owner, iod_slice_t path, uint64_t now) {
  uint32_t hash = hash_of(owner, path);
  iod_file_cache_expire(cache, now);
  for (iod_file_entry_t *entry = *bucket_of(cache, hash); entry; entry = entry->next_in_bucket)
    if (entry->hash == hash && entry->owner == owner && iod_slice_equal(entry->path, path)) return entry;
  return NULL;
}

static void count_files(iod_file_entry_t *entry) {
  for (int i = 0; i < IOD_FILE_CODINGS; i++) {
    const iod_file_t *file = entry->files[i];
    if (!file) continue;
    entry->memory += sizeof *file + file->head.length + (file->bytes ? (size_t)file->size : 0);
    if (file->open) entry->descriptors++;
  }
}

static void make_room(iod_file_cache_t *cache, const iod_file_entry_t *entry) {
  while (cache->oldest && (cache->count >= MAX_ENTRIES || cache->descriptors + entry->descriptors > MAX_DESCRIPTORS ||
                           cache->memory + entry->memory > MAX_MEMORY))
    forget_oldest(cache);
}

iod_file_entry_t *iod_file_cache_add(iod_file_cache_t *cache, const void *owner, iod_slice_t path, iod_found_t found,
                                     iod_file_t *const files[IOD_FILE_CODINGS], uint64_t now) {
  iod_file_entry_t *entry = iod_alloc(sizeof *entry + path.length);
  if (!entry) {
    free_files(files);
    return NULL;
  }
  *entry = (iod_file_entry_t){.due = now + LIFE, .owner = owner, .hash = hash_of(owner, path), .found = found};
  entry->memory = sizeof *entry + path.length;
  entry->path = (iod_slice_t){(char *)(entry + 1), path.length};
  if (path.length) memcpy(entry + 1, path.at, path.length);
  memcpy(entry->files, files, sizeof entry->files);
  count_files(entry);
  make_room(cache, entry);
  iod_file_entry_t **bucket = bucket_of(cache, entry->hash);
  entry->next_in_bucket = *bucket;
  *bucket = entry;
  *(cache->youngest ? &cache->youngest->younger : &cache->oldest) = entry;
  cache->youngest = entry;
  cache->count++;
  cache->descriptors += entry->descriptors;
  cache->memory += entry->memory;
  return entry;
}
