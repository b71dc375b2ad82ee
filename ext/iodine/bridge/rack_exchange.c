#include "rack_exchange.h"

#include "../base/alloc.h"
#include "protect.h"
#include "rack_class.h"
#include "rack_headers.h"

#include <sys/socket.h>
#include <unistd.h>

static VALUE exchange_class, hijack_io, none;

/* The data is a struct on a stack: nothing to mark or free. */
static const rb_data_type_t type = {
    .wrap_struct_name = "Iodine::Rack::Exchange",
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

VALUE iod_rack_exchange_object(iod_rack_exchange_t *x) { return TypedData_Wrap_Struct(exchange_class, &type, x); }

void iod_rack_exchange_over(VALUE object) { RTYPEDDATA_DATA(object) = NULL; }

VALUE iod_rack_exchange_none(void) { return none; }

iod_rack_exchange_t *iod_rack_exchange_of(VALUE object) {
  iod_rack_exchange_t *x = rb_check_typeddata(object, &type);
  if (!x) rb_raise(rb_eIOError, "the request is over: keep nothing of its env");
  return x;
}

/* ---- hijack ---- */

typedef struct socket_parts {
  int fd;
  const char *early;
  size_t early_length;
  VALUE io; /* once it is there it owns the descriptor: only the GC may close that */
} socket_parts_t;

static VALUE make_socket(VALUE data) {
  socket_parts_t *parts = (socket_parts_t *)data;
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  bool local = getsockname(parts->fd, (struct sockaddr *)&address, &length) == 0 && address.ss_family == AF_UNIX;
  VALUE class = rb_const_get(rb_cObject, rb_intern(local ? "UNIXSocket" : "TCPSocket"));
  parts->io = rb_funcall(class, rb_intern("for_fd"), 1, INT2NUM(parts->fd));
  if (parts->early_length)
    rb_funcall(parts->io, rb_intern("ungetbyte"), 1, rb_str_new(parts->early, (long)parts->early_length));
  return parts->io;
}

VALUE iod_rack_exchange_hijack(VALUE object) {
  char *early = NULL;
  VALUE io = Qnil;
  rb_require("socket");
  socket_parts_t parts = {.io = Qnil};
  parts.fd = iod_rack_writer_hijack(&iod_rack_exchange_of(object)->writer, &early, &parts.early_length);
  parts.early = early;
  if (parts.fd < 0) rb_raise(rb_eIOError, "the client is gone: there is no socket to hijack");
  int state = iod_protect(make_socket, (VALUE)&parts, &io);
  iod_free(early);
  if (state) {
    NIL_P(parts.io) ? close(parts.fd) : shutdown(parts.fd, SHUT_RDWR);
    rb_jump_tag(state);
  }
  iod_rack_exchange_t *x = RTYPEDDATA_DATA(object); /* over by now, if another thread has called */
  if (x) {
    x->io = io;
    rb_hash_aset(x->env, hijack_io, io);
  }
  return io;
}

/* env["rack.hijack"].call */
static VALUE hijack(VALUE self) {
  const iod_rack_exchange_t *x = iod_rack_exchange_of(self);
  if (!NIL_P(x->io)) return x->io;
  if (x->writer.head_sent) rb_raise(rb_eIOError, "the response has begun: rack.hijack comes before it");
  return iod_rack_exchange_hijack(self);
}

/* env["rack.early_hints"].call(headers) */
static VALUE early_hints(VALUE self, VALUE headers) {
  iod_rack_exchange_t *x = iod_rack_exchange_of(self);
  iod_rack_headers_t read;
  if (x->thread != rb_thread_current())
    rb_raise(rb_eThreadError, "rack.early_hints belongs to the thread of the request: call it there");
  iod_rack_writer_begin_interim(&x->writer, 103);
  iod_rack_headers_write(headers, &x->writer.out, &read);
  iod_rack_writer_send_interim(&x->writer);
  return Qnil;
}

static VALUE exchange_call(int argc, VALUE *argv, VALUE self) {
  rb_check_arity(argc, 0, 1);
  return argc == 0 ? hijack(self) : early_hints(self, argv[0]);
}

void iod_rack_exchange_init(VALUE rack_module) {
  exchange_class = iod_rack_class(rack_module, "Exchange");
  rb_define_method(exchange_class, "call", exchange_call, -1);
  rb_gc_register_mark_object(none = TypedData_Wrap_Struct(exchange_class, &type, NULL));
  rb_gc_register_mark_object(hijack_io = rb_interned_str_cstr("rack.hijack_io"));
}
