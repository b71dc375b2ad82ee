#include "accept_encoding.h"

#include "chars.h"

enum { UNNAMED = 0, REFUSED = 1, ONE = 1001 }; /* a weight is q in thousandths, plus 1 */

static const iod_slice_t NAMES[IOD_CODINGS] = {{"identity", 8}, {"gzip", 4}, {"br", 2}, {"zstd", 4}};

iod_slice_t iod_coding_name(unsigned coding) {
  for (unsigned i = 0; i < IOD_CODINGS; i++)
    if (coding == 1u << i) return NAMES[i];
  return (iod_slice_t){"", 0};
}

static bool blank(char c) { return iod_char_is(c, IOD_CHAR_BLANK); }

static iod_slice_t trimmed(const char *at, const char *end) {
  while (at < end && blank(*at)) at++;
  while (at < end && blank(end[-1])) end--;
  return (iod_slice_t){at, (size_t)(end - at)};
}

/* A qvalue's weight, 0 when it is malformed: "0" or "1", and a dot with up to three digits. */
static uint16_t weight_of(iod_slice_t q) {
  if (q.length < 1 || q.length > 5 || (q.at[0] != '0' && q.at[0] != '1') || (q.length > 1 && q.at[1] != '.')) return 0;
  unsigned weight = q.at[0] == '1' ? 1000 : 0;
  for (size_t i = 2, place = 100; i < q.length; i++, place /= 10) {
    if (q.at[i] < '0' || q.at[i] > '9') return 0;
    weight += (unsigned)((size_t)(q.at[i] - '0') * place);
  }
  return weight <= 1000 ? (uint16_t)(weight + 1) : 0;
}

/* Where a coding's weight is kept, or NULL. */
static uint16_t *place_of(iod_accept_encoding_t *accept, iod_slice_t name) {
  if (name.length == 1 && *name.at == '*') return &accept->others;
  for (size_t i = 0; i < IOD_CODINGS; i++)
    if (iod_slice_is(name, NAMES[i])) return &accept->weight[i];
  return iod_slice_is(name, IOD_SLICE("x-gzip")) ? &accept->weight[1] : NULL;
}

static void see_member(iod_accept_encoding_t *accept, const char *at, const char *end) {
  const char *semicolon = at < end ? memchr(at, ';', (size_t)(end - at)) : NULL;
  uint16_t weight = ONE;
  if (semicolon) {
    iod_slice_t q = trimmed(semicolon + 1, end);
    if (q.length < 2 || (q.at[0] | 0x20) != 'q' || q.at[1] != '=') return;
    weight = weight_of((iod_slice_t){q.at + 2, q.length - 2});
  }
  uint16_t *place = place_of(accept, trimmed(at, semicolon ? semicolon : end));
  if (place && weight > *place) *place = weight;
}

void iod_accept_encoding_see(iod_accept_encoding_t *accept, iod_slice_t value) {
  const char *p = value.at, *end = p + value.length;
  while (p < end) {
    const char *comma = memchr(p, ',', (size_t)(end - p));
    const char *member_end = comma ? comma : end;
    see_member(accept, p, member_end);
    p = comma ? comma + 1 : end;
  }
}

unsigned iod_accept_encoding_best(const iod_accept_encoding_t *accept, unsigned available) {
  unsigned best = 0, best_weight = REFUSED;
  for (unsigned i = IOD_CODINGS; i-- > 0;) {
    if (!(available & 1u << i)) continue;
    unsigned weight = accept->weight[i] != UNNAMED ? accept->weight[i] : accept->others;
    if (weight > best_weight) best = 1u << i, best_weight = weight;
  }
  bool identity_open = accept->weight[0] == UNNAMED && accept->others == UNNAMED;
  return best == 0 && identity_open ? available & IOD_CODING_IDENTITY : best;
}
