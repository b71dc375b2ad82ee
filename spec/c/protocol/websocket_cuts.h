/* What a reader makes of a peer's bytes must not depend on how they were cut: this gives it them whole, byte by byte,
 * and cut at every point (long ones: at some), each piece flush against an unreadable page, and compares. */
#ifndef IOD_SPEC_WEBSOCKET_CUTS_H
#define IOD_SPEC_WEBSOCKET_CUTS_H

#include "../../../ext/iodine/protocol/websocket_message.h"

/* Appends to `said` what was read: "text(hello) ping() close(1000,bye) error(1002)", with a space between two. False,
 * with a line on stdout: it depends on the cuts. */
bool websocket_cuts(const iod_websocket_rules_t *rules, const iod_websocket_deflate_t *agreed, const char *bytes,
                    size_t length, iod_buffer_t *said);

#endif
