#include "websocket_offer.h"

#include "chars.h"

enum { BITS_MAX = 15 };

/* What is left of the line. */
typedef struct cursor {
  const char *at, *end;
} cursor_t;

typedef struct offer {
  bool known, declined;
  uint8_t seen; /* its parameters */
  uint8_t server_bits, client_bits;
} offer_t;

static void skip_blanks(cursor_t *c) {
  while (c->at < c->end && iod_char_is(*c->at, IOD_CHAR_BLANK)) c->at++;
}

/* True if this is the next byte, behind blanks: it is taken. */
static bool take(cursor_t *c, char mark) {
  skip_blanks(c);
  if (c->at == c->end || *c->at != mark) return false;
  c->at++;
  return true;
}

static bool take_token(cursor_t *c, iod_slice_t *token) {
  skip_blanks(c);
  token->at = c->at;
  while (c->at < c->end && iod_char_is(*c->at, IOD_CHAR_TOKEN)) c->at++;
  token->length = (size_t)(c->at - token->at);
  return token->length > 0;
}

/* A token, perhaps in quotes: RFC 6455 allows nothing else in them. */
static bool take_value(cursor_t *c, iod_slice_t *value) {
  bool quoted = take(c, '"');
  if (!take_token(c, value)) return false;
  if (!quoted) return true;
  if (c->at == c->end || *c->at != '"') return false;
  c->at++;
  return true;
}

/* 8 to 15, without a leading zero; 0: anything else. */
static uint8_t window_bits(iod_slice_t value) {
  if (value.length == 1 && (*value.at == '8' || *value.at == '9')) return (uint8_t)(*value.at - '0');
  if (value.length != 2 || value.at[0] != '1' || value.at[1] < '0' || value.at[1] > '5') return 0;
  return (uint8_t)(10 + value.at[1] - '0');
}

enum { SERVER_ALONE = 1, CLIENT_ALONE = 2, SERVER_BITS = 4, CLIENT_BITS = 8 };

static uint8_t parameter_named(iod_slice_t name) {
  if (iod_slice_is(name, IOD_SLICE("server_no_context_takeover"))) return SERVER_ALONE;
  if (iod_slice_is(name, IOD_SLICE("client_no_context_takeover"))) return CLIENT_ALONE;
  if (iod_slice_is(name, IOD_SLICE("server_max_window_bits"))) return SERVER_BITS;
  if (iod_slice_is(name, IOD_SLICE("client_max_window_bits"))) return CLIENT_BITS;
  return 0;
}

/* value: NULL if there was none. False: the offer can't be taken. */
static bool see_parameter(offer_t *offer, iod_slice_t name, const iod_slice_t *value) {
  uint8_t parameter = parameter_named(name);
  if (parameter == 0 || offer->seen & parameter) return false;
  offer->seen |= parameter;
  if (parameter == SERVER_ALONE || parameter == CLIENT_ALONE) return !value;
  uint8_t bits = value ? window_bits(*value) : 0;
  if (parameter == SERVER_BITS) return (offer->server_bits = bits) > 8;
  return !value || (offer->client_bits = bits) > 0;
}

/* One extension with its parameters. False: malformed. */
static bool take_offer(cursor_t *c, offer_t *offer) {
  iod_slice_t name, value;
  if (!take_token(c, &name)) return false;
  *offer = (offer_t){.server_bits = BITS_MAX, .client_bits = BITS_MAX};
  offer->known = iod_slice_is(name, IOD_SLICE("permessage-deflate"));
  while (take(c, ';')) {
    if (!take_token(c, &name)) return false;
    bool has_value = take(c, '=');
    if (has_value && !take_value(c, &value)) return false;
    if (!see_parameter(offer, name, has_value ? &value : NULL)) offer->declined = true;
  }
  return true;
}

static uint8_t least(uint8_t a, uint8_t b) { return a < b ? a : b; }

static void agree(const offer_t *offer, const iod_websocket_deflate_t *wanted, iod_websocket_deflate_t *agreed) {
  if (agreed->on || !wanted->on || !offer->known || offer->declined) return;
  *agreed = (iod_websocket_deflate_t){
      .on = true,
      .server_takeover = wanted->server_takeover && !(offer->seen & SERVER_ALONE),
      .client_takeover = wanted->client_takeover && !(offer->seen & CLIENT_ALONE),
      .server_bits_asked = (offer->seen & SERVER_BITS) != 0,
      .server_bits = least(wanted->server_bits, offer->server_bits),
      .client_bits = offer->seen & CLIENT_BITS ? least(wanted->client_bits, offer->client_bits) : BITS_MAX,
  };
}

int iod_websocket_offer_take(iod_slice_t line, const iod_websocket_deflate_t *wanted, iod_websocket_deflate_t *agreed) {
  cursor_t c = {line.at, line.at + line.length};
  iod_websocket_deflate_t taken = *agreed;
  for (offer_t offer; skip_blanks(&c), c.at < c.end;) {
    if (take(&c, ',')) continue; /* empty elements are allowed (RFC 9110 section 5.6.1) */
    if (!take_offer(&c, &offer)) return IOD_E_BAD_REQUEST;
    agree(&offer, wanted, &taken);
    skip_blanks(&c);
    if (c.at < c.end && !take(&c, ',')) return IOD_E_BAD_REQUEST;
  }
  *agreed = taken;
  return 0;
}

static char *put(char *at, iod_slice_t text) {
  memcpy(at, text.at, text.length);
  return at + text.length;
}

static char *put_bits(char *at, iod_slice_t name, unsigned bits) {
  at = put(at, name);
  if (bits > 9) *at++ = '1';
  *at++ = (char)('0' + bits % 10);
  return at;
}

size_t iod_websocket_offer_answer(char out[IOD_WEBSOCKET_OFFER_ROOM], const iod_websocket_deflate_t *agreed) {
  char *at = put(out, IOD_SLICE("permessage-deflate"));
  if (!agreed->server_takeover) at = put(at, IOD_SLICE("; server_no_context_takeover"));
  if (!agreed->client_takeover) at = put(at, IOD_SLICE("; client_no_context_takeover"));
  if (agreed->server_bits_asked || agreed->server_bits < BITS_MAX)
    at = put_bits(at, IOD_SLICE("; server_max_window_bits="), agreed->server_bits);
  if (agreed->client_bits < BITS_MAX) at = put_bits(at, IOD_SLICE("; client_max_window_bits="), agreed->client_bits);
  return (size_t)(at - out);
}
