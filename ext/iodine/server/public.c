#include "public.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../protocol/fingerprint.h"
#include "../protocol/http1_response.h"
#include "../protocol/mime.h"
#include "../protocol/path.h"
#include "file_response.h"
#include "folder.h"
#include "http.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the set-up ---- */

iod_public_t *iod_public_new(const char *const *folders, uint32_t count, uint32_t max_age, bool beneath, bool alone) {
  size_t room = sizeof(iod_public_t) + count * sizeof *folders, length;
  for (uint32_t i = 0; i < count; i++) room += strlen(folders[i]) + 1;
  iod_public_t *public = iod_alloc(room);
  if (!public) return NULL;
  *public = (iod_public_t){.beneath = beneath, .alone = alone, .count = count};
  if (max_age)
    snprintf(public->cache_control, sizeof public->cache_control, "max-age=%u", max_age);
  else
    snprintf(public->cache_control, sizeof public->cache_control, "no-cache");
  char *at = (char *)(public->folders + count);
  for (uint32_t i = 0; i < count; i++, at += length) {
    length = strlen(folders[i]) + 1;
    public->folders[i] = memcpy(at, folders[i], length);
  }
  return public;
}

void iod_public_free(iod_public_t *public) { iod_free(public); }

void iod_public_state_init(iod_public_state_t *state) {
  *state = (iod_public_state_t){.date = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"};
  state->cache.timer.kind = IOD_TIMER_OTHER;
}

void iod_public_state_deinit(iod_public_state_t *state, iod_timers_t *timers) {
  iod_timers_remove(timers, &state->cache.timer);
  iod_file_cache_expire(&state->cache, UINT64_MAX);
  iod_buffer_deinit(&state->room);
}

/* Without memory for a timer the next look at the cache does it. */
static void set_timer(iod_public_state_t *state, iod_timers_t *timers) {
  iod_file_cache_t *cache = &state->cache;
  if (!cache->oldest || cache->timer.due) return;
  int result = iod_timers_set(timers, &cache->timer, cache->oldest->due);
  (void)result;
}

void iod_public_state_timeout(iod_public_state_t *state, iod_timers_t *timers, uint64_t now) {
  iod_file_cache_expire(&state->cache, now);
  set_timer(state, timers);
}

/* ---- finding files ---- */

typedef struct search {
  const iod_public_t *public;
  iod_public_state_t *state;
  iod_file_t *files[IOD_FILE_CODINGS];
  iod_found_t found;
  char path[IOD_PATH_ROOM + 16]; /* with room for the name of an index, or of a coding */
  size_t length;
} search_t;

static int open_file(search_t *s, struct stat *status) {
  const char *folder = s->public->folders[0];
  int fd = iod_folder_open(folder, s->path, s->public->beneath, status);
  if (fd >= 0 || (errno != EMFILE && errno != ENFILE)) return fd;
  (void)iod_file_cache_give_way(&s->state->cache);
  return iod_folder_open(folder, s->path, s->public->beneath, status);
}

static iod_slice_t cache_control(const search_t *s, iod_slice_t type) {
  iod_slice_t html = IOD_SLICE("text/html");
  if (type.length >= html.length && memcmp(type.at, html.at, html.length) == 0) return IOD_SLICE("no-cache");
  if (iod_fingerprint_in((iod_slice_t){s->path, s->length})) return IOD_SLICE("public, max-age=31536000, immutable");
  return (iod_slice_t){s->public->cache_control, strlen(s->public->cache_control)};
}

/* Opens the codings of a file that stand beside it; older ones were made of what the file was before. */
static void open_siblings(search_t *s, const struct stat *file, int fds[], struct stat statuses[]) {
  static const char *const endings[IOD_FILE_CODINGS] = {"", ".gz", ".br", ".zst"};
  for (int i = 1; i < IOD_FILE_CODINGS; i++) {
    memcpy(s->path + s->length, endings[i], strlen(endings[i]) + 1);
    fds[i] = open_file(s, &statuses[i]);
    if (fds[i] < 0 || (statuses[i].st_mtime >= file->st_mtime && statuses[i].st_size > 0)) continue;
    close(fds[i]);
    fds[i] = -1;
  }
  s->path[s->length] = '\0';
}

/* Takes fd. 0 or IOD_E_NOMEM. */
static int load_file(search_t *s, int fd, const struct stat *status) {
  int fds[IOD_FILE_CODINGS] = {fd};
  struct stat statuses[IOD_FILE_CODINGS] = {*status};
  iod_file_kind_t kind = {.type = iod_mime_type((iod_slice_t){s->path, s->length})};
  kind.cache_control = cache_control(s, kind.type);
  open_siblings(s, status, fds, statuses);
  kind.varies = fds[1] >= 0 || fds[2] >= 0 || fds[3] >= 0;
  for (int i = 0; i < IOD_FILE_CODINGS; i++) {
    kind.coding = 1u << i;
    if (fds[i] >= 0) s->files[i] = iod_file_new(fds[i], &statuses[i], &kind);
  }
  s->found = IOD_FOUND_FILE;
  if (s->files[0]) return 0;
  for (int i = 1; i < IOD_FILE_CODINGS; i++) iod_file_free(s->files[i]);
  return IOD_E_NOMEM;
}

/* What to say of a file that can't be opened: nothing, if it isn't there for us; or that it can't be told now. */
static int missing(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO ? IOD_E_SYSTEM : 0;
}

/* A folder without an index is the application's. */
static int load_folder(search_t *s) {
  struct stat status;
  memcpy(s->path + s->length, "/index.html", sizeof "/index.html");
  int fd = open_file(s, &status);
  if (fd < 0) return missing(errno);
  close(fd);
  s->found = IOD_FOUND_FOLDER;
  return 0;
}

static int load(search_t *s) {
  struct stat status;
  bool index = s->length == 0 || s->path[s->length - 1] == '/';
  if (index) {
    memcpy(s->path + s->length, "index.html", sizeof "index.html");
    s->length += sizeof "index.html" - 1;
  }
  int fd = open_file(s, &status);
  if (fd >= 0) return load_file(s, fd, &status);
  return errno == EISDIR && !index ? load_folder(s) : missing(errno);
}

static int look(iod_server_t *server, const iod_public_t *public, iod_slice_t path, iod_file_entry_t **entry) {
  search_t s;
  s.public = public;
  s.state = &server->public_state;
  s.found = IOD_FOUND_NOTHING;
  memset(s.files, 0, sizeof s.files);
  s.length = path.length;
  if (path.length) memcpy(s.path, path.at, path.length);
  s.path[path.length] = '\0';
  int result = load(&s);
  if (result) return result;
  *entry = iod_file_cache_add(&s.state->cache, public, path, s.found, s.files, server->loop.now);
  set_timer(s.state, &server->loop.timers);
  return *entry ? 0 : IOD_E_NOMEM;
}

/* 0 with the entry, or why it can't be told. */
static int find(iod_http_t *http, iod_slice_t path, iod_file_entry_t **entry) {
  iod_server_t *server = http->listener->server;
  const iod_public_t *public = http->listener->settings.public;
  *entry = iod_file_cache_find(&server->public_state.cache, public, path, server->loop.now);
  return *entry ? 0 : look(server, public, path, entry);
}

/* ---- answers ---- */

static iod_slice_t date_line(iod_public_state_t *state) {
  time_t now = time(NULL);
  if (now != state->second) iod_date_format(state->date + sizeof "date: " - 1, state->second = now);
  return (iod_slice_t){state->date, sizeof state->date - 1};
}

static void send(iod_http_t *http, int status, const iod_segment_t *segments, size_t count, size_t body_bytes) {
  int close = atomic_load(&http->request->keep_alive) ? 0 : IOD_SEND_CLOSE;
  iod_send_t send = {.flags = IOD_SEND_LAST | close, .status = status, .body_bytes = body_bytes};
  int sent = iod_http_send(http->listener->server, http->request, &send, segments, count);
  (void)sent; /* whoever doesn't take it has gone */
}

/* A line of text. */
static void send_plain(iod_http_t *http, int status, iod_slice_t lines) {
  iod_public_state_t *state = &http->listener->server->public_state;
  const iod_request_t *r = http->request;
  iod_slice_t connection = iod_connection_line(r, atomic_load(&r->keep_alive)), date = date_line(state);
  const char *reason = iod_http1_reason(status);
  bool empty = iod_http1_bodyless(status), silent = empty || r->head.method_id == IOD_METHOD_HEAD;
  char head[512], type[64] = "";
  if (!empty) snprintf(type, sizeof type, "content-type: text/plain\r\ncontent-length: %zu\r\n", strlen(reason) + 1);
  int length = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\n%s%.*s%.*s", status, reason, type, (int)date.length,
                        date.at, (int)connection.length, connection.at);
  const iod_slice_t parts[] = {
      {head, (size_t)length}, lines, IOD_SLICE("\r\n"), {reason, silent ? 0 : strlen(reason)}, {"\n", !silent}};
  iod_segment_t segments[sizeof parts / sizeof *parts];
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    segments[i] = (iod_segment_t){.kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = parts[i].at, .length = parts[i].length};
  send(http, status, segments, sizeof parts / sizeof *parts, parts[3].length + parts[4].length);
}

