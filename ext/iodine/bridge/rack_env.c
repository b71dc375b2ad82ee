#include "rack_env.h"

#include "../base/alloc.h"
#include "../server/access_line.h"
#include "../server/listener.h"
#include "rack_exchange.h"
#include "rack_input.h"
#include "rack_names.h"
#include "rack_tls.h"

#include <ruby/encoding.h>
#include <stdlib.h>

/* Everything in the template is frozen: the application shares it with other requests. What comes from the client and
 * what applications like to change in place (the path) is a String of the request's own. */
typedef struct listener {
  VALUE self;
  VALUE app;
  VALUE env;
  VALUE protocols;    /* blocks by ALPN names, or nil */
  VALUE host, remote; /* the last ones seen: clients come in rows from the same place */
  VALUE errors;       /* $stderr as it was then */
  bool https;         /* the port's default is 443 */
  bool complete;      /* what is known only once the server runs is there */
} listener_t;

#define KEYS(X)                                                                                                        \
  X(REQUEST_METHOD, "REQUEST_METHOD")                                                                                  \
  X(SCRIPT_NAME, "SCRIPT_NAME")                                                                                        \
  X(PATH_INFO, "PATH_INFO")                                                                                            \
  X(QUERY_STRING, "QUERY_STRING")                                                                                      \
  X(SERVER_NAME, "SERVER_NAME")                                                                                        \
  X(SERVER_PORT, "SERVER_PORT")                                                                                        \
  X(SERVER_PROTOCOL, "SERVER_PROTOCOL")                                                                                \
  X(REMOTE_ADDR, "REMOTE_ADDR")                                                                                        \
  X(HTTP_HOST, "HTTP_HOST")                                                                                            \
  X(CONTENT_TYPE, "CONTENT_TYPE")                                                                                      \
  X(CONTENT_LENGTH, "CONTENT_LENGTH")                                                                                  \
  X(VERSION, "rack.version")                                                                                           \
  X(URL_SCHEME, "rack.url_scheme")                                                                                     \
  X(HTTPS, "HTTPS")                                                                                                    \
  X(INPUT, "rack.input")                                                                                               \
  X(ERRORS, "rack.errors")                                                                                             \
  X(MULTITHREAD, "rack.multithread")                                                                                   \
  X(MULTIPROCESS, "rack.multiprocess")                                                                                 \
  X(RUN_ONCE, "rack.run_once")                                                                                         \
  X(CAN_HIJACK, "rack.hijack?")                                                                                        \
  X(HIJACK, "rack.hijack")                                                                                             \
  X(EARLY_HINTS, "rack.early_hints")                                                                                   \
  X(RESPONSE_FINISHED, "rack.response_finished")                                                                       \
  X(AFTER_REPLY, "rack.after_reply")                                                                                   \
  X(CAN_UPGRADE, "rack.upgrade?")                                                                                      \
  X(PROTOCOL, "rack.protocol")                                                                                         \
  X(OLD_WEBSOCKET, "upgrade.websocket?")                                                                               \
  X(OLD_TCP, "upgrade.tcp?")

enum {
#define X(name, string) KEY_##name,
  KEYS(X)
#undef X
      KEY_COUNT
};

static VALUE keys[KEY_COUNT];
static VALUE methods[IOD_METHOD_TRACE + 1]; /* by IOD_METHOD_…; 0 for the others */
static VALUE websocket, sse;                /* symbols */
static VALUE websocket_offer;               /* rack.protocol of most upgrades */
static VALUE nothing_finished;              /* rack.response_finished and rack.after_reply, once it is all over */
static VALUE upgrade_key, request_id_key;
static struct { /* what the headers of every handshake say: one String for all */
  iod_slice_t text;
  VALUE string;
} handshake_words[] = {{{"websocket", 9}, 0}, {{"Upgrade", 7}, 0}, {{"keep-alive, Upgrade", 19}, 0}, {{"13", 2}, 0}};
enum { HANDSHAKE_WORDS = sizeof handshake_words / sizeof *handshake_words };
static VALUE empty, http10, http11, scheme_http, scheme_https, on, iodine;

/* The server keeps the object's address: marking itself keeps it in its place. */
static void mark(void *data) {
  listener_t *l = data;
  rb_gc_mark(l->self);
  rb_gc_mark_movable(l->app);
  rb_gc_mark_movable(l->env);
  rb_gc_mark_movable(l->protocols);
  rb_gc_mark_movable(l->host);
  rb_gc_mark_movable(l->remote);
  rb_gc_mark_movable(l->errors);
}

