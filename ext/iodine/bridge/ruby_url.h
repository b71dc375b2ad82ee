/* Iodine::Server.url_decode, for Iodine.patch_rack. */
#ifndef IOD_BRIDGE_RUBY_URL_H
#define IOD_BRIDGE_RUBY_URL_H

#include <ruby.h>

void iod_ruby_url_init(VALUE server_class);

#endif
