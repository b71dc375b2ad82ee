/* Ruby called from C: nothing unwinds over what C holds. With the GVL. */
#ifndef IOD_BRIDGE_PROTECT_H
#define IOD_BRIDGE_PROTECT_H

#include "../base/result.h"

#include <ruby.h>
#include <stdbool.h>

/* function(argument), with whatever would unwind (raise, throw, break, Thread#kill) stopped here. *result (may be NULL)
 * is its value, or nil. 0, or Ruby's state: then call iod_error_take, or jump with the state once all is let go. */
IOD_MUST_USE int iod_protect(VALUE (*function)(VALUE), VALUE argument, VALUE *result);

/* After a state that isn't 0: true when this thread is being killed. There is no exception then, and the state must
 * reach Ruby again (rb_jump_tag). */
bool iod_error_is_kill(void);

/* After a state that isn't 0 and isn't a kill: the exception, no longer pending. A throw or a break that left the
 * protected call becomes a LocalJumpError. */
VALUE iod_error_take(void);

/* "ERROR: context: message (Class)" and the backtrace, one frame a line. 0, or the state of a kill that came meanwhile.
 */
IOD_MUST_USE int iod_error_log(const char *context, size_t context_length, VALUE error);

#endif
