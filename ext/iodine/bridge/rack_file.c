#include "rack_file.h"

#include "../base/log.h"
#include "../protocol/mime.h"
#include "../server/file_response.h"
#include "../server/listener.h"
#include "../server/public.h"

#include <errno.h>

/* ---- the application's lines ---- */

typedef enum { KEEP, TYPE, OURS } use_t;

static iod_slice_t next_line(iod_slice_t *rest) {
  const char *end = memchr(rest->at, '\n', rest->length);
  iod_slice_t line = {rest->at, end ? (size_t)(end - rest->at) + 1 : rest->length};
  *rest = (iod_slice_t){rest->at + line.length, rest->length - line.length};
  return line;
}

static iod_slice_t name_of(iod_slice_t line) {
  const char *colon = memchr(line.at, ':', line.length);
  return (iod_slice_t){line.at, colon ? (size_t)(colon - line.at) : 0};
}

static use_t use_of(iod_slice_t name) {
  static const iod_slice_t ours[] = {{"etag", 4}, {"last-modified", 13}, {"accept-ranges", 13}, {"content-range", 13}};
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (iod_slice_is(name, ours[i])) return OURS;
  return iod_slice_is(name, IOD_SLICE("content-type")) ? TYPE : KEEP;
}

/* Behind the status line. */
static iod_slice_t lines_of(const iod_rack_writer_t *w) {
  iod_slice_t all = {iod_buffer_head(&w->out), iod_buffer_length(&w->out)};
  next_line(&all);
  return all;
}

bool iod_rack_file_is_plain(const iod_rack_writer_t *w) {
  iod_slice_t rest = lines_of(w);
  while (rest.length)
    if (use_of(name_of(next_line(&rest))) == OURS) return false;
  return true;
}

/* The lines that stay, moved together in place; `type` gets the value of the content-type. */
static iod_slice_t keep_lines(const iod_rack_writer_t *w, VALUE *type) {
  iod_slice_t rest = lines_of(w), kept = {rest.at, 0};
  char *at = iod_buffer_tail(&w->out) - rest.length;
  while (rest.length) {
    iod_slice_t line = next_line(&rest), name = name_of(line);
    use_t use = use_of(name);
    if (use == TYPE && line.length >= name.length + 4) /* ": " and CRLF */
      *type = rb_str_new(line.at + name.length + 2, (long)(line.length - name.length - 4));
    if (use != KEEP) continue;
    memmove(at + kept.length, line.at, line.length);
    kept.length += line.length;
  }
  return kept;
}

/* ---- sending ---- */

void iod_rack_file_send(iod_rack_writer_t *w, const iod_rack_headers_t *headers, int fd, const struct stat *status,
                        const char *path) {
  VALUE type = Qnil;
  iod_slice_t lines = keep_lines(w, &type);
  iod_file_kind_t kind = {.coding = IOD_CODING_IDENTITY};
  kind.type = NIL_P(type) ? iod_mime_type((iod_slice_t){path, strlen(path)})
                          : (iod_slice_t){RSTRING_PTR(type), (size_t)RSTRING_LEN(type)};
  iod_file_t *file = iod_file_new(fd, status, &kind);
  RB_GC_GUARD(type);
  if (!file) rb_raise(rb_eIOError, "can't read the file %s", path);
  iod_file_query_t query = iod_file_query(w->request);
  iod_file_response_t response = {.request = w->request,
                                  .file = file,
                                  .query = &query,
                                  .status = w->status == 206 ? 200 : w->status, /* ranges are ours */
                                  .lines = lines,
                                  .date = headers->has_date ? (iod_slice_t){0} : iod_rack_writer_date(),
                                  .keep_alive = w->keep_alive};
  iod_buffer_t room = {0};
  int result = iod_file_respond(&response, &room);
  if (result == 0) iod_rack_writer_send(w, response.status, response.segments, response.count, response.body_bytes);
  iod_buffer_deinit(&room);
  iod_file_free(file);
  if (result) rb_raise(rb_eNoMemError, "no memory for a response");
}

/* ---- X-Sendfile ---- */

static void refuse(iod_rack_writer_t *w, const char *path) {
  char sentence[1024];
  int error = errno;
  if (error == EXDEV)
    snprintf(sentence, sizeof sentence,
             "X-Sendfile: %s is in no folder that may be sent: add its folder to sendfile_root (--sendfile-root)",
             path);
  else
    snprintf(sentence, sizeof sentence, "X-Sendfile: can't open %s: %s", path, strerror(error));
  iod_rack_log(IOD_LOG_ERROR, w->request, sentence);
  iod_rack_writer_fail(w, error == ENOENT || error == EISDIR || error == ENOTDIR ? 404 : 500);
}

void iod_rack_file_send_named(iod_rack_writer_t *w, const iod_rack_headers_t *headers) {
  struct stat status;
  VALUE full = rb_file_absolute_path(headers->sendfile, Qnil);
  const char *path = StringValueCStr(full);
  int fd = iod_public_open(w->request->listener->settings.public, path, &status);
  if (fd >= 0)
    iod_rack_file_send(w, headers, fd, &status, path);
  else
    refuse(w, path);
  RB_GC_GUARD(full);
}
