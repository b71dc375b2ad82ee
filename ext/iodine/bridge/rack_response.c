#include "rack_response.h"

#include "../base/log.h"
#include "../protocol/http1_response.h"
#include "../server/listener.h"
#include "rack_file.h"
#include "rack_headers.h"
#include "rack_stream.h"
#include "rack_upgrade.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static ID id_call, id_each, id_to_i, id_to_path;

/* ---- status ---- */

static int read_status(VALUE status) {
  VALUE number = RB_INTEGER_TYPE_P(status) ? status : rb_check_funcall(status, id_to_i, 0, NULL);
  long value = RB_FIXNUM_P(number) ? FIX2LONG(number) : 0;
  if (value < 100 || value > 999)
    rb_raise(rb_eTypeError, "the status must be an Integer from 100 to 999, not %+" PRIsVALUE, status);
  return (int)value;
}

/* ---- Array and String ---- */

static size_t total_of(VALUE array) {
  size_t total = 0;
  for (long i = 0; i < RARRAY_LEN(array); i++) {
    VALUE string = RARRAY_AREF(array, i);
    if (!RB_TYPE_P(string, T_STRING)) rb_raise(rb_eTypeError, "the body must hold Strings, not %+" PRIsVALUE, string);
    total += (size_t)RSTRING_LEN(string);
  }
  return total;
}

static void send_array(iod_rack_writer_t *w, VALUE array, const iod_rack_headers_t *headers) {
  size_t total = total_of(array);
  if (headers->has_length && headers->length != total && NIL_P(headers->coding))
    iod_rack_log(IOD_LOG_ERROR, w->request, "the content-length is not the body's; it was corrected");
  iod_rack_writer_send_array(w, array, total);
}

/* ---- files ---- */

