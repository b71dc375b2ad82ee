#include "origin.h"

#include "chars.h"
#include "http1_head.h"

typedef struct origin {
  iod_slice_t scheme, host, port;
} origin_t;

static iod_slice_t until(const char *at, const char *end) { return (iod_slice_t){at, (size_t)(end - at)}; }

/* The ':' before the port, or NULL; one in an IPv6 address's brackets is none. */
static const char *find_port(iod_slice_t host) {
  for (const char *at = host.at + host.length; at > host.at && at[-1] != ']'; at--)
    if (at[-1] == ':') return at - 1;
  return NULL;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

static bool same_but_for_case(iod_slice_t a, iod_slice_t b) {
  if (a.length != b.length) return false;
  for (size_t i = 0; i < a.length; i++)
    if (lower(a.at[i]) != lower(b.at[i])) return false;
  return true;
}

static bool default_port(iod_slice_t scheme, iod_slice_t port) {
  return (iod_slice_is(scheme, IOD_SLICE("http")) && iod_slice_equal(port, IOD_SLICE("80"))) ||
         (iod_slice_is(scheme, IOD_SLICE("https")) && iod_slice_equal(port, IOD_SLICE("443")));
}

/* False: there is no "://". */
static bool split(iod_slice_t text, origin_t *origin) {
  const char *end = text.at + text.length, *colon = text.length > 0 ? memchr(text.at, ':', text.length) : NULL;
  if (!colon || end - colon < 3 || colon[1] != '/' || colon[2] != '/') return false;
  origin->scheme = until(text.at, colon);
  origin->host = until(colon + 3, end);
  origin->port = (iod_slice_t){end, 0};
  const char *port = find_port(origin->host);
  if (!port) return true;
  origin->port = until(port + 1, end);
  origin->host = until(origin->host.at, port);
  if (default_port(origin->scheme, origin->port)) origin->port.length = 0;
  return true;
}

static bool is_null(iod_slice_t text) { return iod_slice_is(text, IOD_SLICE("null")); }

static bool is_wild(iod_slice_t host) { return host.length > 2 && host.at[0] == '*' && host.at[1] == '.'; }

static bool scheme_valid(iod_slice_t scheme) {
  for (size_t i = 0; i < scheme.length; i++)
    if (!iod_char_is(scheme.at[i], IOD_CHAR_NAME)) return false;
  return scheme.length > 0;
}

bool iod_origin_valid(iod_slice_t allowed) {
  origin_t origin;
  if (is_null(allowed)) return true;
  if (!split(allowed, &origin)) return false;
  iod_slice_t host = origin.host;
  if (is_wild(host)) host = (iod_slice_t){host.at + 2, host.length - 2};
  if (host.length == 0 || memchr(host.at, '*', host.length)) return false;
  size_t with_port = (size_t)(allowed.at + allowed.length - host.at);
  return scheme_valid(origin.scheme) && iod_http1_host_valid(host.at, with_port);
}

bool iod_origin_matches(iod_slice_t origin, iod_slice_t allowed) {
  origin_t theirs, ours;
  if (is_null(allowed)) return is_null(origin);
  if (!split(origin, &theirs) || !split(allowed, &ours)) return false;
  if (!same_but_for_case(theirs.scheme, ours.scheme) || !iod_slice_equal(theirs.port, ours.port)) return false;
  if (!is_wild(ours.host)) return same_but_for_case(theirs.host, ours.host);
  iod_slice_t below = {ours.host.at + 1, ours.host.length - 1}; /* with its dot */
  if (theirs.host.length <= below.length) return false;
  const char *end = theirs.host.at + theirs.host.length;
  return same_but_for_case(until(end - below.length, end), below);
}
