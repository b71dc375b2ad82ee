#include "commands.h"

void iod_commands_init(iod_commands_t *commands) {
  *commands = (iod_commands_t){0};
  pthread_mutex_init(&commands->lock, NULL);
}

void iod_commands_deinit(iod_commands_t *commands) { pthread_mutex_destroy(&commands->lock); }

void iod_commands_push(iod_commands_t *commands, iod_command_t *command) {
  command->next = NULL;
  pthread_mutex_lock(&commands->lock);
  if (commands->first)
    commands->last->next = command;
  else
    commands->first = command;
  commands->last = command;
  atomic_fetch_add(&commands->waiting, 1);
  pthread_mutex_unlock(&commands->lock);
}

static iod_command_t *take_all(iod_commands_t *commands) {
  pthread_mutex_lock(&commands->lock);
  iod_command_t *all = commands->first;
  commands->first = commands->last = NULL;
  atomic_store(&commands->waiting, 0);
  pthread_mutex_unlock(&commands->lock);
  return all;
}

void iod_commands_apply(iod_commands_t *commands, iod_server_t *server) {
  while (atomic_load(&commands->waiting) > 0) {
    for (iod_command_t *next, *command = take_all(commands); command; command = next) {
      next = command->next;
      command->apply(server, command);
    }
  }
}
