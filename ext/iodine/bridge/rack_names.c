#include "rack_names.h"

#include "../protocol/http1_head.h"

#include <ruby/encoding.h>

/* What browsers, proxies and API clients send. Others get a key that is built for the request. */
static const char *const COMMON[] = {"accept",
                                     "accept-charset",
                                     "accept-encoding",
                                     "accept-language",
                                     "access-control-request-headers",
                                     "access-control-request-method",
                                     "authorization",
                                     "cache-control",
                                     "cf-connecting-ip",
                                     "cf-ipcountry",
                                     "cf-ray",
                                     "connection",
                                     "content-encoding",
                                     "content-md5",
                                     "cookie",
                                     "date",
                                     "dnt",
                                     "expect",
                                     "forwarded",
                                     "from",
                                     "host",
                                     "idempotency-key",
                                     "if-match",
                                     "if-modified-since",
                                     "if-none-match",
                                     "if-range",
                                     "if-unmodified-since",
                                     "keep-alive",
                                     "last-event-id",
                                     "max-forwards",
                                     "origin",
                                     "pragma",
                                     "priority",
                                     "proxy-authorization",
                                     "range",
                                     "referer",
                                     "save-data",
                                     "sec-ch-ua",
                                     "sec-ch-ua-mobile",
                                     "sec-ch-ua-platform",
                                     "sec-fetch-dest",
                                     "sec-fetch-mode",
                                     "sec-fetch-site",
                                     "sec-fetch-user",
                                     "sec-gpc",
                                     "te",
                                     "traceparent",
                                     "tracestate",
                                     "transfer-encoding",
                                     "upgrade",
                                     "upgrade-insecure-requests",
                                     "user-agent",
                                     "via",
                                     "x-amzn-trace-id",
                                     "x-csrf-token",
                                     "x-forwarded-for",
                                     "x-forwarded-host",
                                     "x-forwarded-port",
                                     "x-forwarded-proto",
                                     "x-http-method-override",
                                     "x-real-ip",
                                     "x-request-id",
                                     "x-request-start",
                                     "x-requested-with"};

enum { COUNT = sizeof COMMON / sizeof *COMMON, SLOTS = 256, LONGEST = 32 };
_Static_assert((int)COUNT <= (int)IOD_RACK_COMMON_MAX, "a bit for each");

static VALUE keys[COUNT];
static uint8_t lengths[COUNT];
static uint8_t slots[SLOTS]; /* an index plus 1; 0 = none */

static unsigned char lower(char c) {
  unsigned char byte = (unsigned char)c;
  return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* Length and three letters tell nearly all of them apart. */
static unsigned slot_of(iod_slice_t name) {
  unsigned first = lower(name.at[0]), middle = lower(name.at[name.length / 2]), final = lower(name.at[name.length - 1]);
  return (unsigned)name.length * 37 + first * 5 + middle * 11 + final * 59;
}

/* Letters become capitals, "-" becomes "_" (RFC 3875 section 4.1.18). */
static VALUE build(iod_slice_t name) {
  VALUE room = rb_str_buf_new((long)name.length + 5);
  char *key = RSTRING_PTR(room);
  memcpy(key, "HTTP_", 5);
  for (size_t i = 0; i < name.length; i++) {
    char c = name.at[i];
    key[5 + i] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
  }
  VALUE interned = rb_enc_interned_str(key, (long)name.length + 5, rb_utf8_encoding());
  RB_GC_GUARD(room);
  return interned;
}

VALUE iod_rack_key_of(iod_slice_t name, int *index) {
  *index = -1;
  if (name.length <= LONGEST) {
    for (unsigned slot = slot_of(name); slots[slot % SLOTS]; slot++) {
      int i = slots[slot % SLOTS] - 1;
      if (lengths[i] != name.length || !iod_slice_is(name, (iod_slice_t){COMMON[i], lengths[i]})) continue;
      *index = i;
      return keys[i];
    }
  }
  return build(name);
}

VALUE iod_rack_key(const char *name) {
  VALUE key = rb_enc_interned_str_cstr(name, rb_utf8_encoding());
  rb_gc_register_mark_object(key);
  return key;
}

void iod_rack_names_init(void) {
  for (int i = 0; i < COUNT; i++) {
    iod_slice_t name = {COMMON[i], strlen(COMMON[i])};
    unsigned slot = slot_of(name);
    while (slots[slot % SLOTS]) slot++;
    slots[slot % SLOTS] = (uint8_t)(i + 1);
    lengths[i] = (uint8_t)name.length;
    keys[i] = build(name);
    rb_gc_register_mark_object(keys[i]);
  }
}
