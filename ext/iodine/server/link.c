#include "link.h"

#include "server.h"

void iod_link_publish(iod_server_t *server, iod_publication_t *publication, iod_scope_t scope) {
  (void)server, (void)publication, (void)scope;
}

void iod_link_note(iod_server_t *server, iod_slice_t name, bool pattern, bool there) {
  (void)server, (void)name, (void)pattern, (void)there;
}
