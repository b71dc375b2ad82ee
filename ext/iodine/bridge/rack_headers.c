#include "rack_headers.h"

#include "../base/slice.h"
#include "../protocol/http1_response.h"
#include "rack_writer.h"

enum { LENGTH_DIGITS = 18 };

typedef struct walk {
  iod_buffer_t *out;
  iod_rack_headers_t *read;
} walk_t;

static ID id_each;

static iod_slice_t slice_of(VALUE string) { return (iod_slice_t){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)}; }

static VALUE string_of(VALUE object) { return RB_TYPE_P(object, T_STRING) ? object : rb_obj_as_string(object); }

/* ---- headers that concern the server ---- */

static void read_length(iod_rack_headers_t *read, iod_slice_t value) {
  uint64_t length = 0;
  bool bad = value.length == 0 || value.length > LENGTH_DIGITS;
  for (size_t i = 0; i < value.length && !bad; i++) {
    unsigned digit = (unsigned)(value.at[i] - '0');
    bad = digit > 9;
    length = length * 10 + digit;
  }
  read->has_length = !bad;
  read->bad_length = bad;
  read->length = length;
}

/* The last of a comma-separated list. */
static iod_slice_t last_token(iod_slice_t value) {
  size_t end = value.length, start;
  while (end > 0 && (value.at[end - 1] == ' ' || value.at[end - 1] == '\t')) end--;
  for (start = end;
       start > 0 && value.at[start - 1] != ',' && value.at[start - 1] != ' ' && value.at[start - 1] != '\t';)
    start--;
  return (iod_slice_t){value.at + start, end - start};
}

/* RFC 9112 section 6.1: a body is delimited by its coding only if chunked is the last one. */
static void read_coding(iod_rack_headers_t *read, iod_slice_t value) {
  iod_slice_t coding = last_token(value);
  if (iod_slice_is(coding, IOD_SLICE("identity"))) return;
  if (!iod_slice_is(coding, IOD_SLICE("chunked")))
    rb_raise(rb_eArgError, "transfer-encoding must end with chunked: use content-encoding for \"%.*s\"",
             (int)coding.length, coding.at);
  read->coding = rb_str_new(value.at, (long)value.length);
}

/* Hop-by-hop (RFC 9110 section 7.6.1): the server's own. */
static void read_connection(iod_rack_headers_t *read, iod_slice_t value) {
  while (value.length > 0) {
    iod_slice_t token = last_token(value);
    if (iod_slice_is(token, IOD_SLICE("close"))) read->close = true;
    value.length = (size_t)(token.at - value.at);
    if (value.length > 0) value.length--;
  }
}

/* True: the line is not for the client, or the server writes it. */
static bool read_header(iod_rack_headers_t *read, iod_slice_t name, iod_slice_t value) {
  switch (name.length) {
  case 4:
    if (iod_slice_is(name, IOD_SLICE("date"))) read->has_date = true;
    return false;
  case 10:
    if (iod_slice_is(name, IOD_SLICE("keep-alive"))) return true;
    if (iod_slice_is(name, IOD_SLICE("x-sendfile"))) {
      read->sendfile = rb_str_new(value.at, (long)value.length);
      return true;
    }
    if (!iod_slice_is(name, IOD_SLICE("connection"))) return false;
    read_connection(read, value);
    return true;
  case 14:
    if (!iod_slice_is(name, IOD_SLICE("content-length"))) return false;
    read_length(read, value);
    return true;
  case 17:
    if (!iod_slice_is(name, IOD_SLICE("transfer-encoding"))) return false;
    read_coding(read, value);
    return true;
  default: return false;
  }
}

/* ---- lines ---- */

static void write_line(walk_t *walk, iod_slice_t name, iod_slice_t value) {
  if (!iod_http1_value_valid(value.at, value.length))
    rb_raise(rb_eArgError, "the value of the header \"%.*s\" has a control character: remove it", (int)name.length,
             name.at);
  if (read_header(walk->read, name, value)) return;
  iod_rack_header_append(walk->out, name.at, name.length, value.at, value.length);
}

