#include "ruby_client.h"

#include "../base/alloc.h"
#include "../server/client.h"
#include "ruby_connection.h"
#include "ruby_server.h"
#include "ruby_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static VALUE client_class;

static void release(void *client) { iod_client_unref(client); }

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Server::Client",
    .function = {.dfree = release},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE allocate(VALUE klass) { return TypedData_Wrap_Struct(klass, &type, NULL); }

static iod_client_t *client_of(VALUE object) {
  iod_client_t *client = rb_check_typeddata(object, &type);
  if (!client) rb_raise(rb_eRuntimeError, "this Iodine::Server::Client was not initialized");
  return client;
}

/* ---- options ---- */

/* What Ruby may do with them comes first: `kept` gets frozen copies of all strings, in this order, then the names and
 * values of headers and cookies, and the addresses. From then on nothing here calls Ruby, so that no collector moves
 * them while C reads. */
enum { LABEL, SERVER_NAME, METHOD, TARGET, HOST, PROTOCOLS, BODY, PAIRS };

typedef struct reading {
  VALUE kept;
  long header_count, cookie_count, address_count;
  bool websocket;
  iod_client_options_t options;
  iod_websocket_request_t request;
} reading_t;

static VALUE option(VALUE hash, const char *name) { return rb_hash_fetch(hash, ID2SYM(rb_intern(name))); }

static void keep(reading_t *r, VALUE string) {
  rb_ary_push(r->kept, NIL_P(string) ? Qnil : rb_str_new_frozen(StringValue(string)));
}

static void keep_text(reading_t *r, VALUE string) {
  if (!NIL_P(string)) (void)StringValueCStr(string);
  keep(r, string);
}

static long keep_pairs(reading_t *r, VALUE pairs) {
  Check_Type(pairs, T_ARRAY);
  long count = RARRAY_LEN(pairs);
  for (long i = 0; i < count; i++) {
    VALUE pair = rb_ary_entry(pairs, i);
    Check_Type(pair, T_ARRAY);
    keep(r, rb_ary_entry(pair, 0));
    keep(r, rb_ary_entry(pair, 1));
  }
  return count;
}

static uint16_t port_of(VALUE number) {
  unsigned port = NUM2UINT(number);
  if (port > UINT16_MAX) rb_raise(rb_eArgError, "a port is at most 65535, not %u", port);
  return (uint16_t)port;
}

static void keep_request(reading_t *r, VALUE hash) {
  static const char *const names[] = {"method", "target", "host", "protocols", "body"};
  r->websocket = !NIL_P(hash);
  for (int i = METHOD; i <= BODY; i++) keep(r, r->websocket ? option(hash, names[i - METHOD]) : Qnil);
  if (!r->websocket) return;
  r->header_count = keep_pairs(r, option(hash, "headers"));
  r->cookie_count = keep_pairs(r, option(hash, "cookies"));
  r->request.port = port_of(option(hash, "port"));
  r->request.secure = RTEST(option(hash, "secure"));
}

static void keep_all(reading_t *r, VALUE hash) {
  Check_Type(hash, T_HASH);
  VALUE addresses = option(hash, "addresses");
  Check_Type(addresses, T_ARRAY);
  keep_text(r, option(hash, "label"));
  keep_text(r, option(hash, "server_name"));
  keep_request(r, option(hash, "request"));
  r->address_count = RARRAY_LEN(addresses);
  for (long i = 0; i < r->address_count; i++) keep_text(r, rb_ary_entry(addresses, i));
  r->options = (iod_client_options_t){.local = RTEST(option(hash, "local")),
                                      .port = port_of(option(hash, "port")),
                                      .tls = iod_ruby_tls_of(option(hash, "tls")),
                                      .patience = NUM2UINT(option(hash, "patience")),
                                      .write_timeout = NUM2UINT(option(hash, "write_timeout")),
                                      .timeout = (uint8_t)NUM2UINT(option(hash, "timeout")),
                                      .max_message = NUM2SIZET(option(hash, "max_message")),
                                      .max_pending = NUM2SIZET(option(hash, "max_pending"))};
}

/* ---- making one: no Ruby below ---- */

static iod_slice_t slice_at(const reading_t *r, long i) {
  VALUE string = RARRAY_AREF(r->kept, i);
  return NIL_P(string) ? (iod_slice_t){"", 0} : (iod_slice_t){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)};
}

static void read_pairs(const reading_t *r, long from, iod_websocket_field_t *fields, long count) {
  for (long i = 0; i < count; i++)
    fields[i] = (iod_websocket_field_t){slice_at(r, from + 2 * i), slice_at(r, from + 2 * i + 1)};
}