static void send_file(iod_http_t *http, const iod_file_t *file, const iod_file_query_t *query, int status) {
  iod_public_state_t *state = &http->listener->server->public_state;
  iod_file_response_t response;
  response.request = http->request;
  response.file = file;
  response.query = query;
  response.status = status;
  response.lines = (iod_slice_t){0};
  response.date = date_line(state);
  response.keep_alive = atomic_load(&http->request->keep_alive);
  if (iod_file_respond(&response, &state->room))
    send_plain(http, 503, (iod_slice_t){0});
  else
    send(http, response.status, response.segments, response.count, response.body_bytes);
}

static void send_redirect(iod_http_t *http, iod_slice_t path) {
  const iod_request_t *r = http->request;
  iod_buffer_t line = {0};
  iod_slice_t query = iod_request_slice(r, r->head.query);
  if (iod_buffer_append(&line, "location: ", 10) ||
      iod_path_append_location(&line, path, r->head.has_query ? &query : NULL) || iod_buffer_append(&line, "\r\n", 2))
    send_plain(http, 503, (iod_slice_t){0});
  else
    send_plain(http, 301, (iod_slice_t){iod_buffer_head(&line), iod_buffer_length(&line)});
  iod_buffer_deinit(&line);
}

/* ---- the decision ---- */