/* Rack 2 joins several values with line feeds. */
static void write_lines(walk_t *walk, iod_slice_t name, iod_slice_t values) {
  const char *end;
  while (values.length > 0 && (end = memchr(values.at, '\n', values.length))) {
    iod_slice_t value = {values.at, (size_t)(end - values.at)};
    if (value.length > 0) write_line(walk, name, value);
    values = (iod_slice_t){end + 1, values.length - value.length - 1};
    if (values.length == 0) return;
  }
  write_line(walk, name, values);
}

static void write_value(walk_t *walk, iod_slice_t name, VALUE value) {
  if (NIL_P(value)) return;
  VALUE string = string_of(value);
  write_lines(walk, name, slice_of(string));
  RB_GC_GUARD(string);
}

/* Keys that begin with "rack." speak to the server. */
static bool read_rack_header(walk_t *walk, iod_slice_t name, VALUE value) {
  if (name.length < 5 || memcmp(name.at, "rack.", 5) != 0) return false;
  if (iod_slice_equal(name, IOD_SLICE("rack.hijack"))) walk->read->hijack = value;
  if (iod_slice_equal(name, IOD_SLICE("rack.protocol"))) walk->read->protocol = value;
  return true;
}

/* The name is used while Ruby code runs (to_ary, to_s of the value): it must not change. */
static void write_header(walk_t *walk, VALUE key, VALUE value) {
  VALUE string = rb_str_new_frozen(string_of(key));
  iod_slice_t name = slice_of(string);
  if (read_rack_header(walk, name, value)) return;
  if (!iod_http1_name_valid(name.at, name.length))
    rb_raise(rb_eArgError, "%+" PRIsVALUE " can't be the name of a header", string);
  VALUE list = RB_TYPE_P(value, T_STRING) ? Qnil : rb_check_array_type(value);
  if (NIL_P(list)) {
    write_value(walk, name, value);
  } else {
    for (long i = 0; i < RARRAY_LEN(list); i++) write_value(walk, name, rb_ary_entry(list, i));
  }
  RB_GC_GUARD(list);
  RB_GC_GUARD(string);
}

/* ---- the walk ---- */

static int write_pair(VALUE key, VALUE value, VALUE walk) {
  write_header((walk_t *)walk, key, value);
  return ST_CONTINUE;
}

static VALUE collect_pair(RB_BLOCK_CALL_FUNC_ARGLIST(pair, pairs)) {
  rb_ary_push(pairs, argc > 1 ? rb_ary_new_from_values(2, argv) : pair);
  return Qnil;
}

/* Collected first: a block that outlives the walk must not reach it. */
static void walk_each(walk_t *walk, VALUE headers) {
  VALUE pairs = rb_ary_new();
  rb_block_call(headers, id_each, 0, NULL, collect_pair, pairs);
  for (long i = 0; i < RARRAY_LEN(pairs); i++) {
    VALUE pair = rb_check_array_type(rb_ary_entry(pairs, i));
    if (NIL_P(pair) || RARRAY_LEN(pair) != 2) rb_raise(rb_eTypeError, "headers must yield a name and a value");
    write_header(walk, rb_ary_entry(pair, 0), rb_ary_entry(pair, 1));
  }
}

void iod_rack_headers_write(VALUE headers, iod_buffer_t *out, iod_rack_headers_t *read) {
  walk_t walk = {out, read};
  *read = (iod_rack_headers_t){.hijack = Qnil, .protocol = Qnil, .sendfile = Qnil, .coding = Qnil};
  if (RB_TYPE_P(headers, T_HASH))
    rb_hash_foreach(headers, write_pair, (VALUE)&walk);
  else if (!NIL_P(headers) && rb_respond_to(headers, id_each))
    walk_each(&walk, headers);
  else
    rb_raise(rb_eTypeError, "headers must be a Hash, not %+" PRIsVALUE, headers);
}

void iod_rack_headers_init(void) { id_each = rb_intern("each"); }
