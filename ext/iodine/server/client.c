#include "client.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../protocol/websocket_reply.h"
#include "http.h"
#include "raw.h"
#include "server.h"
#include "websocket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct iod_client {
  _Atomic size_t references;
  iod_settings_t settings;
  iod_tls_t *tls;
  iod_buffer_t request; /* empty: raw */
  size_t key_at;        /* in it */
  iod_slice_t protocols;
  char *label, *server_name;
  char **addresses;
  size_t address_count;
  uint32_t patience;
  uint16_t port;
  uint8_t timeout;
  bool local;
};

/* A connection that isn't open yet. */
typedef struct dial {
  iod_stream_t stream; /* first */
  iod_server_t *server;
  iod_connection_t *connection; /* NULL: given away, or given up */
  size_t next;                  /* the address to try after this one */
  uint64_t due;                 /* ms: when it has to be open */
  iod_peer_t remote;
  iod_websocket_reply_t reply;
} dial_t;

_Static_assert(sizeof(dial_t) <= sizeof(iod_http_t), "a connection to be opened takes the place of an HTTP connection");

static dial_t *dial_of(iod_stream_t *s) { return (dial_t *)(void *)s; }

/* ---- clients ---- */

static char *copy(iod_slice_t text) {
  char *out = iod_alloc(text.length + 1);
  if (!out) return NULL;
  if (text.length) memcpy(out, text.at, text.length);
  out[text.length] = 0;
  return out;
}

static char *copy_string(const char *text) { return copy((iod_slice_t){text, strlen(text)}); }

static bool copy_addresses(iod_client_t *client, const iod_client_options_t *options) {
  client->addresses = iod_alloc_zero((options->address_count + 1) * sizeof *client->addresses);
  if (!client->addresses) return false;
  for (size_t i = 0; i < options->address_count; i++) {
    if (!(client->addresses[i] = copy_string(options->addresses[i]))) return false;
    client->address_count++;
  }
  return true;
}

static bool copy_request(iod_client_t *client, const iod_websocket_request_t *request) {
  if (!request) return true;
  client->protocols = (iod_slice_t){copy(request->protocols), request->protocols.length};
  return client->protocols.at && iod_websocket_request_write(request, &client->request, &client->key_at) == 0;
}

iod_client_t *iod_client_new(const iod_client_options_t *options) {
  iod_client_t *client = iod_alloc_zero(sizeof *client);
  if (!client) return NULL;
  atomic_init(&client->references, 1);
  client->settings.write_timeout = options->write_timeout;
  client->settings.max_pending = options->max_pending;
  client->settings.websocket.limit = options->max_message;
  client->patience = options->patience;
  client->timeout = options->timeout;
  client->local = options->local;
  client->port = options->port;
  client->tls = iod_tls_ref(options->tls);
  client->label = copy_string(options->label);
  client->server_name = copy_string(options->server_name ? options->server_name : "");
  if (client->label && client->server_name && copy_addresses(client, options) && copy_request(client, options->request))
    return client;
  iod_client_unref(client);
  return NULL;
}

iod_client_t *iod_client_ref(iod_client_t *client) {
  atomic_fetch_add(&client->references, 1);
  return client;
}

iod_connection_kind_t iod_client_kind(const iod_client_t *client) {
  return iod_buffer_length(&client->request) ? IOD_CONNECTION_WEBSOCKET : IOD_CONNECTION_RAW;
}

void iod_client_unref(iod_client_t *client) {
  if (!client || atomic_fetch_sub(&client->references, 1) > 1) return;
  for (size_t i = 0; i < client->address_count; i++) iod_free(client->addresses[i]);
  iod_free(client->addresses);
  iod_free((void *)(uintptr_t)client->protocols.at);
  iod_free(client->label);
  iod_free(client->server_name);
  iod_buffer_deinit(&client->request);
  iod_tls_unref(client->tls);
  iod_free(client);
}

/* ---- the end ---- */

/* It never was open. */
static void fail(iod_connection_t *c, const char *why) {
  iod_log(IOD_LOG_WARNING, "no connection to %s: %s", c->client->label, why);
  iod_connection_closed(c);
}

static iod_connection_t *take(dial_t *d) {
  iod_connection_t *c = d->connection;
  d->connection = NULL;
  return c;
}

static void give_up(dial_t *d, const char *why) {
  fail(take(d), why);
  iod_stream_close(&d->stream);
}

/* ---- it is open ---- */

