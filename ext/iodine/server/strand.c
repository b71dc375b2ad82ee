#include "strand.h"

#include "../base/alloc.h"
#include "publication.h"
#include "server.h"

#include <string.h>

/* ---- messages ---- */

iod_message_t *iod_message_new(uint8_t tell, const char *bytes, size_t length) {
  if (length > PTRDIFF_MAX - sizeof(iod_message_t)) return NULL;
  iod_message_t *m = iod_alloc(sizeof *m + length);
  if (!m) return NULL;
  *m = (iod_message_t){.tell = tell, .length = length, .bytes = (char *)(m + 1)};
  if (length) memcpy(m->bytes, bytes, length);
  return m;
}

iod_message_t *iod_message_over(uint8_t tell, char *bytes, size_t length) {
  iod_message_t *m = iod_alloc(sizeof *m);
  if (m) *m = (iod_message_t){.tell = tell, .length = length, .bytes = bytes};
  return m;
}

void iod_message_free(iod_message_t *m) {
  if (!m) return;
  if (m->publication) {
    iod_publication_uncount(m->publication);
    iod_publication_unref(m->publication);
  }
  if (m->bytes != (char *)(m + 1)) iod_free(m->bytes);
  iod_free(m);
}

/* ---- strands ---- */

void iod_strand_init(iod_strand_t *s, iod_server_t *server, iod_job_kind_t kind) {
  static _Atomic uint8_t next;
  *s = (iod_strand_t){.job.kind = kind, .server = server, .stripe = atomic_fetch_add(&next, 1) % IOD_STRIPES};
}

void iod_strand_deinit(iod_strand_t *s) {
  while (s->first) iod_message_free(iod_strand_shift(s));
}

void iod_strand_lock(iod_strand_t *s) { pthread_mutex_lock(&s->server->stripes[s->stripe]); }

void iod_strand_unlock(iod_strand_t *s, bool wake) {
  bool queue = wake && !s->busy;
  s->busy |= wake;
  pthread_mutex_unlock(&s->server->stripes[s->stripe]);
  if (queue) iod_jobs_push(&s->server->jobs, &s->job, false);
}

void iod_strand_append(iod_strand_t *s, iod_message_t *message) {
  message->next = NULL;
  *(s->first ? &s->last->next : &s->first) = message;
  s->last = message;
  s->bytes += message->length;
  s->count++;
}

iod_message_t *iod_strand_shift(iod_strand_t *s) {
  iod_message_t *message = s->first;
  if (!message) return NULL;
  s->first = message->next;
  s->bytes -= message->length;
  s->count--;
  return message;
}

void iod_strand_push(iod_strand_t *s, iod_message_t *message) {
  iod_strand_lock(s);
  iod_strand_append(s, message);
  iod_strand_unlock(s, true);
}

iod_message_t *iod_strand_take(iod_strand_t *s) {
  iod_strand_lock(s);
  iod_message_t *message = iod_strand_shift(s);
  iod_strand_unlock(s, false);
  return message;
}

bool iod_strand_rest(iod_strand_t *s) {
  iod_strand_lock(s);
  bool more = s->signals || s->first;
  s->busy = false;
  iod_strand_unlock(s, more);
  return more;
}
