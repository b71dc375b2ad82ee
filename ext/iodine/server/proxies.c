#include "proxies.h"

#include "../base/alloc.h"
#include "../protocol/forwarded.h"
#include "../protocol/proxy_header.h"
#include "listener.h"

_Static_assert(sizeof((iod_peer_t *)0)->ip == IOD_IP_TEXT, "a peer has room for every address");

iod_proxies_t *iod_proxies_new(uint32_t count) {
  iod_proxies_t *proxies = iod_alloc_zero(sizeof *proxies + count * sizeof proxies->networks[0]);
  if (proxies) proxies->count = count;
  return proxies;
}

static bool listed(const iod_proxies_t *proxies, const iod_ip_t *ip) {
  for (uint32_t i = 0; proxies && i < proxies->count; i++)
    if (iod_cidr_has(&proxies->networks[i], ip)) return true;
  return false;
}

bool iod_proxies_trust(const iod_listener_t *l, const iod_peer_t *peer) {
  iod_ip_t ip;
  if (!l->tcp) return true;
  if (!l->settings.proxies) return false;
  return iod_ip_parse((iod_slice_t){peer->ip, peer->ip_length}, &ip) == 0 && listed(l->settings.proxies, &ip);
}

static void set_peer(iod_peer_t *peer, const iod_ip_t *ip) { peer->ip_length = (uint8_t)iod_ip_format(ip, peer->ip); }

int iod_proxies_take_header(const iod_listener_t *l, iod_peer_t *peer, bool *trusted, const char *bytes,
                            size_t length) {
  iod_proxy_header_t header;
  int used = iod_proxy_header_parse(bytes, length, &header);
  if (used > 0 && header.named) {
    set_peer(peer, &header.client);
    *trusted = listed(l->settings.proxies, &header.client);
  }
  return used;
}

/* ---- headers ---- */

enum { FOR, PROTO, HOST, PORT, X_COUNT, FORWARDED = X_COUNT, COUNT };

static int kind_of(iod_slice_t name) {
  static const iod_slice_t names[] = {[FOR] = {"x-forwarded-for", 15},
                                      [PROTO] = {"x-forwarded-proto", 17},
                                      [HOST] = {"x-forwarded-host", 16},
                                      [PORT] = {"x-forwarded-port", 16},
                                      [FORWARDED] = {"forwarded", 9}};
  for (int i = 0; i < COUNT; i++)
    if (iod_slice_is(name, names[i])) return i;
  return -1;
}

/* The lines of one name, which together are a list, from its end. */
typedef struct lines {
  const iod_request_t *request;
  int kind;
  unsigned next;    /* the lines from here on were read */
  iod_slice_t rest; /* of the line before */
} lines_t;

static bool next_line(lines_t *l) {
  const iod_request_t *r = l->request;
  while (l->next > 0) {
    const iod_header_t *header = &r->headers[--l->next];
    if (kind_of(iod_request_slice(r, header->name)) != l->kind) continue;
    l->rest = iod_request_slice(r, header->value);
    return true;
  }
  return false;
}

static bool pop_item(lines_t *l, iod_slice_t *item) {
  while (!iod_forwarded_pop_item(&l->rest, item))
    if (!next_line(l)) return false;
  return true;
}

static bool pop_element(lines_t *l, iod_forwarded_t *element) {
  int result;
  while ((result = iod_forwarded_pop(&l->rest, element)) == 0)
    if (!next_line(l)) return false;
  return result > 0;
}

/* Whether to look further left: the address was of a trusted proxy. */
static bool take_client(const iod_listener_t *l, iod_request_t *r, iod_slice_t node) {
  iod_ip_t ip;
  if (iod_forwarded_node(node, &ip)) return false;
  set_peer(&r->remote, &ip);
  return listed(l->settings.proxies, &ip);
}

static void take_scheme(iod_request_t *r, iod_slice_t scheme) {
  if (iod_slice_is(scheme, IOD_SLICE("https")) || iod_slice_is(scheme, IOD_SLICE("wss")))
    r->forwarded.scheme = IOD_SCHEME_HTTPS;
  else if (iod_slice_is(scheme, IOD_SLICE("http")) || iod_slice_is(scheme, IOD_SLICE("ws")))
    r->forwarded.scheme = IOD_SCHEME_HTTP;
}

static void take_host(iod_request_t *r, iod_slice_t host) {
  if (iod_http1_host_valid(host.at, host.length)) r->forwarded.host = host;
}

static void take_port(iod_request_t *r, iod_slice_t port) {
  unsigned n = 0;
  if (port.length > 5 || *port.at == '0') return;
  for (size_t i = 0; i < port.length; i++) {
    if (port.at[i] < '0' || port.at[i] > '9') return;
    n = n * 10 + (unsigned)(port.at[i] - '0');
  }
  if (n <= UINT16_MAX) r->forwarded.port = port;
}

/* The last one of each but the address: the nearest proxy added it, and Rack::Request reads the same. */
static void read_x_forwarded(const iod_listener_t *l, iod_request_t *r, const lines_t lists[X_COUNT]) {
  lines_t list = lists[FOR];
  iod_slice_t item;
  while (pop_item(&list, &item) && take_client(l, r, item)) {}
  list = lists[PROTO];
  if (pop_item(&list, &item)) take_scheme(r, item);
  list = lists[HOST];
  if (pop_item(&list, &item)) take_host(r, item);
  list = lists[PORT];
  if (pop_item(&list, &item)) take_port(r, item);
}

static void read_forwarded(const iod_listener_t *l, iod_request_t *r, lines_t list) {
  iod_forwarded_t element;
  for (bool nearest = true; pop_element(&list, &element); nearest = false) {
    if (nearest) take_scheme(r, element.proto);
    if (nearest && element.host.length > 0) take_host(r, element.host);
    if (!take_client(l, r, element.client)) return;
  }
}

void iod_proxies_read(const iod_listener_t *l, iod_request_t *r) {
  lines_t lists[COUNT] = {0};
  unsigned found = 0;
  for (unsigned i = 0; i < r->head.header_count; i++) {
    int kind = r->headers[i].known == IOD_HEADER_OTHER ? kind_of(iod_request_slice(r, r->headers[i].name)) : -1;
    if (kind < 0) continue;
    lists[kind] = (lines_t){.request = r, .kind = kind, .next = i + 1};
    found |= 1u << kind;
  }
  if (found & ((1u << X_COUNT) - 1))
    read_x_forwarded(l, r, lists);
  else if (found)
    read_forwarded(l, r, lists[FORWARDED]);
}