static void become(dial_t *d, const iod_stream_ops_t *stream_ops, const iod_connection_ops_t *ops) {
  iod_connection_t *c = take(d);
  iod_peer_t remote = d->remote;
  iod_line_opening_t opening = {.connection = c,
                                .stream_ops = stream_ops,
                                .ops = ops,
                                .settings = &c->client->settings,
                                .remote = &remote,
                                .timeout = c->client->timeout};
  iod_line_open(&d->stream, &opening);
}

static void become_websocket(dial_t *d) {
  static const iod_websocket_deflate_t none;
  iod_stream_t *s = &d->stream;
  const iod_client_t *client = d->connection->client;
  become(d, &iod_websocket_stream_ops, &iod_websocket_ops);
  if (iod_stream_open(s)) iod_websocket_init((iod_websocket_t *)(void *)s, &client->settings.websocket, &none);
}

/* ---- the WebSocket's handshake ---- */

static void send_request(dial_t *d, char *bytes) {
  const iod_client_t *client = d->connection->client;
  uint8_t nonce[IOD_WEBSOCKET_NONCE];
  memcpy(bytes, iod_buffer_head(&client->request), iod_buffer_length(&client->request));
  if (getentropy(nonce, sizeof nonce)) {
    give_up(d, "the system has no random bytes for a key");
    return;
  }
  char *key = bytes + client->key_at;
  iod_websocket_key(key, nonce);
  iod_websocket_reply_init(&d->reply, (iod_slice_t){key, IOD_WEBSOCKET_KEY_LENGTH}, client->protocols);
  iod_segment_t segment = iod_segment_bytes(bytes, iod_buffer_length(&client->request));
  (void)!iod_stream_send(&d->stream, &segment, 1); /* its close is told */
}

/* All that was between us and the server's protocol is done. */
static void greet(dial_t *d) {
  const iod_client_t *client = d->connection->client;
  size_t length = iod_buffer_length(&client->request);
  if (iod_client_kind(client) == IOD_CONNECTION_RAW) {
    become(d, &iod_raw_stream_ops, &iod_raw_ops);
    return;
  }
  char *bytes = iod_alloc(length);
  if (bytes)
    send_request(d, bytes);
  else
    give_up(d, "out of memory");
  iod_free(bytes);
}

static void refuse(dial_t *d, int error) {
  char why[IOD_SENTENCE_ROOM];
  if (error == IOD_E_REFUSED)
    snprintf(why, sizeof why, "the server answered %d", d->reply.status);
  else
    snprintf(why, sizeof why, "the server %s", d->reply.why);
  give_up(d, why);
}

/* ---- one address after another ---- */

static const iod_stream_ops_t ops;

/* Takes over the descriptor. False: out of memory. */
static bool begin(iod_server_t *server, iod_connection_t *c, int fd, const iod_peer_t *remote, size_t next,
                  uint64_t due) {
  iod_loop_t *loop = &server->loop;
  dial_t *d = dial_of(iod_loop_connect(loop, fd, &ops));
  if (!d) return false;
  uint64_t left = due > loop->now ? due - loop->now : 0;
  d->server = server;
  d->connection = c;
  d->remote = *remote;
  d->next = next;
  d->due = due;
  iod_stream_deadline(&d->stream, loop->now + left / (c->client->address_count - next + 1)); /* may close it */
  return true;
}

static int open_socket(const iod_client_t *client, size_t index, iod_peer_t *remote, char sentence[IOD_SENTENCE_ROOM]) {
  const char *address = client->addresses[index];
  return client->local ? iod_socket_connect_unix(address, remote, sentence)
                       : iod_socket_connect_tcp(address, client->port, remote, sentence);
}

/* From this address on; why: what became of the one before it, room for more. */
static void try_from(iod_server_t *server, iod_connection_t *c, size_t index, uint64_t due,
                     char why[IOD_SENTENCE_ROOM]) {
  for (; index < c->client->address_count; index++) {
    iod_peer_t remote;
    int fd = open_socket(c->client, index, &remote, why);
    if (fd < 0) continue;
    if (begin(server, c, fd, &remote, index + 1, due)) return;
    snprintf(why, IOD_SENTENCE_ROOM, "out of memory");
  }
  fail(c, why);
}

static void try_next(dial_t *d, const char *reason) {
  iod_connection_t *c = take(d);
  char why[IOD_SENTENCE_ROOM];
  snprintf(why, sizeof why, "can't connect to %s: %s", c->client->addresses[d->next - 1], reason);
  try_from(d->server, c, d->next, d->due, why);
}

/* ---- the stream's callbacks ---- */

