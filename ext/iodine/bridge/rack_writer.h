/* One response on its way to the server: its head, its framing (RFC 9112 section 6), how much of it is out. With the
 * GVL.
 *
 * The status line and the header lines of the application are gathered in `out`; what depends on the body's length is
 * added when the first of it is sent, so until then the response can still be replaced. Functions marked [raises] may
 * raise. */
#ifndef IOD_BRIDGE_RACK_WRITER_H
#define IOD_BRIDGE_RACK_WRITER_H

#include "../base/buffer.h"
#include "../server/handler.h"

#include <ruby.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  IOD_RACK_UNKNOWN, /* no length: chunked on HTTP/1.1, until the close on 1.0 */
  IOD_RACK_LENGTH,  /* content-length */
  IOD_RACK_ENCODED, /* the application sends chunks of its own */
  IOD_RACK_CHUNKED, /* ours */
  IOD_RACK_CLOSE,   /* until the connection closes */
  IOD_RACK_NONE,    /* without a body: nothing is said of its length */
  IOD_RACK_UPGRADE, /* not HTTP from here on */
} iod_rack_framing_t;

typedef struct iod_rack_writer {
  iod_server_t *server;
  iod_request_t *request; /* the reference is the writer's; NULL when it was moved away */
  iod_buffer_t out;
  uint64_t left; /* with LENGTH: bytes of the body to come */
  int status;
  uint8_t framing;
  char tail[5]; /* with ENCODED: the last bytes, "0\r\n\r\n" when it is complete */
  bool keep_alive, has_date;
  bool head_sent;
  bool ended; /* nothing more can be sent */
  bool gone;  /* so is the client */
} iod_rack_writer_t;

void iod_rack_writer_init(iod_rack_writer_t *writer, iod_server_t *server, iod_request_t *request);
void iod_rack_writer_deinit(iod_rack_writer_t *writer); /* breaks off what was not ended; gives the reference back */
void iod_rack_writer_move(iod_rack_writer_t *to, iod_rack_writer_t *from);

/* Early hints: a 1xx head that was begun with its status and has its lines. Raises IOError once the response has begun.
 */
void iod_rack_writer_begin_interim(iod_rack_writer_t *writer, int status);
void iod_rack_writer_send_interim(iod_rack_writer_t *writer);

/* Begins the head, or begins it anew. [raises] */
void iod_rack_writer_begin(iod_rack_writer_t *writer, int status);

/* "name: value\r\n" into a head; both valid. [raises] */
void iod_rack_header_append(iod_buffer_t *out, const char *name, size_t name_length, const char *value,
                            size_t value_length);

/* Bytes of the body, framed, with the head if it is still here. Waits, without the GVL, while too much is pending.
 * Returns 0, IOD_E_CLOSED (nobody reads it any more), IOD_E_FULL (the content-length is reached: the rest was dropped).
 * [raises] */
int iod_rack_writer_write(iod_rack_writer_t *writer, VALUE string);

/* The whole response, with a body of an Array's Strings, `total` bytes in all. [raises] */
void iod_rack_writer_send_array(iod_rack_writer_t *writer, VALUE array, size_t total);

/* The whole response, without a body. [raises] */
void iod_rack_writer_send_head(iod_rack_writer_t *writer);

/* The whole response, made elsewhere with its head. */
void iod_rack_writer_send(iod_rack_writer_t *writer, int status, const iod_segment_t *segments, size_t count,
                          size_t body_bytes);

/* Instead of a response: the page of an error, or a line of text. Before the head was sent. Never raises. */
void iod_rack_writer_fail(iod_rack_writer_t *writer, int status);

/* "date: …\r\n" of now. */
iod_slice_t iod_rack_writer_date(void);

/* The whole response, with a file as its body (HEAD: its length). Takes ownership of fd, also when it raises. */
void iod_rack_writer_send_file(iod_rack_writer_t *writer, int fd, uint64_t length);

/* The head alone, now: UNKNOWN becomes CHUNKED or CLOSE. [raises] */
void iod_rack_writer_flush(iod_rack_writer_t *writer);

/* The end of a body. [raises] */
void iod_rack_writer_end(iod_rack_writer_t *writer);

/* Broken off: a plain 500 if nothing was sent, else the connection closes in a way that the client sees. Never raises.
 */
void iod_rack_writer_abort(iod_rack_writer_t *writer);

/* The socket, after all that was sent; -1 when the client is gone. Either way the response is over. *early: see
 * iod_request_hijack. [raises] */
int iod_rack_writer_hijack(iod_rack_writer_t *writer, char **early, size_t *early_length);

/* "LEVEL: GET /path: sentence" */
void iod_rack_log(int level, const iod_request_t *request, const char *sentence);

#endif
