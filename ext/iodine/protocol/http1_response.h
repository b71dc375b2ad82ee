/* What an HTTP/1 response is made of: status lines, safe header lines, chunk framing. Pure. */
#ifndef IOD_PROTOCOL_HTTP1_RESPONSE_H
#define IOD_PROTOCOL_HTTP1_RESPONSE_H

#include "../base/buffer.h"
#include "../base/result.h"
#include "../base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* "HTTP/1.1 404 Not Found\r\n" for a status from 100 to 999, with the registered reason (or an empty one). Static for
 * the known ones; others are written to `room`. */
enum { IOD_STATUS_LINE_ROOM = 24 };
iod_slice_t iod_http1_status_line(int status, char room[IOD_STATUS_LINE_ROOM]);
const char *iod_http1_reason(int status); /* "" when unknown */

/* A response header's name: 1*tchar (RFC 9110 section 5.6.2). A value: no CR, LF, NUL, nor other controls than tab. */
bool iod_http1_name_valid(const char *bytes, size_t length);
bool iod_http1_value_valid(const char *bytes, size_t length);

/* "1f4\r\n" before n bytes of a chunk; returns its length. The last chunk is "0\r\n\r\n". */
enum { IOD_CHUNK_HEAD_ROOM = 18 };
size_t iod_http1_chunk_head(char room[IOD_CHUNK_HEAD_ROOM], uint64_t n);

/* Statuses that never have a body: 1xx, 204, 304 (RFC 9110 section 6.4.1). */
static inline bool iod_http1_bodyless(int status) { return status < 200 || status == 204 || status == 304; }

/* The line that RFC 9112 section 9.3 asks for: 1.1 persists unless told otherwise, 1.0 only if told. May be empty. */
iod_slice_t iod_http1_connection_line(bool keep_alive, int minor);

/* The whole answer for an error that the server gives itself: status line, date, a short text/plain body (the reason
 * phrase and "\n") and its length. `connection` and `extra`: whole header lines, or empty. HEAD: without the body.
 * 0 or IOD_E_NOMEM (then nothing was appended). */
IOD_MUST_USE int iod_http1_error_response(iod_buffer_t *out, int status, const char date[29], iod_slice_t connection,
                                          iod_slice_t extra, bool head_only);

/* Decimal digits of n; returns how many. */
enum { IOD_DECIMAL_ROOM = 20 };
size_t iod_decimal(char room[IOD_DECIMAL_ROOM], uint64_t n);

#endif
