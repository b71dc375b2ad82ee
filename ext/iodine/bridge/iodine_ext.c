#include "app_thread.h"
#include "rack.h"
#include "ruby_connection.h"
#include "ruby_server.h"

__attribute__((visibility("default"))) void Init_iodine_ext(void);

void Init_iodine_ext(void) {
  VALUE iodine = rb_define_module("Iodine");
  iod_rack_init(iodine);
  iod_ruby_connection_init(iodine);
  iod_ruby_server_init(iodine);
  iod_app_thread_init();
}
