/* What the root sees of its workers' signs of life (server/pulse.h): methods of Iodine::Server. */
#ifndef IOD_BRIDGE_RUBY_PULSE_H
#define IOD_BRIDGE_RUBY_PULSE_H

#include <ruby.h>

void iod_ruby_pulse_init(VALUE server_class);

#endif
