#include "cluster_frame.h"

#include <stdbool.h>

/* version, type, flags, 0 · length of channel · of message · sender: 4 bytes each · id: 8; the highest byte first */
enum { VERSION = 1, CHANNEL_AT = 4, MESSAGE_AT = 8, SENDER_AT = 12, ID_AT = 16 };
enum {
  FLAGS = IOD_CLUSTER_BINARY | IOD_CLUSTER_PATTERN | IOD_CLUSTER_SIBLINGS | IOD_CLUSTER_ROOT | IOD_CLUSTER_ENGINE
};

static uint64_t load(const char *at, size_t n) {
  uint64_t value = 0;
  for (size_t i = 0; i < n; i++) value = value << 8 | (uint8_t)at[i];
  return value;
}

static void store(char *at, size_t n, uint64_t value) {
  for (; n > 0; n--, value >>= 8) at[n - 1] = (char)(value & 0xff);
}

static bool begin_valid(const uint8_t *at, size_t length) {
  if (length > 0 && at[0] != VERSION) return false;
  if (length > 1 && (at[1] < IOD_CLUSTER_PUBLISH || at[1] > IOD_CLUSTER_JOIN)) return false;
  if (length > 2 && (at[2] & ~FLAGS) != 0) return false;
  return length <= 3 || at[3] == 0;
}

int64_t iod_cluster_frame_parse(const char *bytes, size_t length, iod_cluster_frame_t *frame, size_t *needed) {
  *needed = IOD_CLUSTER_HEAD;
  if (!begin_valid((const uint8_t *)bytes, length)) return IOD_E_BAD_REQUEST;
  if (length < IOD_CLUSTER_HEAD) return 0;
  size_t channel = (size_t)load(bytes + CHANNEL_AT, 4), message = (size_t)load(bytes + MESSAGE_AT, 4);
  if (channel > IOD_CLUSTER_CHANNEL_MAX || message > IOD_CLUSTER_MESSAGE_MAX) return IOD_E_BAD_REQUEST;
  *needed += channel + message;
  if (length < *needed) return 0;
  *frame = (iod_cluster_frame_t){
      .type = (uint8_t)bytes[1],
      .flags = (uint8_t)bytes[2],
      .sender = (uint32_t)load(bytes + SENDER_AT, 4),
      .id = load(bytes + ID_AT, 8),
      .channel = {bytes + IOD_CLUSTER_HEAD, channel},
      .message = {bytes + IOD_CLUSTER_HEAD + channel, message},
  };
  return (int64_t)*needed;
}

int64_t iod_cluster_frame_length(const iod_cluster_frame_t *frame) {
  size_t channel = frame->channel.length, message = frame->message.length;
  if (channel > IOD_CLUSTER_CHANNEL_MAX || message > IOD_CLUSTER_MESSAGE_MAX) return IOD_E_FULL;
  return (int64_t)(IOD_CLUSTER_HEAD + channel + message);
}

void iod_cluster_head_write(char *out, const iod_cluster_frame_t *frame) {
  out[0] = VERSION;
  out[1] = (char)frame->type;
  out[2] = (char)frame->flags;
  out[3] = 0;
  store(out + CHANNEL_AT, 4, frame->channel.length);
  store(out + MESSAGE_AT, 4, frame->message.length);
  store(out + SENDER_AT, 4, frame->sender);
  store(out + ID_AT, 8, frame->id);
}

void iod_cluster_frame_write(char *out, const iod_cluster_frame_t *frame) {
  iod_cluster_head_write(out, frame);
  if (frame->channel.length > 0) memcpy(out + IOD_CLUSTER_HEAD, frame->channel.at, frame->channel.length);
  if (frame->message.length > 0)
    memcpy(out + IOD_CLUSTER_HEAD + frame->channel.length, frame->message.at, frame->message.length);
}
