#include "overload.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../protocol/http1_response.h"
#include "server.h"

#include <string.h>

enum { RETRY_MOST = 5 }; /* seconds */

static iod_server_t *server_of(const iod_http_t *http) { return http->listener->server; }
static const iod_settings_t *settings_of(const iod_http_t *http) { return &http->listener->settings; }

iod_slice_t iod_overload_retry(iod_server_t *server, char room[IOD_RETRY_ROOM]) {
  static const char line[] = "retry-after: 1\r\n";
  memcpy(room, line, sizeof line);
  room[sizeof line - 4] = (char)('1' + server->retry++ % RETRY_MOST);
  return (iod_slice_t){room, sizeof line - 1};
}

/* ---- connections ---- */

bool iod_overload_enter(iod_http_t *http) {
  iod_server_t *server = server_of(http);
  uint32_t most = settings_of(http)->max_per_address;
  if (!most || http->trusted) return true; /* a proxy stands for many */
  iod_address_place_t place = iod_addresses_place(&server->addresses, &http->remote);
  if (!place) return true;
  if (iod_addresses_count(&server->addresses, atomic_load(server->shared.used), place) >= most) return false;
  iod_addresses_enter(&server->addresses, server->index, http->place = place);
  return true;
}

void iod_overload_leave(iod_http_t *http) {
  iod_addresses_leave(&server_of(http)->addresses, server_of(http)->index, http->place);
  http->place = 0;
}

/* ---- answers ---- */

static void answer(iod_http_t *http, int status, bool close) {
  iod_request_t *r = http->request;
  iod_buffer_t out = {0};
  char date[IOD_DATE_LENGTH], room[IOD_RETRY_ROOM];
  iod_date_format(date, time(NULL));
  bool head_only = r->head.method_id == IOD_METHOD_HEAD;
  iod_slice_t retry = status == 503 ? iod_overload_retry(server_of(http), room) : (iod_slice_t){0};
  close = close || !r->keep_alive;
  iod_date_format(date, time(NULL));
  iod_slice_t connection = iod_http1_connection_line(!close, r->head.minor);
  if (iod_http1_error_response(&out, status, date, connection, retry, head_only)) {
    iod_stream_close(&http->stream);
    return;
  }
  iod_segment_t segment = {
      .kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = iod_buffer_head(&out), .length = iod_buffer_length(&out)};
  iod_send_t send = {.flags = IOD_SEND_LAST | (close ? IOD_SEND_CLOSE : 0),
                     .status = status,
                     .body_bytes = head_only ? 0 : strlen(iod_http1_reason(status)) + 1};
  int sent = iod_http_send(server_of(http), r, &send, &segment, 1);
  (void)sent; /* whoever doesn't take it has gone */
  iod_buffer_deinit(&out);
}

/* The application's reference is given back by who has it: here, if it never saw the request. */
static void give_up(iod_http_t *http, int status, bool unseen) {
  iod_request_t *r = http->request;
  iod_server_t *server = server_of(http);
  iod_slice_t path = iod_request_slice(r, r->head.path);
  iod_log(IOD_LOG_DEBUG, "gave up a request of %s for %.*s with %d", http->remote.ip, (int)path.length, path.at,
          status);
  if (status == 503) iod_count_one(&http->listener->stats->counters.refused);
  atomic_store(&r->gone, IOD_GONE);
  if (atomic_load(&server->drain_waiters) > 0) iod_server_wake_waiters(server);
  answer(http, status, status == 504);
  if (unseen) iod_request_unref(r);
}

/* ---- requests ---- */

/* What an idle thread takes at once doesn't wait. */
static bool is_full(iod_server_t *server, uint32_t most) {
  uint32_t running = atomic_load(&server->crew.slot->running), threads = atomic_load(&server->crew.slot->threads);
  size_t idle = threads > running ? threads - running : 0;
  return atomic_load_explicit(&server->jobs.requests, memory_order_relaxed) >= most + idle;
}

static bool wait_until(iod_http_t *http, uint64_t due) {
  http->patience.kind = IOD_TIMER_PATIENCE;
  return iod_timers_set(&http->stream.loop->timers, &http->patience, due) == 0;
}

bool iod_overload_admit(iod_http_t *http) {
  const iod_settings_t *s = settings_of(http);
  bool admitted = !s->max_queue || !is_full(server_of(http), s->max_queue);
  uint32_t patience = s->queue_timeout ? s->queue_timeout : s->request_timeout;
  if (s->request_timeout && s->request_timeout < patience) patience = s->request_timeout;
  if (admitted && patience) {
    http->since = http->stream.loop->now;
    admitted = wait_until(http, http->since + patience);
  }
  if (!admitted) give_up(http, 503, true);
  return admitted;
}

void iod_overload_timeout(iod_timer_t *timer) {
  iod_http_t *http = (iod_http_t *)(void *)((char *)timer - offsetof(iod_http_t, patience));
  uint32_t most = settings_of(http)->request_timeout;
  bool over = most && http->stream.loop->now - http->since >= most;
  bool unseen = iod_jobs_remove(&server_of(http)->jobs, &http->request->job);
  if (over || unseen)
    give_up(http, over ? 504 : 503, unseen);
  else if (most && !wait_until(http, http->since + most))
    iod_stream_close(&http->stream);
}
