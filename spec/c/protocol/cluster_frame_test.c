#include "../../../ext/iodine/protocol/cluster_frame.h"
#include "../flush.h"
#include "../test.h"

static const iod_cluster_frame_t FRAME = {.type = IOD_CLUSTER_PUBLISH,
                                          .flags = IOD_CLUSTER_BINARY | IOD_CLUSTER_SIBLINGS,
                                          .sender = 0x01020304,
                                          .id = UINT64_C(0x1112131415161718),
                                          .channel = {"chat", 4},
                                          .message = {"a\0b", 3}};

#define HEAD "\1\1\5\0\0\0\0\4\0\0\0\3\1\2\3\4\x11\x12\x13\x14\x15\x16\x17\x18"

TEST(cluster_frames_written_and_read) {
  char out[64];
  int64_t length = iod_cluster_frame_length(&FRAME);
  CHECK_INT(length, 31);
  iod_cluster_frame_write(out, &FRAME);
  CHECK(memcmp(out, HEAD "chata\0b", 31) == 0);
  memcpy(out + 31, "\1\1", 2);
  for (size_t n = 0; n <= 33; n++) {
    iod_cluster_frame_t frame;
    size_t needed;
    int64_t result = iod_cluster_frame_parse(test_flush(out, n), n, &frame, &needed);
    CHECK_INT(result, n < 31 ? 0 : 31);
    CHECK_INT(needed, n < 24 ? 24 : 31);
    if (result <= 0) continue;
    CHECK(frame.type == FRAME.type && frame.flags == FRAME.flags && frame.sender == FRAME.sender &&
          frame.id == FRAME.id);
    CHECK(iod_slice_equal(frame.channel, FRAME.channel) && iod_slice_equal(frame.message, FRAME.message));
  }
}

static void check(const char *name, size_t at, uint8_t byte, size_t length, int64_t expected) {
  char bytes[] = HEAD "chata\0b";
  iod_cluster_frame_t frame;
  size_t needed;
  test_case(name);
  bytes[at] = (char)byte;
  CHECK_INT(iod_cluster_frame_parse(test_flush(bytes, length), length, &frame, &needed), expected);
}

TEST(cluster_frames_that_are_none) {
  check("another version", 0, 2, 1, IOD_E_BAD_REQUEST);
  check("type 0", 1, 0, 2, IOD_E_BAD_REQUEST);
  check("type 7", 1, 7, 2, IOD_E_BAD_REQUEST);
  check("an unknown flag", 2, 32, 3, IOD_E_BAD_REQUEST);
  check("a byte that is to be 0", 3, 1, 4, IOD_E_BAD_REQUEST);
  check("a channel too long", 4, 1, 24, IOD_E_BAD_REQUEST);
  check("a message too long", 8, 0xff, 24, IOD_E_BAD_REQUEST);
  check("a long message", 9, 0xff, 24, 0);
  check("no bytes", 0, 1, 0, 0);
}

TEST(cluster_frames_too_large_to_write) {
  iod_cluster_frame_t frame = FRAME;
  frame.channel.length = IOD_CLUSTER_CHANNEL_MAX;
  frame.message.length = IOD_CLUSTER_MESSAGE_MAX;
  CHECK_INT(iod_cluster_frame_length(&frame), IOD_CLUSTER_HEAD + IOD_CLUSTER_CHANNEL_MAX + IOD_CLUSTER_MESSAGE_MAX);
  frame.message.length++;
  CHECK_INT(iod_cluster_frame_length(&frame), IOD_E_FULL);
  frame.message.length = 0;
  frame.channel.length++;
  CHECK_INT(iod_cluster_frame_length(&frame), IOD_E_FULL);
}
