/* The queue up from the application, for what could not be done at once because the state lock was held. Whoever lets
 * go of that lock empties it. Its lock is a leaf. */
#ifndef IOD_SERVER_COMMANDS_H
#define IOD_SERVER_COMMANDS_H

#include "handler.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct iod_command {
  struct iod_command *next;
  void (*apply)(iod_server_t *server, struct iod_command *command); /* under the state lock; frees it */
} iod_command_t;

typedef struct iod_commands {
  pthread_mutex_t lock;
  iod_command_t *first, *last;
  _Atomic size_t waiting;
} iod_commands_t;

void iod_commands_init(iod_commands_t *commands);
void iod_commands_deinit(iod_commands_t *commands);
void iod_commands_push(iod_commands_t *commands, iod_command_t *command);
void iod_commands_apply(iod_commands_t *commands, iod_server_t *server); /* under the state lock */

#endif
