/* HTTP/1 request heads (RFC 9112 sections 2, 3, 5, 6; RFC 9110 sections 5, 7). Bytes in, values out: no I/O, no clock,
 * no allocation. Strict: whatever two parsers could read in two ways is an error. Linear in its input, resumable at
 * every byte. */
#ifndef IOD_PROTOCOL_HTTP1_HEAD_H
#define IOD_PROTOCOL_HTTP1_HEAD_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Build-time ceilings, by the names iodine has always had; run-time limits can only be lower. */
#ifndef HTTP_MAX_HEADER_LENGTH
#define HTTP_MAX_HEADER_LENGTH 32768 /* bytes of the whole head */
#endif
#ifndef HTTP_MAX_HEADER_COUNT
#define HTTP_MAX_HEADER_COUNT 128
#endif

/* Offsets count from the first byte of the head, so the bytes may be copied elsewhere after parsing. */
typedef struct iod_span {
  uint32_t at, length;
} iod_span_t;

typedef struct iod_header {
  iod_span_t name, value; /* name as sent; value without white space around it */
  uint8_t known;          /* IOD_HEADER_…, 0 = not one the server reads itself */
} iod_header_t;

enum {
  IOD_HEADER_OTHER,
  IOD_HEADER_HOST,
  IOD_HEADER_CONNECTION,
  IOD_HEADER_CONTENT_LENGTH,
  IOD_HEADER_TRANSFER_ENCODING,
  IOD_HEADER_EXPECT,
  IOD_HEADER_UPGRADE,
  IOD_HEADER_CONTENT_TYPE,
  IOD_HEADER_COOKIE,
  IOD_HEADER_DROPPED, /* a name with '_': it could pass for another one in CGI names; never shown to the application */
};

enum {
  IOD_METHOD_OTHER,
  IOD_METHOD_GET,
  IOD_METHOD_HEAD,
  IOD_METHOD_POST,
  IOD_METHOD_PUT,
  IOD_METHOD_PATCH,
  IOD_METHOD_DELETE,
  IOD_METHOD_OPTIONS,
  IOD_METHOD_CONNECT,
  IOD_METHOD_TRACE
};

enum { IOD_BODY_NONE, IOD_BODY_LENGTH, IOD_BODY_CHUNKED };

/* Run-time limits; 0 is not allowed. */
typedef struct iod_http1_limits {
  uint32_t head;         /* bytes of the whole head, at most HTTP_MAX_HEADER_LENGTH: IOD_E_HEAD_TOO_LARGE */
  uint32_t line;         /* bytes of a header line without its CRLF: IOD_E_HEAD_TOO_LARGE */
  uint32_t request_line; /* bytes of the request line without its CRLF: IOD_E_TARGET_TOO_LONG */
  uint32_t headers;      /* header lines, at most HTTP_MAX_HEADER_COUNT: IOD_E_HEAD_TOO_LARGE */
  uint64_t body;         /* Content-Length: IOD_E_BODY_TOO_LARGE */
} iod_http1_limits_t;

typedef struct iod_http1_head {
  iod_span_t method, query;
  iod_span_t path;         /* as sent, without "?" and query; "*" for OPTIONS * */
  iod_span_t host;         /* of an absolute target, else of the Host header; with its port */
  uint64_t content_length; /* with IOD_BODY_LENGTH; may be 0 */
  uint32_t length;         /* of the head with its empty line */
  uint16_t header_count;
  uint8_t method_id;    /* IOD_METHOD_… */
  uint8_t minor;        /* HTTP/1.minor: 0 or 1 (a higher minor counts as 1) */
  uint8_t body;         /* IOD_BODY_… */
  bool keep_alive;      /* what version and Connection ask for */
  bool expect_continue; /* Expect: 100-continue, on 1.1, with a body to come */
  bool upgrade;         /* Connection names upgrade and there is an Upgrade header */
  bool has_query;       /* a "?" was there, even with nothing behind it */
} iod_http1_head_t;

/* The state between calls; all zeroes before a request. Caller owned; big, so one for each connection that is in the
 * middle of a head, or one scratch parser where a head came whole. */
typedef struct iod_http1_parser {
  iod_http1_head_t head;
  uint32_t line;    /* where the unfinished line begins */
  uint32_t scanned; /* bytes looked at for the end of that line */
  uint8_t seen;     /* private: bits of the headers that may come once */
  uint8_t state;    /* private */
  iod_header_t headers[HTTP_MAX_HEADER_COUNT];
} iod_http1_parser_t;

/* Only what has to be cleared (not the header array). */
void iod_http1_parser_reset(iod_http1_parser_t *parser);

/* bytes: all of the head that has come so far, from its first byte, the same as at the last call and more behind.
 * > 0: the head's length; parser->head and parser->headers[0..header_count) are set. 0: more is needed. < 0:
 * IOD_E_BAD_REQUEST, _BODY_TOO_LARGE, _TARGET_TOO_LONG, _HEAD_TOO_LARGE, _NOT_IMPLEMENTED (CONNECT, a coding other than
 * chunked) or _VERSION; the same code however the bytes were cut. Lines are judged in order, each when it is complete
 * (too long: as soon as that is known). After a length or an error: reset before the next call.
 *
 * Up to two empty lines before the request line are skipped (RFC 9112 section 2.2). "GET / HTTP/2.0" and
 * "GET / HTTP/0.9" are _VERSION, a line without a version is malformed. Errors:
 * - bare CR or LF, obs-fold, white space before a colon, an empty or bad name, control bytes or NUL in a value or
 * target (tab is fine in a value, bytes over 127 are fine in a value and in a target), "#" in a target;
 * - TE with CL, TE on HTTP/1.0, TE that is empty, that has chunked twice or anything behind chunked (400), or that
 * names another coding before it (501);
 * - CLs that differ or aren't 1*DIGIT (a list of equal ones is one); more than 18 digits is _BODY_TOO_LARGE;
 * - missing (on 1.1), repeated or malformed Host; a Host may be empty (RFC 9112 section 3.2);
 * - a target that isn't origin-form, absolute-form (http or https, any case) or OPTIONS's "*"; an absolute target whose
 *   authority is empty, malformed or has user info. An absolute target's authority replaces Host; "http://host?x" has
 * the path "/". */
IOD_MUST_USE int iod_http1_parse_head(iod_http1_parser_t *parser, const iod_http1_limits_t *limits, const char *bytes,
                                      size_t length);

/* True for a well-formed Host value: a reg-name (RFC 3986 unreserved, sub-delims, %XX), IPv4 or "[IPv6]", and an
 * optional
 * ":port" of 0 to 5 digits up to 65535. Empty is well formed, a port alone is not. */
bool iod_http1_host_valid(const char *bytes, size_t length);

#endif