/* NULL: out of memory, or *fault says what is wrong. */
static iod_client_t *make_with(reading_t *r, iod_websocket_field_t *fields, const char **addresses,
                               const char **fault) {
  long pairs = r->header_count + r->cookie_count;
  read_pairs(r, PAIRS, fields, pairs);
  for (long i = 0; i < r->address_count; i++) addresses[i] = slice_at(r, PAIRS + 2 * pairs + i).at;
  r->options.label = slice_at(r, LABEL).at;
  r->options.server_name = slice_at(r, SERVER_NAME).at;
  r->options.addresses = addresses;
  r->options.address_count = (size_t)r->address_count;
  r->options.request = r->websocket ? &r->request : NULL;
  r->request.method = slice_at(r, METHOD);
  r->request.target = slice_at(r, TARGET);
  r->request.host = slice_at(r, HOST);
  r->request.protocols = slice_at(r, PROTOCOLS);
  r->request.body = slice_at(r, BODY);
  r->request.headers = fields;
  r->request.header_count = (size_t)r->header_count;
  r->request.cookies = fields + r->header_count;
  r->request.cookie_count = (size_t)r->cookie_count;
  *fault = r->websocket ? iod_websocket_request_fault(&r->request) : NULL;
  return *fault ? NULL : iod_client_new(&r->options);
}

static iod_client_t *make(reading_t *r, const char **fault) {
  size_t pairs = (size_t)(r->header_count + r->cookie_count);
  iod_websocket_field_t *fields = iod_alloc((pairs + 1) * sizeof *fields);
  const char **addresses = iod_alloc(((size_t)r->address_count + 1) * sizeof *addresses);
  *fault = NULL;
  iod_client_t *client = fields && addresses ? make_with(r, fields, addresses, fault) : NULL;
  iod_free(fields);
  iod_free((void *)addresses);
  return client;
}

static VALUE initialize(VALUE self, VALUE hash) {
  const char *fault;
  reading_t r = {.kept = rb_ary_new()};
  if (rb_check_typeddata(self, &type)) rb_raise(rb_eRuntimeError, "this Iodine::Server::Client is initialized already");
  keep_all(&r, hash);
  iod_client_t *client = make(&r, &fault);
  RB_GC_GUARD(r.kept);
  RB_GC_GUARD(hash);
  if (fault) rb_raise(rb_eArgError, "%s", fault);
  if (!client) rb_raise(rb_eNoMemError, "no memory for a connection");
  RTYPEDDATA_DATA(self) = client;
  return self;
}

/* ---- the server's side ---- */

static iod_server_t *server_of(VALUE self) {
  iod_server_t *server = iod_ruby_server_of(self)->server;
  if (!server->open) rb_raise(rb_eRuntimeError, "this Iodine::Server is not open in this process");
  return server;
}

static VALUE connect_client(VALUE self, VALUE object, VALUE callbacks) {
  iod_server_t *server = server_of(self);
  iod_client_t *client = client_of(object);
  iod_client_connect(server, client, iod_ruby_connection_new(server, iod_client_kind(client), Qnil, callbacks));
  RB_GC_GUARD(object);
  return callbacks;
}

static VALUE attach(VALUE self, VALUE object, VALUE fd, VALUE callbacks) {
  iod_server_t *server = server_of(self);
  iod_client_t *client = client_of(object);
  iod_peer_t remote = {.ip_length = 0};
  int number = NUM2INT(fd);
  iod_connection_t *connection = iod_ruby_connection_new(server, IOD_CONNECTION_RAW, Qnil, callbacks);
  (void)!iod_socket_adopt(number, &remote); /* a peer that has gone meanwhile is seen by reading */
  iod_client_attach(server, client, connection, number, &remote);
  RB_GC_GUARD(object);
  return callbacks;
}

static VALUE adopt(VALUE klass, VALUE fd) {
  (void)klass;
  iod_peer_t remote;
  int number = NUM2INT(fd), own = fcntl(number, F_DUPFD_CLOEXEC, 0);
  if (own >= 0 && iod_socket_adopt(own, &remote) == 0) return INT2NUM(own);
  const char *reason = strerror(errno);
  if (own >= 0) close(own);
  rb_raise(rb_eArgError, "descriptor %d can't be attached: %s: give a connected TCP or Unix socket", number, reason);
}

void iod_ruby_client_init(VALUE server_class) {
  rb_gc_register_mark_object(client_class = rb_define_class_under(server_class, "Client", rb_cObject));
  rb_define_alloc_func(client_class, allocate);
  rb_define_method(client_class, "initialize", initialize, 1);
  rb_define_method(server_class, "connect", connect_client, 2);
  rb_define_method(server_class, "attach", attach, 3);
  rb_define_singleton_method(server_class, "adopt", adopt, 1);
}
