#include "wake.h"

#include "socket.h"

#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

int iod_wake_init(iod_wake_t *wake) {
#ifdef __linux__
  wake->read_fd = wake->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return wake->read_fd < 0 ? IOD_E_SYSTEM : 0;
#else
  int ends[2];
  if (pipe(ends)) return IOD_E_SYSTEM;
  wake->read_fd = ends[0], wake->write_fd = ends[1];
  if (iod_socket_prepare(ends[0]) == 0 && iod_socket_prepare(ends[1]) == 0) return 0;
  iod_wake_deinit(wake);
  return IOD_E_SYSTEM;
#endif
}

void iod_wake_deinit(iod_wake_t *wake) {
  if (wake->read_fd >= 0) close(wake->read_fd);
  if (wake->write_fd != wake->read_fd) close(wake->write_fd);
  wake->read_fd = wake->write_fd = -1;
}

void iod_wake_send(const iod_wake_t *wake) {
  uint64_t one = 1;
  ssize_t sent = write(wake->write_fd, &one, sizeof one); /* full means that it is readable already */
  (void)sent;
}

void iod_wake_clear(const iod_wake_t *wake) {
  char drain[64];
  while (read(wake->read_fd, drain, sizeof drain) == (ssize_t)sizeof drain) {}
}