/* -1: no regular file that can be opened. */
static int open_file(VALUE path, struct stat *status) {
  int fd = open(StringValueCStr(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  if (fstat(fd, status) == 0 && S_ISREG(status->st_mode)) return fd;
  close(fd);
  return -1;
}

/* The body's file, or -1: it has none, or one that can't be opened (then each may know better). */
static int file_of(const iod_rack_exchange_t *x, const iod_rack_headers_t *headers, VALUE *path, struct stat *status) {
  if (RB_TYPE_P(x->body, T_ARRAY) || RB_TYPE_P(x->body, T_STRING) || !NIL_P(headers->coding)) return -1;
  *path = rb_check_funcall(x->body, id_to_path, 0, NULL);
  if (*path == Qundef || NIL_P(*path)) return -1;
  FilePathValue(*path);
  return open_file(*path, status);
}

/* False: its body is no file. */
static bool send_file(iod_rack_exchange_t *x, const iod_rack_headers_t *headers) {
  iod_rack_writer_t *w = &x->writer;
  struct stat status;
  VALUE path;
  int fd = file_of(x, headers, &path, &status);
  if (fd < 0) return false;
  if (w->status == 200 && iod_rack_file_is_plain(w))
    iod_rack_file_send(w, headers, fd, &status, RSTRING_PTR(path));
  else
    iod_rack_writer_send_file(w, fd, (uint64_t)status.st_size);
  RB_GC_GUARD(path);
  return true;
}

/* ---- no body ---- */

static bool known_length(VALUE body, uint64_t *length) {
  VALUE array = RB_TYPE_P(body, T_STRING) ? rb_ary_new_from_args(1, body) : rb_check_array_type(body);
  *length = NIL_P(array) ? 0 : total_of(array);
  return *length > 0; /* middleware may have emptied it (Rack::Head) */
}

/* To a HEAD request: the length that GET would have, where it is known (RFC 9110 section 9.3.2). */
static void send_head(iod_rack_exchange_t *x, const iod_rack_headers_t *headers) {
  iod_rack_writer_t *w = &x->writer;
  w->left = headers->length;
  bool known = headers->has_length || known_length(x->body, &w->left);
  w->framing = known && NIL_P(headers->coding) ? IOD_RACK_LENGTH : IOD_RACK_NONE;
  iod_rack_writer_send_head(w);
}

/* RFC 9110 section 6.4.1: 1xx, 204 and 304. After a 1xx nothing final follows, so the connection ends. */
static void send_bodyless(iod_rack_writer_t *w) {
  w->framing = w->status == 101 ? IOD_RACK_UPGRADE : IOD_RACK_NONE;
  if (w->status < 200) w->keep_alive = false;
  iod_rack_writer_send_head(w);
}

/* ---- each ---- */

/* The exchange by its object: a block that outlives the iteration must not reach it. */
static VALUE write_chunk(RB_BLOCK_CALL_FUNC_ARGLIST(chunk, object)) {
  (void)argc, (void)argv, (void)blockarg;
  iod_rack_exchange_t *x = iod_rack_exchange_of(object);
  if (!RB_TYPE_P(chunk, T_STRING)) rb_raise(rb_eTypeError, "the body must yield Strings, not %+" PRIsVALUE, chunk);
  if (iod_rack_writer_write(&x->writer, chunk)) rb_iter_break();
  return Qnil;
}

static void expect_length(iod_rack_writer_t *w, const iod_rack_headers_t *headers) {
  if (!headers->has_length || w->framing != IOD_RACK_UNKNOWN) return;
  w->framing = IOD_RACK_LENGTH;
  w->left = headers->length;
}

static void send_each(iod_rack_exchange_t *x, const iod_rack_headers_t *headers) {
  expect_length(&x->writer, headers);
  rb_block_call(x->body, id_each, 0, NULL, write_chunk, x->object);
  iod_rack_writer_end(&x->writer);
}

/* ---- call ---- */

/* The socket itself, after the head: a partial hijack, or another protocol. */
static void hand_over(iod_rack_exchange_t *x, VALUE callable, const iod_rack_headers_t *headers) {
  iod_rack_writer_t *w = &x->writer;
  expect_length(w, headers);
  if (w->framing == IOD_RACK_UNKNOWN) w->framing = IOD_RACK_CLOSE;
  if (w->status == 101) w->framing = IOD_RACK_UPGRADE;
  w->keep_alive = false;
  iod_rack_writer_flush(w);
  if (!w->gone) rb_funcall(callable, id_call, 1, iod_rack_exchange_hijack(x->object));
}

static void send_call(iod_rack_exchange_t *x, const iod_rack_headers_t *headers) {
  expect_length(&x->writer, headers);
  x->stream = iod_rack_stream_new(&x->writer, x->input);
  rb_funcall(x->body, id_call, 1, x->stream);
  iod_rack_stream_returned(x->stream);
}

/* ---- the whole ---- */

static void send_body(iod_rack_exchange_t *x, const iod_rack_headers_t *headers) {
  VALUE array;
  if (RB_TYPE_P(x->body, T_ARRAY))
    send_array(&x->writer, x->body, headers);
  else if (RB_TYPE_P(x->body, T_STRING))
    send_array(&x->writer, rb_ary_new_from_args(1, x->body), headers);
  else if (!NIL_P(array = rb_check_array_type(x->body)))
    send_array(&x->writer, array, headers);
  else if (rb_respond_to(x->body, id_each))
    send_each(x, headers);
  else if (rb_respond_to(x->body, id_call))
    send_call(x, headers);
  else
    rb_raise(rb_eTypeError, "the body must respond to each or call, %" PRIsVALUE " does not", rb_obj_class(x->body));
}

static bool sends_files(const iod_rack_writer_t *w) { return w->request->listener->settings.public != NULL; }

/* A body that the application has encoded itself (Rack 2's Rack::Chunked) is passed on. */
static void apply_coding(iod_rack_writer_t *w, VALUE coding) {
  if (iod_http1_bodyless(w->status)) return;
  if (w->request->head.minor == 0)
    rb_raise(rb_eArgError, "the application sends chunks to an HTTP/1.0 client: leave transfer-encoding to the server");
  iod_rack_header_append(&w->out, "transfer-encoding", 17, RSTRING_PTR(coding), (size_t)RSTRING_LEN(coding));
  w->framing = IOD_RACK_ENCODED;
  RB_GC_GUARD(coding);
}

static void apply_headers(iod_rack_writer_t *w, const iod_rack_headers_t *headers) {
  if (headers->bad_length)
    iod_rack_log(IOD_LOG_ERROR, w->request, "the content-length is not a number; it was left out");
  if (headers->close) w->keep_alive = false;
  w->has_date = headers->has_date;
  if (!NIL_P(headers->coding)) apply_coding(w, headers->coding);
  if (!NIL_P(headers->sendfile) && !sends_files(w)) /* for a server in front */
    iod_rack_header_append(&w->out, "x-sendfile", 10, RSTRING_PTR(headers->sendfile),
                           (size_t)RSTRING_LEN(headers->sendfile));
  if (NIL_P(headers->protocol) || w->status != 101) return;
  VALUE protocol = rb_obj_as_string(headers->protocol);
  if (!iod_http1_value_valid(RSTRING_PTR(protocol), (size_t)RSTRING_LEN(protocol)))
    rb_raise(rb_eArgError, "rack.protocol has a control character: remove it");
  iod_rack_header_append(&w->out, "upgrade", 7, RSTRING_PTR(protocol), (size_t)RSTRING_LEN(protocol));
  RB_GC_GUARD(protocol);
}

static bool streams(VALUE body) { return !rb_respond_to(body, id_each) && rb_respond_to(body, id_call); }

static void send_response(iod_rack_exchange_t *x) {
  iod_rack_headers_t headers;
  iod_rack_writer_t *w = &x->writer;
  iod_rack_writer_begin(w, read_status(x->status));
  iod_rack_headers_write(x->headers, &w->out, &headers);
  apply_headers(w, &headers);
  if (!NIL_P(headers.hijack))
    hand_over(x, headers.hijack, &headers);
  else if (w->status == 101 && streams(x->body))
    hand_over(x, x->body, &headers);
  else if (iod_http1_bodyless(w->status))
    send_bodyless(w);
  else if (!NIL_P(headers.sendfile) && sends_files(w))
    iod_rack_file_send_named(w, &headers);
  else if (send_file(x, &headers))
    return;
  else if (w->request->head.method_id == IOD_METHOD_HEAD)
    send_head(x, &headers);
  else
    send_body(x, &headers);
}

void iod_rack_respond(iod_rack_exchange_t *x, VALUE response) {
  bool hijacked = x->writer.ended;
  VALUE array = rb_check_array_type(response);
  if (NIL_P(array) || RARRAY_LEN(array) != 3) {
    if (hijacked) return;
    rb_raise(rb_eTypeError, "the application must return [status, headers, body], not %+" PRIsVALUE,
             rb_obj_class(response));
  }
  x->status = rb_ary_entry(array, 0);
  x->headers = rb_ary_entry(array, 1);
  x->body = rb_ary_entry(array, 2);
  if (!hijacked && !iod_rack_upgrade(x)) send_response(x);
}

void iod_rack_response_init(void) {
  id_call = rb_intern("call");
  id_each = rb_intern("each");
  id_to_i = rb_intern("to_i");
  id_to_path = rb_intern("to_path");
}