/* The coding that the client likes best. What has changed on disk since it was opened is not sent: NULL. */
static const iod_file_t *choose(iod_file_entry_t *entry, const iod_file_query_t *query) {
  unsigned available = 0;
  for (int i = 0; i < IOD_FILE_CODINGS; i++) available |= entry->files[i] ? 1u << i : 0;
  unsigned best = available > 1 ? iod_accept_encoding_best(&query->accept, available) : IOD_CODING_IDENTITY;
  const iod_file_t *file = entry->files[best > 1 ? __builtin_ctz(best) : 0];
  return iod_file_changed(file) ? NULL : file;
}

/* 0: there is no such file. */
static int find_file(iod_http_t *http, iod_slice_t path, const iod_file_query_t *query, const iod_file_t **file,
                     iod_file_entry_t **entry) {
  for (int tries = 0; tries < 2; tries++) {
    int result = find(http, path, entry);
    if (result) return result;
    *file = NULL;
    if ((*entry)->found != IOD_FOUND_FILE || (*file = choose(*entry, query))) return 0;
    (*entry)->owner = NULL; /* not found again: it goes when it is due */
  }
  return IOD_E_SYSTEM; /* it is being written to */
}

/* The page of an error, or a line of text. */
static void send_page(iod_http_t *http, int status, iod_slice_t name) {
  iod_file_query_t query = iod_file_query(http->request);
  const iod_file_t *file = NULL;
  iod_file_entry_t *entry;
  int result = http->listener->settings.public ? find_file(http, name, &query, &file, &entry) : 0;
  if (result == 0 && file)
    send_file(http, file, &query, status);
  else
    send_plain(http, status, (iod_slice_t){0});
}

/* A header by which a client could tell middleware to let the server send another file. */
static void drop_steering(iod_request_t *r) {
  for (unsigned i = 0; i < r->head.header_count; i++) {
    iod_slice_t name = iod_request_slice(r, r->headers[i].name);
    if (iod_slice_is(name, IOD_SLICE("x-sendfile-type")) || iod_slice_is(name, IOD_SLICE("x-accel-mapping")))
      r->headers[i].known = IOD_HEADER_DROPPED;
  }
}

