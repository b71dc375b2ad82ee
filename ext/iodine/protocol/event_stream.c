#include "event_stream.h"

#include "list.h"

/* "q=0", "q=0.", "q=0.000" */
static bool refuses(iod_slice_t parameter) {
  if (parameter.length < 3 || !iod_slice_is((iod_slice_t){parameter.at, 3}, IOD_SLICE("q=0"))) return false;
  for (size_t i = 3; i < parameter.length; i++)
    if (parameter.at[i] != (i == 3 ? '.' : '0')) return false;
  return true;
}

bool iod_accepts_event_stream(iod_slice_t accept) {
  while (accept.length) {
    iod_slice_t member = iod_list_take(&accept, ',');
    if (!iod_slice_is(iod_list_take(&member, ';'), IOD_SLICE("text/event-stream"))) continue;
    bool refused = false;
    while (member.length) refused |= refuses(iod_list_take(&member, ';'));
    if (!refused) return true;
  }
  return false;
}
