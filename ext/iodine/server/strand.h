/* A strand: what the application is told by one thread at a time, in order: signals, then messages. With anything in it
 * it is one job, whatever their number. Connections have one each, and so has what else has an order to keep.
 *
 * Any thread; its lock is a leaf, one of a few that all strands of a server share: idle ones are many. */
#ifndef IOD_SERVER_STRAND_H
#define IOD_SERVER_STRAND_H

#include "handler.h"

#include <pthread.h>

struct iod_publication;

/* All fields but `next` are the teller's. */
typedef struct iod_message {
  struct iod_message *next;
  uint8_t tell;                        /* what it is: one of its strand's kinds */
  bool text;                           /* the bytes are UTF-8 */
  uint64_t id;                         /* what for: whose tell needs one */
  struct iod_publication *publication; /* counted, or NULL */
  size_t length;
  char *bytes; /* behind the message, or memory of its own */
} iod_message_t;

/* A message with a copy of the bytes. NULL when out of memory. */
IOD_MUST_USE iod_message_t *iod_message_new(uint8_t tell, const char *bytes, size_t length);

/* One that takes over allocated bytes; not when it returns NULL. */
IOD_MUST_USE iod_message_t *iod_message_over(uint8_t tell, char *bytes, size_t length);

void iod_message_free(iod_message_t *message); /* NULL is a no-op */

enum { IOD_STRIPES = 64 };

typedef struct iod_strand {
  iod_job_t job; /* first */
  iod_server_t *server;
  iod_message_t *first, *last;
  size_t bytes;
  uint32_t count;
  uint8_t signals; /* bits that its owner gives a meaning, told before messages */
  bool busy;       /* its job is queued or run */
  uint8_t stripe;  /* which of the server's locks is its own, and some others' */
} iod_strand_t;

void iod_strand_init(iod_strand_t *strand, iod_server_t *server, iod_job_kind_t kind);
void iod_strand_deinit(iod_strand_t *strand); /* drops what is left */

/* Takes over the message. */
void iod_strand_push(iod_strand_t *strand, iod_message_t *message);

/* Of its job: the next message, which is the caller's, or NULL. */
IOD_MUST_USE iod_message_t *iod_strand_take(iod_strand_t *strand);

/* The end of its job: queues it again behind others if there is more. False: there is nothing left. */
bool iod_strand_rest(iod_strand_t *strand);

/* ---- for owners that look at more than messages, between lock and unlock ---- */
void iod_strand_lock(iod_strand_t *strand);
void iod_strand_append(iod_strand_t *strand, iod_message_t *message);
IOD_MUST_USE iod_message_t *iod_strand_shift(iod_strand_t *strand);

/* wake: something was added, so its job is to be queued if it isn't busy. */
void iod_strand_unlock(iod_strand_t *strand, bool wake);

#endif
