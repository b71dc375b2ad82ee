/* Errors are values: every function that may fail returns one of these negative codes, 0 or more is success. */
#ifndef IOD_BASE_RESULT_H
#define IOD_BASE_RESULT_H

/* X(name, number, sentence) */
#define IOD_ERRORS(X)                                                                                                  \
  X(NOMEM, -1, "out of memory")                                                                                        \
  X(SYSTEM, -2, "system call failed")                                                                                  \
  X(CLOSED, -3, "connection is closed")                                                                                \
  X(FULL, -4, "limit reached")                                                                                         \
  X(AGAIN, -5, "nothing for now")                                                                                      \
  X(PLAIN, -6, "not TLS")                                                                                              \
  X(REFUSED, -7, "refused")                                                                                            \
  X(BAD_REQUEST, -400, "malformed request")                                                                            \
  X(FORBIDDEN, -403, "origin not allowed")                                                                             \
  X(BODY_TOO_LARGE, -413, "body over the limit")                                                                       \
  X(TARGET_TOO_LONG, -414, "request line over the limit")                                                              \
  X(RANGE, -416, "range not satisfiable")                                                                              \
  X(UPGRADE_REQUIRED, -426, "WebSocket version not supported")                                                         \
  X(HEAD_TOO_LARGE, -431, "head over the limit")                                                                       \
  X(NOT_IMPLEMENTED, -501, "not implemented")                                                                          \
  X(VERSION, -505, "HTTP version not supported")                                                                       \
  X(WEBSOCKET_PROTOCOL, -1002, "WebSocket protocol error")                                                             \
  X(WEBSOCKET_DATA, -1007, "not UTF-8, or not compressed as agreed")                                                   \
  X(WEBSOCKET_TOO_LARGE, -1009, "WebSocket message over the limit")

enum {
#define X(name, number, sentence) IOD_E_##name = (number),
  IOD_ERRORS(X)
#undef X
};

/* "HEAD_TOO_LARGE: head over the limit"; a static string, for any number. */
const char *iod_error_name(int error);

#define IOD_MUST_USE    __attribute__((warn_unused_result))
#define IOD_LIKELY(x)   __builtin_expect(!!(x), 1)
#define IOD_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
