#include "inside.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "../protocol/http1_response.h"
#include "http.h"
#include "server.h"
#include "stats_text.h"

#include <string.h>
#include <time.h>

iod_inside_t *iod_inside_new(iod_slice_t page, iod_slice_t policy) {
  iod_inside_t *inside = iod_alloc(sizeof *inside + page.length + policy.length);
  if (!inside) return NULL;
  memcpy(inside->bytes, page.at, page.length);
  memcpy(inside->bytes + page.length, policy.at, policy.length);
  inside->page = (iod_slice_t){inside->bytes, page.length};
  inside->policy = (iod_slice_t){inside->bytes + page.length, policy.length};
  return inside;
}

void iod_inside_free(iod_inside_t *inside) { iod_free(inside); }

/* ---- what is told: each prints its body and gives the status ---- */

static int tell_metrics(iod_printer_t *p, const iod_http_t *http) {
  iod_stats_print_prometheus(p, http->listener->server->cluster);
  return 200;
}

static int tell_stats(iod_printer_t *p, const iod_http_t *http) {
  iod_stats_print_json(p, http->listener->server->cluster);
  return 200;
}

static int tell_health(iod_printer_t *p, const iod_http_t *http) {
  (void)http;
  iod_print(p, "ok\n");
  return 200;
}

static int tell_ready(iod_printer_t *p, const iod_http_t *http) {
  iod_totals_t t;
  iod_totals_sum(&t, http->listener->server->cluster);
  if (t.ready)
    iod_print(p, "ready: %u of %u workers\n", t.ready, t.serving);
  else
    iod_print(p, "%s\n",
              t.serving ? "not ready: requests wait and no thread takes them" : "not ready: no worker serves");
  return t.ready ? 200 : 503;
}

static int tell_page(iod_printer_t *p, const iod_http_t *http) {
  iod_slice_t page = http->listener->settings.inside->page;
  iod_print(p, "%.*s", (int)page.length, page.at);
  return 200;
}

static const struct place {
  iod_slice_t path;
  const char *type;
  int (*tell)(iod_printer_t *printer, const iod_http_t *http);
} places[] = {
    {IOD_SLICE("/metrics"), "text/plain; version=0.0.4; charset=utf-8", tell_metrics},
    {IOD_SLICE("/stats"), "application/json", tell_stats},
    {IOD_SLICE("/health"), "text/plain; charset=utf-8", tell_health},
    {IOD_SLICE("/ready"), "text/plain; charset=utf-8", tell_ready},
    {IOD_SLICE("/"), "text/html; charset=utf-8", tell_page},
};

static const struct place *place_of(iod_slice_t path) {
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (iod_slice_equal(places[i].path, path)) return &places[i];
  return NULL;
}

/* ---- answers ---- */

typedef struct answer {
  int status;
  const char *type, *extra; /* a header line */
  iod_printer_t body;
} answer_t;

static void print_line(answer_t *a, int status) {
  a->status = status;
  a->type = "text/plain; charset=utf-8";
  iod_print(&a->body, "%s\n", iod_http1_reason(status));
}

static void decide(answer_t *a, const iod_http_t *http) {
  const iod_http1_head_t *head = &http->request->head;
  const struct place *place = place_of(iod_request_slice(http->request, head->path));
  if (!place) {
    print_line(a, 404);
  } else if (head->method_id != IOD_METHOD_GET && head->method_id != IOD_METHOD_HEAD) {
    a->extra = "allow: GET, HEAD\r\n";
    print_line(a, 405);
  } else {
    a->type = place->type;
    a->status = place->tell(&a->body, http);
  }
}

static void print_head(iod_printer_t *p, const answer_t *a, const iod_http_t *http) {
  char date[IOD_DATE_LENGTH], room[IOD_STATUS_LINE_ROOM];
  const iod_request_t *r = http->request;
  iod_slice_t line = iod_http1_status_line(a->status, room);
  iod_slice_t connection = iod_http1_connection_line(atomic_load(&r->keep_alive), r->head.minor);
  iod_slice_t policy = http->listener->settings.inside->policy;
  iod_date_format(date, time(NULL));
  iod_print(p,
            "%.*sdate: %.29s\r\ncontent-type: %s\r\ncontent-length: %zu\r\ncache-control: no-store\r\n"
            "content-security-policy: %.*s\r\nx-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n"
            "cross-origin-resource-policy: same-origin\r\n%s%.*s\r\n",
            (int)line.length, line.at, date, a->type, iod_buffer_length(&a->body.buffer), (int)policy.length, policy.at,
            a->extra, (int)connection.length, connection.at);
}

static void send(iod_http_t *http, const answer_t *a, const iod_printer_t *head) {
  iod_request_t *r = http->request;
  size_t length = r->head.method_id == IOD_METHOD_HEAD ? 0 : iod_buffer_length(&a->body.buffer);
  const iod_segment_t segments[] = {iod_segment_bytes(iod_buffer_head(&head->buffer), iod_buffer_length(&head->buffer)),
                                    iod_segment_bytes(iod_buffer_head(&a->body.buffer), length)};
  iod_send_t send = {.flags = IOD_SEND_LAST, .status = a->status, .body_bytes = length};
  int sent = iod_http_send(http->listener->server, r, &send, segments, 2);
  (void)sent; /* whoever doesn't take it has gone */
}

void iod_inside_answer(iod_http_t *http) {
  answer_t answer = {.extra = ""};
  iod_printer_t head = {0};
  iod_request_t *r = http->request;
  decide(&answer, http);
  print_head(&head, &answer, http);
  if (answer.body.failed || head.failed)
    iod_stream_close(&http->stream);
  else
    send(http, &answer, &head);
  iod_buffer_deinit(&answer.body.buffer);
  iod_buffer_deinit(&head.buffer);
  iod_request_unref(r); /* the application's reference: it never sees this one */
}