static bool may_be_file(const iod_public_t *public, const iod_request_t *r, const iod_file_query_t *query) {
  if (r->head.method_id != IOD_METHOD_GET && r->head.method_id != IOD_METHOD_HEAD) return false;
  return public->alone || !(r->head.upgrade || query->event_stream || r->body.length > 0);
}

/* True if it was answered. */
static bool answer_file(iod_http_t *http, const iod_file_query_t *query) {
  const iod_request_t *r = http->request;
  const iod_file_t *file = NULL;
  iod_file_entry_t *entry;
  char path[IOD_PATH_ROOM];
  long length = iod_path_resolve(path, iod_request_slice(r, r->head.path));
  if (length < 0) return false;
  int result = find_file(http, (iod_slice_t){path, (size_t)length}, query, &file, &entry);
  if (result)
    send_plain(http, 503, IOD_SLICE("retry-after: 1\r\n"));
  else if (file)
    send_file(http, file, query, 200);
  else if (entry->found == IOD_FOUND_FOLDER)
    send_redirect(http, entry->path);
  else
    return false;
  return true;
}

static void answer_alone(iod_http_t *http) {
  iod_slice_t allow = IOD_SLICE("allow: GET, HEAD, OPTIONS\r\n");
  switch (http->request->head.method_id) {
  case IOD_METHOD_GET:
  case IOD_METHOD_HEAD: send_page(http, 404, IOD_SLICE("404.html")); break;
  case IOD_METHOD_OPTIONS: send_plain(http, 204, allow); break;
  default: send_plain(http, 405, allow);
  }
}

bool iod_public_answer(iod_http_t *http) {
  iod_request_t *r = http->request;
  const iod_public_t *public = http->listener->settings.public;
  iod_file_query_t query = iod_file_query(r);
  iod_count_t *files = &http->listener->stats->counters.files; /* the connection may be gone when it is answered */
  if (!may_be_file(public, r, &query) || !answer_file(http, &query)) {
    if (!public->alone) {
      drop_steering(r);
      return false;
    }
    answer_alone(http);
  }
  iod_count_one(files);
  iod_request_unref(r); /* the application's reference: it never sees this one */
  return true;
}

/* ---- failures of the application ---- */

typedef struct failure_command {
  iod_command_t command; /* first */
  iod_request_t *request;
  int status;
} failure_command_t;

static void fail(iod_server_t *server, iod_request_t *request, int status) {
  iod_http_t *http = iod_http_of(server, request);
  if (!http) return;
  if (status == 500)
    send_page(http, status, IOD_SLICE("500.html"));
  else
    send_plain(http, status, (iod_slice_t){0});
}

static void apply_failure(iod_server_t *server, iod_command_t *command) {
  failure_command_t *c = (failure_command_t *)command;
  fail(server, c->request, c->status);
  iod_request_unref(c->request);
  iod_free(c);
}

void iod_request_send_failure(iod_server_t *server, iod_request_t *request, int status) {
  if (server->inherited) return;
  if (!iod_server_trylock(server)) {
    failure_command_t *c = iod_alloc(sizeof *c);
    if (c) {
      *c = (failure_command_t){.command.apply = apply_failure, .request = request, .status = status};
      atomic_fetch_add(&request->references, 1);
      iod_server_command(server, &c->command);
      return;
    }
    iod_server_lock(server); /* without memory for a command there is no way but to wait */
  }
  fail(server, request, status);
  iod_server_unlock(server);
}

/* ---- files that the application names ---- */

/* What is behind the folder in an absolute path, or NULL. */
static const char *path_in(const char *folder, const char *path) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

int iod_public_open(const iod_public_t *public, const char *path, struct stat *status) {
  for (uint32_t i = 0; i < public->count; i++) {
    const char *rest = path_in(public->folders[i], path);
    int fd = rest ? iod_folder_open(public->folders[i], rest, public->beneath, status) : -1;
    if (fd >= 0 || (rest && errno != EXDEV)) return fd;
  }
  errno = EXDEV;
  return -1;
}
