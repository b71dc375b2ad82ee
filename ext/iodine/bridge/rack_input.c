#include "rack_input.h"

#include "../base/alloc.h"
#include "rack_class.h"

#include <errno.h>
#include <ruby/encoding.h>
#include <ruby/thread.h>
#include <unistd.h>

enum {
  QUICK_READ = 64 * 1024, /* a read of the page cache that isn't worth giving up the GVL */
  LINE_READ = 4 * 1024,
};

typedef struct input {
  char *bytes; /* in memory, or */
  iod_spool_file_t *file;
  bool closed;
  unsigned readers; /* threads that read the file without the GVL */
  uint64_t length, position;
} input_t;

static VALUE empty;

static void let_go(input_t *input) {
  iod_free(input->bytes);
  iod_spool_file_close(input->file, input->length);
  input->bytes = NULL;
  input->file = NULL;
}

static void release(void *data) {
  let_go(data);
  iod_free(data);
}

static size_t size(const void *data) {
  const input_t *input = data;
  return sizeof *input + (input->bytes ? (size_t)input->length : 0);
}

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Rack::Input",
    .function = {.dfree = release, .dsize = size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE input_class;

static VALUE wrap(void) {
  input_t *input = iod_alloc_zero(sizeof *input);
  if (!input) rb_raise(rb_eNoMemError, "no memory for rack.input");
  return TypedData_Wrap_Struct(input_class, &type, input);
}

VALUE iod_rack_input_empty(void) { return empty; }

VALUE iod_rack_input_new(iod_request_t *request) {
  VALUE self = wrap();
  input_t *input = RTYPEDDATA_DATA(self);
  input->bytes = request->body.bytes;
  input->file = request->body.file;
  input->length = request->body.length;
  request->body.bytes = NULL;
  request->body.file = NULL;
  return self;
}

static void shut(input_t *input) {
  if (input->length == 0) return; /* the one that all requests share is never closed */
  input->closed = true;
  if (input->readers == 0) let_go(input);
}

void iod_rack_input_close(VALUE self) {
  if (self != empty) shut(RTYPEDDATA_DATA(self));
}

static input_t *open_input(VALUE self) {
  input_t *input = rb_check_typeddata(self, &type);
  if (input->closed) rb_raise(rb_eIOError, "rack.input is closed: read it before the request is over");
  return input;
}

/* ---- reading ---- */

typedef struct span {
  input_t *input;
  VALUE buffer;
  char *to;
  size_t length;
  uint64_t from;
  int error;
} span_t;

static void *read_file(void *data) {
  span_t *span = data;
  for (size_t done = 0; done < span->length;) {
    ssize_t n = pread(span->input->file->fd, span->to + done, span->length - done, (off_t)(span->from + done));
    if (n > 0) {
      done += (size_t)n;
    } else if (n == 0 || errno != EINTR) {
      span->error = n == 0 ? EIO : errno;
      break;
    }
  }
  return NULL;
}

static VALUE read_outside(VALUE data) {
  rb_thread_call_without_gvl(read_file, (void *)data, NULL, NULL);
  return Qnil;
}

static VALUE read_outside_done(VALUE data) {
  span_t *span = (span_t *)data;
  rb_str_unlocktmp(span->buffer);
  if (--span->input->readers == 0 && span->input->closed) let_go(span->input);
  return Qnil;
}

/* Meanwhile neither the buffer may change nor the file go away. */
static void read_without_gvl(span_t *span) {
  rb_str_locktmp(span->buffer);
  span->input->readers++;
  rb_ensure(read_outside, (VALUE)span, read_outside_done, (VALUE)span);
}

static void fill(input_t *input, VALUE buffer, uint64_t from, size_t length) {
  span_t span = {.input = input, .buffer = buffer, .to = RSTRING_PTR(buffer), .length = length, .from = from};
  if (length == 0) return;
  if (!input->file)
    memcpy(span.to, input->bytes + from, length);
  else if (length <= QUICK_READ)
    read_file(&span);
  else
    read_without_gvl(&span);
  if (span.error) rb_syserr_fail(span.error, "can't read the body of the request");
  RB_GC_GUARD(buffer);
}

/* An empty binary String of the given length, to be written over. */
static VALUE room(VALUE buffer, size_t length) {
  if (NIL_P(buffer)) return rb_str_new(NULL, (long)length);
  rb_str_modify(buffer);
  rb_str_resize(buffer, (long)length);
  rb_enc_associate(buffer, rb_ascii8bit_encoding());
  return buffer;
}

static VALUE read_bytes(input_t *input, VALUE buffer, uint64_t wanted) {
  uint64_t left = input->length - input->position;
  size_t n = (size_t)(wanted < left ? wanted : left);
  uint64_t from = input->position;
  buffer = room(buffer, n);
  input->position += n;
  fill(input, buffer, from, n);
  return buffer;
}

/* read(length = nil, buffer = nil), as IO#read. */
VALUE iod_rack_input_read(int argc, const VALUE *argv, VALUE self) {
  VALUE length, buffer;
  rb_scan_args(argc, argv, "02", &length, &buffer);
  long wanted = NIL_P(length) ? LONG_MAX : NUM2LONG(length);
  if (!NIL_P(buffer)) StringValue(buffer);
  input_t *input = open_input(self); /* last: the conversions may call Ruby, and that may close it */
  if (NIL_P(length)) return read_bytes(input, buffer, UINT64_MAX);
  if (wanted < 0) rb_raise(rb_eArgError, "negative length %ld given", wanted);
  if (wanted > 0 && input->position == input->length) {
    if (!NIL_P(buffer)) room(buffer, 0);
    return Qnil;
  }
  return read_bytes(input, buffer, (uint64_t)wanted);
}

static VALUE input_read(int argc, VALUE *argv, VALUE self) { return iod_rack_input_read(argc, argv, self); }

/* ---- lines ---- */

/* The rest of a line of the file: windows are read until one has its end. */
static VALUE gets_file(input_t *input) {
  VALUE line = rb_str_new(NULL, 0);
  while (input->position < input->length) {
    char window[LINE_READ];
    uint64_t left = input->length - input->position;
    span_t span = {
        .input = input, .to = window, .length = left < LINE_READ ? (size_t)left : LINE_READ, .from = input->position};
    read_file(&span);
    if (span.error) rb_syserr_fail(span.error, "can't read the body of the request");
    const char *end = memchr(window, '\n', span.length);
    size_t n = end ? (size_t)(end - window) + 1 : span.length;
    rb_str_cat(line, window, (long)n);
    input->position += n;
    if (end) break;
  }
  return line;
}

static VALUE gets_memory(input_t *input) {
  const char *from = input->bytes + input->position;
  size_t left = (size_t)(input->length - input->position);
  const char *end = memchr(from, '\n', left);
  size_t n = end ? (size_t)(end - from) + 1 : left;
  input->position += n;
  return rb_str_new(from, (long)n);
}

static VALUE input_gets(VALUE self) {
  input_t *input = open_input(self);
  if (input->position == input->length) return Qnil;
  return input->file ? gets_file(input) : gets_memory(input);
}

static VALUE input_each(VALUE self) {
  RETURN_ENUMERATOR(self, 0, 0);
  for (VALUE line; !NIL_P(line = input_gets(self));) rb_yield(line);
  return self;
}

/* ---- the rest ---- */

static VALUE input_rewind(VALUE self) {
  open_input(self)->position = 0;
  return INT2FIX(0);
}

static VALUE input_size(VALUE self) {
  const input_t *input = rb_check_typeddata(self, &type);
  return ULL2NUM(input->length);
}

static VALUE input_close(VALUE self) {
  shut(rb_check_typeddata(self, &type));
  return Qnil;
}

void iod_rack_input_init(VALUE rack_module) {
  input_class = iod_rack_class(rack_module, "Input");
  rb_define_method(input_class, "read", input_read, -1);
  rb_define_method(input_class, "gets", input_gets, 0);
  rb_define_method(input_class, "each", input_each, 0);
  rb_define_method(input_class, "rewind", input_rewind, 0);
  rb_define_method(input_class, "size", input_size, 0);
  rb_define_method(input_class, "close", input_close, 0);
  rb_gc_register_mark_object(empty = wrap());
}
