/* Built without zlib. Nobody comes here but who asks. */
#include "websocket_deflate.h"

const bool iod_deflate_available = false;

iod_inflater_t *iod_inflater_new(unsigned bits) {
  (void)bits;
  return NULL;
}

void iod_inflater_free(iod_inflater_t *inflater) { (void)inflater; }

int iod_inflater_take(iod_inflater_t *inflater, iod_slice_t piece, iod_buffer_t *out, size_t limit) {
  (void)inflater, (void)piece, (void)out, (void)limit;
  return IOD_E_WEBSOCKET_DATA;
}

int iod_inflater_end(iod_inflater_t *inflater, iod_buffer_t *out, size_t limit) {
  (void)inflater, (void)out, (void)limit;
  return IOD_E_WEBSOCKET_DATA;
}

void iod_inflater_forget(iod_inflater_t *inflater) { (void)inflater; }
void iod_inflaters_deinit(iod_inflaters_t *inflaters) { (void)inflaters; }

iod_inflater_t *iod_inflaters_borrow(iod_inflaters_t *inflaters) {
  (void)inflaters;
  return NULL;
}

void iod_inflaters_return(iod_inflaters_t *inflaters, iod_inflater_t *inflater) { (void)inflaters, (void)inflater; }

iod_deflater_t *iod_deflater_new(unsigned bits) {
  (void)bits;
  return NULL;
}

void iod_deflater_free(iod_deflater_t *deflater) { (void)deflater; }

int iod_deflater_run(iod_deflater_t *deflater, iod_slice_t message, iod_buffer_t *out) {
  (void)deflater, (void)message, (void)out;
  return IOD_E_NOMEM;
}

void iod_deflaters_deinit(iod_deflaters_t *deflaters) { (void)deflaters; }

unsigned iod_deflate_bits_for(size_t message_length, unsigned most) {
  (void)message_length;
  return most;
}

int iod_deflaters_run(iod_deflaters_t *deflaters, unsigned bits, iod_slice_t message, iod_buffer_t *out) {
  (void)deflaters, (void)bits, (void)message, (void)out;
  return IOD_E_NOMEM;
}
