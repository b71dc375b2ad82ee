/* A parser's result must not depend on how its input was cut: these give it whole, byte by byte, and cut at every point
 * (long inputs: at some), each piece flush against an unreadable page, and compare. */
#ifndef IOD_SPEC_CUTS_H
#define IOD_SPEC_CUTS_H

#include "../../../ext/iodine/protocol/http1_body.h"
#include "../../../ext/iodine/protocol/http1_head.h"
#include "../../../ext/iodine/protocol/proxy_header.h"
#include "../../../ext/iodine/protocol/websocket_reply.h"

enum { CUTS_DIFFER = -10000 }; /* with a line on stdout that says where */

/* iod_http1_parse_head's result for the whole; *parser as after it. */
int cuts_head(const iod_http1_limits_t *limits, const char *bytes, size_t length, iod_http1_parser_t *parser);

typedef struct cuts_body {
  int64_t error; /* or 0 */
  size_t used, length;
  bool done;
  char *data; /* `length` decoded bytes; the caller frees it */
} cuts_body_t;

/* What decoding from the state `start` gives. 0, CUTS_DIFFER. */
int cuts_body(const iod_http1_body_t *start, const char *bytes, size_t length, cuts_body_t *result);

/* iod_proxy_header_parse's result for the whole; *header as after it. */
int cuts_proxy_header(const char *bytes, size_t length, iod_proxy_header_t *header);

/* iod_websocket_reply_parse's result for the whole, from the state *start; *reply as after it. */
int cuts_websocket_reply(const iod_websocket_reply_t *start, const char *bytes, size_t length,
                         iod_websocket_reply_t *reply);

#endif
