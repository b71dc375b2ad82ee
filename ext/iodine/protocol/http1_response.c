#include "http1_response.h"

#include "../base/clock.h"
#include "chars.h"

#include <string.h>

/* RFC 9110 section 15, and the rest of IANA's registry. X(status, reason) */
#define STATUSES(X)                                                                                                    \
  X(100, "Continue")                                                                                                   \
  X(101, "Switching Protocols")                                                                                        \
  X(102, "Processing")                                                                                                 \
  X(103, "Early Hints")                                                                                                \
  X(200, "OK")                                                                                                         \
  X(201, "Created")                                                                                                    \
  X(202, "Accepted")                                                                                                   \
  X(203, "Non-Authoritative Information")                                                                              \
  X(204, "No Content")                                                                                                 \
  X(205, "Reset Content")                                                                                              \
  X(206, "Partial Content")                                                                                            \
  X(207, "Multi-Status")                                                                                               \
  X(208, "Already Reported")                                                                                           \
  X(226, "IM Used")                                                                                                    \
  X(300, "Multiple Choices")                                                                                           \
  X(301, "Moved Permanently")                                                                                          \
  X(302, "Found")                                                                                                      \
  X(303, "See Other")                                                                                                  \
  X(304, "Not Modified")                                                                                               \
  X(305, "Use Proxy")                                                                                                  \
  X(307, "Temporary Redirect")                                                                                         \
  X(308, "Permanent Redirect")                                                                                         \
  X(400, "Bad Request")                                                                                                \
  X(401, "Unauthorized")                                                                                               \
  X(402, "Payment Required")                                                                                           \
  X(403, "Forbidden")                                                                                                  \
  X(404, "Not Found")                                                                                                  \
  X(405, "Method Not Allowed")                                                                                         \
  X(406, "Not Acceptable")                                                                                             \
  X(407, "Proxy Authentication Required")                                                                              \
  X(408, "Request Timeout")                                                                                            \
  X(409, "Conflict")                                                                                                   \
  X(410, "Gone")                                                                                                       \
  X(411, "Length Required")                                                                                            \
  X(412, "Precondition Failed")                                                                                        \
  X(413, "Content Too Large")                                                                                          \
  X(414, "URI Too Long")                                                                                               \
  X(415, "Unsupported Media Type")                                                                                     \
  X(416, "Range Not Satisfiable")                                                                                      \
  X(417, "Expectation Failed")                                                                                         \
  X(421, "Misdirected Request")                                                                                        \
  X(422, "Unprocessable Content")                                                                                      \
  X(423, "Locked")                                                                                                     \
  X(424, "Failed Dependency")                                                                                          \
  X(425, "Too Early")                                                                                                  \
  X(426, "Upgrade Required")                                                                                           \
  X(428, "Precondition Required")                                                                                      \
  X(429, "Too Many Requests")                                                                                          \
  X(431, "Request Header Fields Too Large")                                                                            \
  X(451, "Unavailable For Legal Reasons")                                                                              \
  X(500, "Internal Server Error")                                                                                      \
  X(501, "Not Implemented")                                                                                            \
  X(502, "Bad Gateway")                                                                                                \
  X(503, "Service Unavailable")                                                                                        \
  X(504, "Gateway Timeout")                                                                                            \
  X(505, "HTTP Version Not Supported")                                                                                 \
  X(506, "Variant Also Negotiates")                                                                                    \
  X(507, "Insufficient Storage")                                                                                       \
  X(508, "Loop Detected")                                                                                              \
  X(511, "Network Authentication Required")

const char *iod_http1_reason(int status) {
  switch (status) {
#define X(number, reason)                                                                                              \
  case number: return reason;
    STATUSES(X)
#undef X
  default: return "";
  }
}

/* The space behind the status stays even when there is no reason (RFC 9112 section 4). */
static iod_slice_t write_status_line(int status, char room[IOD_STATUS_LINE_ROOM]) {
  static const char form[] = "HTTP/1.1 000 \r\n";
  memcpy(room, form, sizeof(form));
  room[9] = (char)('0' + status / 100 % 10);
  room[10] = (char)('0' + status / 10 % 10);
  room[11] = (char)('0' + status % 10);
  return (iod_slice_t){room, sizeof(form) - 1};
}

iod_slice_t iod_http1_status_line(int status, char room[IOD_STATUS_LINE_ROOM]) {
  switch (status) {
#define X(number, reason)                                                                                              \
  case number: return IOD_SLICE("HTTP/1.1 " #number " " reason "\r\n");
    STATUSES(X)
#undef X
  default: return write_status_line(status, room);
  }
}

bool iod_http1_name_valid(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!iod_char_is(bytes[i], IOD_CHAR_TOKEN)) return false;
  return length > 0;
}

bool iod_http1_value_valid(const char *bytes, size_t length) { return iod_chars_are_value(bytes, length); }

size_t iod_http1_chunk_head(char room[IOD_CHUNK_HEAD_ROOM], uint64_t n) {
  size_t digits = 1;
  for (uint64_t rest = n >> 4; rest != 0; rest >>= 4) digits++;
  for (size_t i = digits; i-- > 0; n >>= 4) room[i] = "0123456789abcdef"[n & 15];
  room[digits] = '\r';
  room[digits + 1] = '\n';
  return digits + 2;
}

size_t iod_decimal(char room[IOD_DECIMAL_ROOM], uint64_t n) {
  size_t digits = 1;
  for (uint64_t rest = n / 10; rest != 0; rest /= 10) digits++;
  for (size_t i = digits; i-- > 0; n /= 10) room[i] = (char)('0' + n % 10);
  return digits;
}

/* Room was reserved. */
static void put(iod_buffer_t *out, iod_slice_t slice) {
  if (slice.length == 0) return; /* memcpy from NULL is undefined even then */
  memcpy(iod_buffer_tail(out), slice.at, slice.length);
  iod_buffer_extend(out, slice.length);
}

iod_slice_t iod_http1_connection_line(bool keep_alive, int minor) {
  if (!keep_alive) return IOD_SLICE("connection: close\r\n");
  return minor ? (iod_slice_t){0} : IOD_SLICE("connection: keep-alive\r\n");
}

int iod_http1_error_response(iod_buffer_t *out, int status, const char date[29], iod_slice_t connection,
                             iod_slice_t extra, bool head_only) {
  enum { THE_REST = 256, MOST = 1 << 20 }; /* the longest reason, twice, is 64 */
  if (connection.length > MOST || extra.length > MOST) return IOD_E_NOMEM;
  if (iod_buffer_reserve(out, THE_REST + connection.length + extra.length) != 0) return IOD_E_NOMEM;
  char line[IOD_STATUS_LINE_ROOM], digits[IOD_DECIMAL_ROOM];
  const char *reason = iod_http1_reason(status);
  size_t reason_length = strlen(reason);
  put(out, iod_http1_status_line(status, line));
  put(out, IOD_SLICE("date: "));
  put(out, (iod_slice_t){date, IOD_DATE_LENGTH});
  put(out, IOD_SLICE("\r\n"));
  put(out, connection);
  put(out, IOD_SLICE("content-type: text/plain\r\n"));
  put(out, extra);
  put(out, IOD_SLICE("content-length: "));
  put(out, (iod_slice_t){digits, iod_decimal(digits, reason_length + 1)});
  put(out, IOD_SLICE("\r\n\r\n"));
  if (head_only) return 0;
  put(out, (iod_slice_t){reason, reason_length});
  put(out, IOD_SLICE("\n"));
  return 0;
}
