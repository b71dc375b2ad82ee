#include "forwarded.h"

#include "chars.h"

static bool blank(char c) { return c == ' ' || c == '\t'; }

static const char *trim_end(const char *begin, const char *end) {
  while (end > begin && blank(end[-1])) end--;
  return end;
}

/* Empty items count for nothing (RFC 9110 section 5.6.1). */
static const char *trim_commas(const char *begin, const char *end) {
  while (end > begin && (blank(end[-1]) || end[-1] == ',')) end--;
  return end;
}

bool iod_forwarded_pop_item(iod_slice_t *list, iod_slice_t *item) {
  const char *begin = list->at, *end = trim_commas(begin, begin + list->length), *p = end;
  while (p > begin && p[-1] != ',') p--;
  list->length = (size_t)(p - begin);
  while (p < end && blank(*p)) p++;
  *item = (iod_slice_t){p, (size_t)(end - p)};
  return item->length > 0;
}

/* ---- Forwarded ---- */

/* The quote before `end` that has no backslash before it, or NULL. */
static const char *opening_quote(const char *begin, const char *end) {
  for (const char *p = end; p > begin;) {
    if (*--p != '"') continue;
    const char *quote = p;
    while (p > begin && p[-1] == '\\') p--;
    if ((quote - p) % 2 == 0) return quote;
  }
  return NULL;
}

static bool value_char(char c) { return iod_char_is(c, IOD_CHAR_TOKEN) || c == ':' || c == '[' || c == ']'; }

/* The value that ends at `end`; where it begins with its quote, or NULL. */
static const char *pop_value(const char *begin, const char *end, iod_slice_t *value) {
  const char *p = end;
  if (p == begin) return NULL;
  if (p[-1] == '"') {
    const char *backslash = end - 1;
    while (backslash > begin && backslash[-1] == '\\') backslash--;
    if ((end - 1 - backslash) % 2) return NULL;
    p = opening_quote(begin, end - 1);
    if (p) *value = (iod_slice_t){p + 1, (size_t)(end - 1 - (p + 1))};
    return p;
  }
  while (p > begin && value_char(p[-1])) p--;
  *value = (iod_slice_t){p, (size_t)(end - p)};
  return p < end ? p : NULL;
}

/* Each may come once. */
static bool set(iod_slice_t *field, iod_slice_t value) {
  if (field->at) return false;
  *field = value;
  return true;
}

static bool set_pair(iod_forwarded_t *element, iod_slice_t name, iod_slice_t value) {
  if (iod_slice_is(name, IOD_SLICE("for"))) return set(&element->client, value);
  if (iod_slice_is(name, IOD_SLICE("proto"))) return set(&element->proto, value);
  if (iod_slice_is(name, IOD_SLICE("host"))) return set(&element->host, value);
  return true;
}

/* The name=value that ends at `end`; where it begins, or NULL. */
static const char *pop_pair(const char *begin, const char *end, iod_forwarded_t *element) {
  iod_slice_t value;
  const char *p = pop_value(begin, end, &value);
  if (!p || p == begin || *--p != '=') return NULL;
  end = p;
  while (p > begin && iod_char_is(p[-1], IOD_CHAR_TOKEN)) p--;
  bool good = p < end && set_pair(element, (iod_slice_t){p, (size_t)(end - p)}, value);
  return good ? p : NULL;
}

int iod_forwarded_pop(iod_slice_t *list, iod_forwarded_t *element) {
  const char *begin = list->at, *p = trim_commas(begin, begin + list->length);
  *element = (iod_forwarded_t){0};
  list->length = 0;
  if (p == begin) return 0;
  for (;;) {
    while (p > begin && (blank(p[-1]) || p[-1] == ';')) p--; /* a pair may be missing */
    if (p == begin || p[-1] == ',') break;
    p = pop_pair(begin, p, element);
    if (!p) return IOD_E_BAD_REQUEST;
    p = trim_end(begin, p);
    if (p > begin && p[-1] != ';' && p[-1] != ',') return IOD_E_BAD_REQUEST;
  }
  list->length = (size_t)(p - begin);
  return 1;
}

/* ---- addresses ---- */

static bool port_valid(const char *p, const char *end) {
  if (p == end) return false;
  bool obfuscated = *p == '_';
  if (!obfuscated && end - p > 5) return false;
  for (; p < end; p++)
    if (obfuscated ? !(iod_char_is(*p, IOD_CHAR_TOKEN)) : *p < '0' || *p > '9') return false;
  return true;
}

static int parse(const char *begin, const char *end, iod_ip_t *ip) {
  return iod_ip_parse((iod_slice_t){begin, (size_t)(end - begin)}, ip);
}

static int parse_bracketed(iod_slice_t text, iod_ip_t *ip) {
  const char *end = text.at + text.length, *close = memchr(text.at, ']', text.length);
  if (!close || !memchr(text.at, ':', (size_t)(close - text.at))) return IOD_E_BAD_REQUEST;
  const char *port = close + 1;
  if (port < end && (*port != ':' || !port_valid(port + 1, end))) return IOD_E_BAD_REQUEST;
  return parse(text.at + 1, close, ip);
}

int iod_forwarded_node(iod_slice_t text, iod_ip_t *ip) {
  if (text.length > 0 && *text.at == '[') return parse_bracketed(text, ip);
  const char *end = text.at + text.length, *colon = text.length > 0 ? memchr(text.at, ':', text.length) : NULL;
  if (!colon || memchr(colon + 1, ':', (size_t)(end - colon - 1))) return iod_ip_parse(text, ip);
  return port_valid(colon + 1, end) ? parse(text.at, colon, ip) : IOD_E_BAD_REQUEST;
}
