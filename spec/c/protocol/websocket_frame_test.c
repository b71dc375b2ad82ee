#include "../../../ext/iodine/protocol/websocket_close.h"
#include "../flush.h"
#include "../test.h"

TEST(websocket_frames_written_and_read) {
  static const uint64_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 65537, UINT64_C(1) << 32, INT64_MAX};
  static const size_t heads[] = {2, 2, 2, 4, 4, 4, 10, 10, 10, 10};
  static const iod_websocket_mask_t mask = {{1, 2, 3, 4}};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    for (unsigned kind = 0; kind < 8; kind++) {
      iod_websocket_frame_t frame = {.length = lengths[i],
                                     .opcode = kind & 1 ? IOD_WEBSOCKET_TEXT : IOD_WEBSOCKET_BINARY,
                                     .final = (kind & 2) != 0,
                                     .compressed = (kind & 2) != 0};
      iod_websocket_peer_t from = {.client = (kind & 4) != 0, .deflates = true};
      iod_websocket_frame_t read;
      char head[IOD_WEBSOCKET_HEAD_MAX];
      size_t length = iod_websocket_frame_write(head, &frame, from.client ? &mask : NULL);
      CHECK_INT(length, heads[i] + (from.client ? 4 : 0));
      for (size_t n = 0; n < length; n++) CHECK_INT(iod_websocket_frame_parse(test_flush(head, n), n, from, &read), 0);
      CHECK_INT(iod_websocket_frame_parse(test_flush(head, length), length, from, &read), length);
      CHECK(read.length == frame.length && read.opcode == frame.opcode && read.final == frame.final);
      CHECK(read.compressed == frame.compressed && read.mask.key[3] == (from.client ? 4 : 0));
    }
}

/* Against a byte at a time: each length, alignment and offset, in place and elsewhere. */
TEST(websocket_masks) {
  enum { MOST = 100 };
  static const iod_websocket_mask_t mask = {{0x11, 0x22, 0x44, 0x88}};
  for (size_t n = 0; n <= MOST; n++)
    for (size_t offset = 0; offset < 5; offset++)
      for (size_t align = 0; align < 9; align++) {
        char bytes[MOST + 16], expected[MOST], other[MOST];
        for (size_t i = 0; i < n; i++) {
          bytes[align + i] = (char)(i * 7);
          expected[i] = (char)((i * 7) ^ mask.key[(i + offset) % 4]);
        }
        iod_websocket_mask(other, bytes + align, n, mask, offset);
        char *place = test_flush(bytes + align, n);
        iod_websocket_mask(place, place, n, mask, offset);
        if (n > 0) CHECK(memcmp(other, expected, n) == 0 && memcmp(place, expected, n) == 0);
      }
}

TEST(websocket_closes_written) {
  char out[IOD_WEBSOCKET_CONTROL_MAX], long_reason[200];
  CHECK_INT(iod_websocket_close_write(out, IOD_WEBSOCKET_NO_CODE, IOD_SLICE("x")), 0);
  CHECK_BYTES(out, iod_websocket_close_write(out, 1000, IOD_SLICE("bye")),
              "\3\xe8"
              "bye");
  CHECK_BYTES(out, iod_websocket_close_write(out, 4001, (iod_slice_t){NULL, 0}), "\x0f\xa1");
  CHECK_INT(iod_websocket_close_write(out, 1000, IOD_SLICE("\xff")), 2);
  memset(long_reason, 'x', sizeof long_reason);
  CHECK_INT(iod_websocket_close_write(out, 1000, (iod_slice_t){long_reason, 200}), 125);
  memcpy(long_reason + 121, "\xe2\x82\xac", 3);
  CHECK_INT(iod_websocket_close_write(out, 1000, (iod_slice_t){long_reason, 200}), 123);
}
