#include "rack_stream.h"

#include "../base/alloc.h"
#include "rack_class.h"
#include "rack_input.h"

#include <errno.h>

typedef struct stream {
  iod_rack_writer_t writer;
  VALUE input;
  bool read_closed;
} stream_t;

static VALUE stream_class;

static void mark(void *data) { rb_gc_mark(((stream_t *)data)->input); }

/* One that the application forgot to close is broken off: sending never blocks, nor calls Ruby. */
static void release(void *data) {
  stream_t *stream = data;
  iod_rack_writer_deinit(&stream->writer);
  iod_free(stream);
}

static size_t size(const void *data) {
  (void)data;
  return sizeof(stream_t);
}

static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Rack::Stream",
    .function = {.dmark = mark, .dfree = release, .dsize = size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static stream_t *stream_of(VALUE self) { return rb_check_typeddata(self, &type); }

VALUE iod_rack_stream_new(iod_rack_writer_t *writer, VALUE input) {
  stream_t *stream = iod_alloc_zero(sizeof *stream);
  if (!stream) rb_raise(rb_eNoMemError, "no memory for a stream");
  stream->writer = (iod_rack_writer_t){.ended = true};
  stream->input = Qnil;
  VALUE self = TypedData_Wrap_Struct(stream_class, &type, stream);
  RB_OBJ_WRITE(self, &stream->input, input);
  iod_rack_writer_move(&stream->writer, writer);
  return self;
}

void iod_rack_stream_returned(VALUE self) { iod_rack_writer_flush(&stream_of(self)->writer); }

bool iod_rack_stream_open(VALUE self) { return !stream_of(self)->writer.ended; }

bool iod_rack_stream_abort(VALUE self) {
  stream_t *stream = stream_of(self);
  bool gone = stream->writer.gone;
  iod_rack_writer_abort(&stream->writer);
  return gone;
}

/* ---- methods: as those of IO ---- */

static void write_string(stream_t *stream, VALUE string) {
  if (stream->writer.gone) rb_syserr_fail(EPIPE, "the client is gone");
  int result = iod_rack_writer_write(&stream->writer, string);
  if (result == IOD_E_FULL) rb_raise(rb_eIOError, "the content-length is reached: nothing more can be written");
  if (result == 0) return;
  if (stream->writer.gone) rb_syserr_fail(EPIPE, "the client is gone");
  rb_raise(rb_eIOError, "not opened for writing");
}

static VALUE stream_write(int argc, VALUE *argv, VALUE self) {
  size_t total = 0;
  for (int i = 0; i < argc; i++) {
    VALUE string = rb_obj_as_string(argv[i]);
    total += (size_t)RSTRING_LEN(string);
    write_string(stream_of(self), string);
  }
  return SIZET2NUM(total);
}

static VALUE stream_append(VALUE self, VALUE object) {
  stream_write(1, &object, self);
  return self;
}

static VALUE stream_flush(VALUE self) {
  iod_rack_writer_flush(&stream_of(self)->writer);
  return self;
}

static VALUE stream_read(int argc, VALUE *argv, VALUE self) {
  stream_t *stream = stream_of(self);
  if (stream->read_closed) rb_raise(rb_eIOError, "not opened for reading");
  return iod_rack_input_read(argc, argv, stream->input);
}

static VALUE stream_close_read(VALUE self) {
  stream_of(self)->read_closed = true;
  return Qnil;
}

static VALUE stream_close_write(VALUE self) {
  iod_rack_writer_end(&stream_of(self)->writer);
  return Qnil;
}

static VALUE stream_close(VALUE self) {
  stream_close_read(self);
  return stream_close_write(self);
}

static VALUE stream_closed(VALUE self) {
  const stream_t *stream = stream_of(self);
  return stream->read_closed && stream->writer.ended ? Qtrue : Qfalse;
}

void iod_rack_stream_init(VALUE rack_module) {
  stream_class = iod_rack_class(rack_module, "Stream");
  rb_define_method(stream_class, "write", stream_write, -1);
  rb_define_method(stream_class, "<<", stream_append, 1);
  rb_define_method(stream_class, "flush", stream_flush, 0);
  rb_define_method(stream_class, "read", stream_read, -1);
  rb_define_method(stream_class, "close", stream_close, 0);
  rb_define_method(stream_class, "close_read", stream_close_read, 0);
  rb_define_method(stream_class, "close_write", stream_close_write, 0);
  rb_define_method(stream_class, "closed?", stream_closed, 0);
}
