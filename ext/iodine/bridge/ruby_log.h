/* The log as Ruby has it: verbosity, lines, and those that are handed over to a logger. */
#ifndef IOD_BRIDGE_RUBY_LOG_H
#define IOD_BRIDGE_RUBY_LOG_H

#include <ruby.h>

void iod_ruby_log_init(VALUE iodine, VALUE server_class);

#endif
