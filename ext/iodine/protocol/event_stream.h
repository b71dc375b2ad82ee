/* Server-sent events (HTML Standard, section 9.2). Pure. */
#ifndef IOD_PROTOCOL_EVENT_STREAM_H
#define IOD_PROTOCOL_EVENT_STREAM_H

#include "../base/slice.h"

/* True when an Accept line's value (RFC 9110 section 12.5.1) names text/event-stream, with any weight but 0. */
bool iod_accepts_event_stream(iod_slice_t accept);

#endif