static void compact(void *data) {
  listener_t *l = data;
  l->app = rb_gc_location(l->app);
  l->env = rb_gc_location(l->env);
  l->protocols = rb_gc_location(l->protocols);
  l->host = rb_gc_location(l->host);
  l->remote = rb_gc_location(l->remote);
  l->errors = rb_gc_location(l->errors);
}

static void release(void *data) { iod_free(data); }

static size_t size(const void *data) {
  (void)data;
  return sizeof(listener_t);
}

static const rb_data_type_t type = {
    .wrap_struct_name = "iodine Rack listener",
    .function = {.dmark = mark, .dfree = release, .dsize = size, .dcompact = compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

/* ---- the template ---- */

static VALUE frozen(const char *bytes, size_t length) { return rb_obj_freeze(rb_str_new(bytes, (long)length)); }

static VALUE constant(const char *string) {
  VALUE value = frozen(string, strlen(string));
  rb_gc_register_mark_object(value);
  return value;
}

/* The path under which a proxy has mounted the application: begins with "/", does not end with it, or is empty. */
static VALUE script_name(void) {
  const char *name = getenv("SCRIPT_NAME");
  size_t length = name ? strlen(name) : 0;
  while (length > 0 && name[length - 1] == '/') length--;
  if (length == 0) return empty;
  VALUE value = rb_str_new(name[0] == '/' ? "" : "/", name[0] != '/');
  return rb_obj_freeze(rb_str_cat(value, name, (long)length));
}

static VALUE rack_version(void) { return rb_obj_freeze(rb_ary_new_from_args(2, INT2FIX(1), INT2FIX(3))); }

/* Keys that every request sets are there too, so that the table has their place. */
static VALUE template_new(VALUE scheme) {
  VALUE env = rb_hash_new();
  for (int i = 0; i < KEY_COUNT; i++)
    if (i != KEY_CONTENT_TYPE && i != KEY_CONTENT_LENGTH && i < KEY_PROTOCOL && i != KEY_HTTPS)
      rb_hash_aset(env, keys[i], Qnil);
  rb_hash_aset(env, keys[KEY_REQUEST_METHOD], methods[IOD_METHOD_GET]);
  rb_hash_aset(env, keys[KEY_SCRIPT_NAME], script_name());
  rb_hash_aset(env, keys[KEY_QUERY_STRING], empty);
  rb_hash_aset(env, keys[KEY_SERVER_PROTOCOL], http11);
  rb_hash_aset(env, keys[KEY_VERSION], rack_version());
  rb_hash_aset(env, keys[KEY_URL_SCHEME], scheme);
  rb_hash_aset(env, keys[KEY_INPUT], iod_rack_input_empty());
  rb_hash_aset(env, keys[KEY_RUN_ONCE], Qfalse);
  rb_hash_aset(env, keys[KEY_CAN_HIJACK], Qtrue);
  return env;
}

VALUE iod_rack_listener_new(VALUE app, VALUE settings) {
  VALUE scheme = rb_hash_lookup(settings, ID2SYM(rb_intern("url_scheme")));
  scheme = NIL_P(scheme) ? rb_utf8_str_new_cstr("http") : rb_str_dup(rb_str_to_str(scheme));
  rb_obj_freeze(scheme);
  VALUE env = template_new(scheme);
  listener_t *l = iod_alloc_zero(sizeof *l);
  if (!l) rb_raise(rb_eNoMemError, "no memory for a listener");
  l->app = l->env = l->protocols = l->host = l->remote = l->errors = Qnil;
  VALUE self = l->self = TypedData_Wrap_Struct(0, &type, l);
  RB_OBJ_WRITE(self, &l->app, app);
  RB_OBJ_WRITE(self, &l->env, env);
  RB_OBJ_WRITE(self, &l->protocols, rb_hash_lookup(settings, ID2SYM(rb_intern("protocols"))));
  l->https = strcmp(StringValueCStr(scheme), "https") == 0;
  if (l->https) rb_hash_aset(env, keys[KEY_HTTPS], on);
  return self;
}

VALUE iod_rack_listener_protocols(VALUE listener) { return ((const listener_t *)RTYPEDDATA_DATA(listener))->protocols; }

VALUE iod_rack_listener_app(VALUE listener) { return ((const listener_t *)RTYPEDDATA_DATA(listener))->app; }

/* ---- what seldom changes ---- */

typedef struct authority {
  iod_slice_t name, port; /* an IPv6 address with its brackets; port may be empty */
} authority_t;

static authority_t split(iod_slice_t host) {
  size_t i = host.length;
  while (i > 0 && host.at[i - 1] >= '0' && host.at[i - 1] <= '9') i--;
  if (i == 0 || host.at[i - 1] != ':') return (authority_t){.name = host};
  return (authority_t){.name = {host.at, i - 1}, .port = {host.at + i, host.length - i}};
}

static void set_authority(VALUE env, authority_t a, bool https) {
  if (a.port.length == 0) a.port = https ? IOD_SLICE("443") : IOD_SLICE("80");
  rb_hash_aset(env, keys[KEY_SERVER_NAME], frozen(a.name.at, a.name.length));
  rb_hash_aset(env, keys[KEY_SERVER_PORT], frozen(a.port.at, a.port.length));
}

static bool same(VALUE string, iod_slice_t bytes) {
  return !NIL_P(string) && (size_t)RSTRING_LEN(string) == bytes.length &&
         memcmp(RSTRING_PTR(string), bytes.at, bytes.length) == 0;
}

static void update_host(VALUE self, listener_t *l, iod_slice_t host) {
  VALUE string = frozen(host.at, host.length);
  rb_hash_aset(l->env, keys[KEY_HTTP_HOST], string);
  set_authority(l->env, split(host), l->https);
  RB_OBJ_WRITE(self, &l->host, string);
}

static void update_remote(VALUE self, listener_t *l, iod_slice_t ip) {
  VALUE string = frozen(ip.at, ip.length);
  rb_hash_aset(l->env, keys[KEY_REMOTE_ADDR], string);
  RB_OBJ_WRITE(self, &l->remote, string);
}

static void update_errors(VALUE self, listener_t *l) {
  rb_hash_aset(l->env, keys[KEY_ERRORS], rb_stderr);
  RB_OBJ_WRITE(self, &l->errors, rb_stderr);
}

/* How many threads and workers there are is decided at the start. */
static void complete(listener_t *l) {
  ID settings = rb_intern("Settings");
  l->complete = true;
  VALUE counts = rb_const_defined_at(iodine, settings)
                     ? rb_funcall(rb_const_get_at(iodine, settings), rb_intern("concurrency"), 0)
                     : Qnil;
  if (!RB_TYPE_P(counts, T_ARRAY)) counts = rb_ary_new();
  rb_hash_aset(l->env, keys[KEY_MULTITHREAD], rb_ary_entry(counts, 0) == INT2FIX(1) ? Qfalse : Qtrue);
  rb_hash_aset(l->env, keys[KEY_MULTIPROCESS], rb_ary_entry(counts, 1) == INT2FIX(1) ? Qfalse : Qtrue);
}

/* complete comes first: it calls Ruby, and so lets other threads at the template. */
static void update_template(VALUE self, listener_t *l, const iod_request_t *r) {
  if (!l->complete) complete(l);
  iod_slice_t host = iod_request_slice(r, r->head.host), ip = {r->remote.ip, r->remote.ip_length};
  if (!same(l->host, host)) update_host(self, l, host);
  if (!same(l->remote, ip)) update_remote(self, l, ip);
  if (l->errors != rb_stderr) update_errors(self, l);
}

/* ---- headers ---- */

static VALUE string_of(const iod_request_t *r, iod_span_t span) {
  return rb_str_new(r->bytes + span.at, (long)span.length);
}

/* A WebSocket keeps its env for as long as it lives: what is the same in each is there once. */
static VALUE value_of(const iod_request_t *r, iod_span_t span) {
  iod_slice_t text = iod_request_slice(r, span);
  for (int i = 0; r->asks == IOD_ASKS_WEBSOCKET && i < HANDSHAKE_WORDS; i++)
    if (iod_slice_equal(text, handshake_words[i].text)) return handshake_words[i].string;
  return string_of(r, span);
}

/* RFC 9110 section 5.3; a cookie's pairs have a separator of their own (RFC 9113 section 8.2.3). */
static void join(VALUE env, VALUE key, VALUE value, bool cookie) {
  VALUE before = rb_hash_lookup(env, key);
  if (!NIL_P(before)) value = rb_str_append(rb_str_cat_cstr(rb_str_dup(before), cookie ? "; " : ", "), value);
  rb_hash_aset(env, key, value);
}

/* Seen ones of the common names are counted in bits; others are looked up. */
static void set_header(VALUE env, const iod_request_t *r, const iod_header_t *header, uint64_t *seen) {
  int index;
  VALUE key = iod_rack_key_of(iod_request_slice(r, header->name), &index);
  uint64_t bit = index < 0 ? 0 : UINT64_C(1) << index;
  VALUE value = value_of(r, header->value);
  if (bit && !(*seen & bit))
    rb_hash_aset(env, key, value);
  else
    join(env, key, value, header->known == IOD_HEADER_COOKIE);
  *seen |= bit;
  RB_GC_GUARD(key);
}

static void set_headers(VALUE env, const iod_request_t *r) {
  uint64_t seen = 0;
  for (unsigned i = 0; i < r->head.header_count; i++) {
    const iod_header_t *header = &r->headers[i];
    switch (header->known) {
    case IOD_HEADER_DROPPED:
    case IOD_HEADER_HOST:           /* in the template */
    case IOD_HEADER_CONTENT_LENGTH: /* below */
    case IOD_HEADER_TRANSFER_ENCODING: /* the body is decoded: what env says must be true of it */ break;
    case IOD_HEADER_CONTENT_TYPE: join(env, keys[KEY_CONTENT_TYPE], string_of(r, header->value), false); break;
    default: set_header(env, r, header, &seen);
    }
  }
}

static VALUE decimal(uint64_t n) { return rb_enc_associate(rb_obj_as_string(ULL2NUM(n)), rb_ascii8bit_encoding()); }

/* Also of a chunked body: its length is known by now. */
static void set_length(VALUE env, const iod_request_t *r) {
  if (r->head.body == IOD_BODY_LENGTH) rb_hash_aset(env, keys[KEY_CONTENT_LENGTH], decimal(r->head.content_length));
  if (r->head.body == IOD_BODY_CHUNKED) rb_hash_aset(env, keys[KEY_CONTENT_LENGTH], decimal(r->body.length));
}

/* The protocols that the client offers to switch to: those of Upgrade. */
static VALUE offer_of(const iod_request_t *r) {
  VALUE list = rb_ary_new();
  for (unsigned i = 0; i < r->head.header_count; i++) {
    if (r->headers[i].known != IOD_HEADER_UPGRADE) continue;
    rb_ary_concat(list, rb_str_split(string_of(r, r->headers[i].value), ","));
  }
  for (long i = 0; i < RARRAY_LEN(list); i++)
    rb_ary_store(list, i, rb_funcall(rb_ary_entry(list, i), rb_intern("strip"), 0));
  return list;
}

static void set_protocol(VALUE env, const iod_request_t *r) {
  bool usual = r->asks == IOD_ASKS_WEBSOCKET && rb_hash_lookup(env, upgrade_key) == handshake_words[0].string;
  rb_hash_aset(env, keys[KEY_PROTOCOL], usual ? websocket_offer : offer_of(r));
  rb_hash_aset(env, keys[r->asks == IOD_ASKS_WEBSOCKET ? KEY_OLD_WEBSOCKET : KEY_OLD_TCP], Qtrue);
}

/* The one that the log has, if the client sent none. */
static void set_request_id(VALUE env, const iod_request_t *r) {
  char room[IOD_REQUEST_ID_ROOM];
  iod_slice_t id = iod_request_id(r, room);
  if (NIL_P(rb_hash_lookup(env, request_id_key))) rb_hash_aset(env, request_id_key, rb_str_new(id.at, (long)id.length));
}

/* ---- the env ---- */

/* Without a Host (HTTP/1.0, or an empty one) the listener's address stands in. */
static authority_t address_of(const iod_request_t *r) {
  const char *name = r->listener ? r->listener->name : "";
  return split(name[0] && r->listener->tcp ? (iod_slice_t){name, strlen(name)} : IOD_SLICE("localhost"));
}

static void set_no_host(const listener_t *l, VALUE env, const iod_request_t *r) {
  rb_hash_delete(env, keys[KEY_HTTP_HOST]);
  set_authority(env, address_of(r), l->https);
}

/* What the client asked a trusted proxy for. Its port without its host replaces the one of Host. */
static void set_forwarded(const listener_t *l, VALUE env, const iod_request_t *r) {
  bool https = r->forwarded.scheme == IOD_SCHEME_SAME ? l->https : r->forwarded.scheme == IOD_SCHEME_HTTPS;
  iod_slice_t host = r->forwarded.host.length ? r->forwarded.host : iod_request_slice(r, r->head.host);
  authority_t a = host.length ? split(host) : address_of(r);
  if (r->forwarded.port.length && (a.port.length == 0 || !r->forwarded.host.length)) a.port = r->forwarded.port;
  set_authority(env, a, https);
  if (r->forwarded.scheme == IOD_SCHEME_SAME) return;
  rb_hash_aset(env, keys[KEY_URL_SCHEME], https ? scheme_https : scheme_http);
  if (https)
    rb_hash_aset(env, keys[KEY_HTTPS], on);
  else
    rb_hash_delete(env, keys[KEY_HTTPS]);
}

static void set_line(VALUE env, const iod_request_t *r) {
  const iod_http1_head_t *head = &r->head;
  if (head->method_id != IOD_METHOD_GET) {
    VALUE method = methods[head->method_id];
    rb_hash_aset(env, keys[KEY_REQUEST_METHOD], method ? method : string_of(r, head->method));
  }
  rb_hash_aset(env, keys[KEY_PATH_INFO], string_of(r, head->path));
  if (head->query.length) rb_hash_aset(env, keys[KEY_QUERY_STRING], string_of(r, head->query));
  if (head->minor == 0) rb_hash_aset(env, keys[KEY_SERVER_PROTOCOL], http10);
}

VALUE iod_rack_env_new(VALUE self, const iod_request_t *r, VALUE exchange, VALUE input) {
  listener_t *l = RTYPEDDATA_DATA(self);
  update_template(self, l, r);
  VALUE env = rb_hash_dup(l->env);
  set_line(env, r);
  rb_hash_aset(env, keys[KEY_HIJACK], exchange);
  rb_hash_aset(env, keys[KEY_EARLY_HINTS], exchange);
  rb_hash_aset(env, keys[KEY_RESPONSE_FINISHED], rb_ary_new_capa(0));
  rb_hash_aset(env, keys[KEY_AFTER_REPLY], rb_ary_new_capa(0));
  set_headers(env, r);
  if (r->head.host.length == 0) set_no_host(l, env, r);
  if (r->forwarded.scheme || r->forwarded.host.length || r->forwarded.port.length) set_forwarded(l, env, r);
  if (r->head.body != IOD_BODY_NONE) {
    set_length(env, r);
    rb_hash_aset(env, keys[KEY_INPUT], input);
  }
  if (r->head.upgrade) set_protocol(env, r);
  if (r->asks) rb_hash_aset(env, keys[KEY_CAN_UPGRADE], r->asks == IOD_ASKS_WEBSOCKET ? websocket : sse);
  if (r->secure) iod_rack_tls_env(env, r->secure);
  if (r->serial) set_request_id(env, r);
  return env;
}

void iod_rack_env_settle(VALUE env, VALUE exchange) {
  VALUE objects[] = {keys[KEY_HIJACK], keys[KEY_EARLY_HINTS]};
  VALUE lists[] = {keys[KEY_RESPONSE_FINISHED], keys[KEY_AFTER_REPLY]};
  if (RB_OBJ_FROZEN(env)) return;
  for (int i = 0; i < 2; i++) {
    if (rb_hash_lookup(env, objects[i]) == exchange) rb_hash_aset(env, objects[i], iod_rack_exchange_none());
    rb_hash_aset(env, lists[i], nothing_finished);
  }
}

VALUE iod_rack_env_finished(VALUE env) { return rb_hash_lookup(env, keys[KEY_RESPONSE_FINISHED]); }
VALUE iod_rack_env_after_reply(VALUE env) { return rb_hash_lookup(env, keys[KEY_AFTER_REPLY]); }

void iod_rack_env_init(VALUE iodine_module) {
  static const char *const names[] = {
      [IOD_METHOD_GET] = "GET",         [IOD_METHOD_HEAD] = "HEAD",       [IOD_METHOD_POST] = "POST",
      [IOD_METHOD_PUT] = "PUT",         [IOD_METHOD_PATCH] = "PATCH",     [IOD_METHOD_DELETE] = "DELETE",
      [IOD_METHOD_OPTIONS] = "OPTIONS", [IOD_METHOD_CONNECT] = "CONNECT", [IOD_METHOD_TRACE] = "TRACE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i]) methods[i] = constant(names[i]);
#define X(name, string) keys[KEY_##name] = iod_rack_key(string);
  KEYS(X)
#undef X
  iodine = iodine_module;
  websocket = ID2SYM(rb_intern("websocket"));
  sse = ID2SYM(rb_intern("sse"));
  for (int i = 0; i < HANDSHAKE_WORDS; i++) handshake_words[i].string = constant(handshake_words[i].text.at);
  rb_gc_register_mark_object(websocket_offer = rb_obj_freeze(rb_ary_new_from_args(1, handshake_words[0].string)));
  rb_gc_register_mark_object(nothing_finished = rb_obj_freeze(rb_ary_new_capa(0)));
  upgrade_key = iod_rack_key("HTTP_UPGRADE");
  request_id_key = iod_rack_key("HTTP_X_REQUEST_ID");
  empty = constant("");
  http10 = constant("HTTP/1.0");
  http11 = constant("HTTP/1.1");
  scheme_http = constant("http");
  scheme_https = constant("https");
  on = constant("on");
}