static void secure(dial_t *d) {
  const iod_client_t *client = d->connection->client;
  int result = iod_stream_secure_client(&d->stream, client->tls, client->server_name);
  if (result) give_up(d, result == IOD_E_NOMEM ? "out of memory" : "no certificate can be for such a name");
}

static void on_connect(iod_stream_t *s, int error) {
  dial_t *d = dial_of(s);
  if (error) {
    try_next(d, strerror(error));
    return;
  }
  iod_stream_deadline(s, d->due); /* may close it */
  if (!iod_stream_open(s)) return;
  if (d->connection->client->tls)
    secure(d);
  else
    greet(d);
}

static void on_handshake(iod_stream_t *s, int result, const char *reason) {
  char why[IOD_TLS_SENTENCE_ROOM];
  if (result == 0) {
    greet(dial_of(s));
    return;
  }
  snprintf(why, sizeof why, "no TLS: %s", reason);
  give_up(dial_of(s), why);
}

static size_t on_data(iod_stream_t *s, const char *bytes, size_t length) {
  dial_t *d = dial_of(s);
  int used = iod_websocket_reply_parse(&d->reply, bytes, length);
  if (used < 0) {
    refuse(d, used);
    return length;
  }
  if (used > 0) become_websocket(d);
  return (size_t)used;
}

static void on_eof(iod_stream_t *s) { give_up(dial_of(s), "the server hung up instead of an answer"); }

static void on_timeout(iod_stream_t *s) {
  dial_t *d = dial_of(s);
  if (s->connecting) {
    try_next(d, "no answer in time");
    iod_stream_close(s);
  } else {
    give_up(d, "the server did not finish the handshake in time");
  }
}

static void on_close(iod_stream_t *s) {
  dial_t *d = dial_of(s);
  iod_connection_t *c = take(d);
  if (c && d->server->draining)
    iod_connection_closed(c);
  else if (c)
    fail(c, "the connection broke off");
  iod_server_left(d->server);
}

static void ignore(iod_stream_t *s) { (void)s; }

static const iod_stream_ops_t ops = {
    .on_data = on_data,
    .on_eof = on_eof,
    .on_hangup = ignore,
    .on_written = ignore,
    .on_timeout = on_timeout,
    .on_handshake = on_handshake,
    .on_connect = on_connect,
    .on_close = on_close,
};

bool iod_client_is(const iod_stream_t *s) { return s->ops == &ops; }

/* ---- what the application does ---- */

typedef struct start {
  iod_connection_t *connection;
  int fd; /* NO_FD: to be connected */
  iod_peer_t remote;
} start_t;

enum { NO_FD = -1 };

static void attach(iod_server_t *server, const start_t *s) {
  dial_t *d = dial_of(iod_loop_open(&server->loop, s->fd, &ops));
  if (!d) {
    fail(s->connection, "out of memory");
    return;
  }
  d->server = server;
  d->connection = s->connection;
  d->remote = s->remote;
  become(d, &iod_raw_stream_ops, &iod_raw_ops);
}

static void start(iod_server_t *server, const start_t *s) {
  char why[IOD_SENTENCE_ROOM] = "it has no address";
  iod_connection_t *c = s->connection;
  if (server->draining) {
    if (s->fd != NO_FD) close(s->fd);
    iod_connection_closed(c);
  } else if (s->fd != NO_FD) {
    attach(server, s);
  } else {
    try_from(server, c, 0, server->loop.now + c->client->patience, why);
  }
}

typedef struct start_command {
  iod_command_t command; /* first */
  start_t start;
} start_command_t;

static void apply_start(iod_server_t *server, iod_command_t *command) {
  start(server, &((start_command_t *)command)->start);
  iod_free(command);
}

static void start_soon(iod_server_t *server, iod_client_t *client, const start_t *s) {
  s->connection->client = iod_client_ref(client);
  if (!iod_server_trylock(server)) {
    start_command_t *command = iod_alloc(sizeof *command);
    if (command) {
      *command = (start_command_t){.command.apply = apply_start, .start = *s};
      iod_server_command(server, &command->command);
      return;
    }
    iod_server_lock(server); /* without memory for a command there is no way but to wait */
  }
  start(server, s);
  iod_server_unlock(server);
}

void iod_client_connect(iod_server_t *server, iod_client_t *client, iod_connection_t *c) {
  start_soon(server, client, &(start_t){.connection = c, .fd = NO_FD});
}

void iod_client_attach(iod_server_t *server, iod_client_t *client, iod_connection_t *c, int fd,
                       const iod_peer_t *remote) {
  start_soon(server, client, &(start_t){.connection = c, .fd = fd, .remote = *remote});
}
