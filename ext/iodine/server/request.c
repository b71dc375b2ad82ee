#include "request.h"

#include "../base/alloc.h"

#include <string.h>

iod_request_t *iod_request_new(const iod_http1_parser_t *parser, const char *bytes) {
  size_t headers = parser->head.header_count * sizeof(iod_header_t);
  iod_request_t *r = iod_alloc(sizeof *r + headers + parser->head.length);
  if (!r) return NULL;
  char *copy = (char *)r->headers + headers;
  memset(r, 0, sizeof *r);
  memcpy(r->headers, parser->headers, headers);
  memcpy(copy, bytes, parser->head.length);
  r->bytes = copy;
  r->head = parser->head;
  r->job.kind = IOD_JOB_REQUEST;
  atomic_init(&r->references, 2);
  return r;
}

void iod_request_set_body(iod_request_t *request, iod_spool_t *spool) {
  request->body.length = spool->length;
  request->body.file = spool->file;
  request->body.bytes = spool->memory.bytes; /* never consumed from, so it starts at 0 */
  *spool = (iod_spool_t){0};
}

void iod_request_unref(iod_request_t *request) {
  if (atomic_fetch_sub(&request->references, 1) > 1) return;
  iod_spool_file_close(request->body.file, request->body.length);
  iod_free(request->body.bytes);
  iod_tls_info_unref(request->secure);
  iod_free(request);
}
