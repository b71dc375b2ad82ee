#include "../../../ext/iodine/base/sha1.h"
#include "../flush.h"
#include "../test.h"

#include <stdio.h>

static void check(iod_slice_t bytes, const char *expected) {
  uint8_t digest[IOD_SHA1_LENGTH];
  char hex[2 * IOD_SHA1_LENGTH + 1];
  iod_sha1(digest, (iod_slice_t){test_flush(bytes.at, bytes.length), bytes.length});
  for (size_t i = 0; i < sizeof digest; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
  CHECK_BYTES(hex, strlen(hex), expected);
}

TEST(sha1_of_known_texts) {
  check(IOD_SLICE(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  check(IOD_SLICE("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  check(IOD_SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

/* Where the padding takes a block of its own, and where it doesn't. */
TEST(sha1_at_the_ends_of_blocks) {
  static const struct {
    size_t length;
    const char *digest;
  } cases[] = {
      {1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},   {54, "b05d71c64979cb95fa74a33cdb31a40d258ae02e"},
      {55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},  {56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
      {57, "f08f24908d682555111be7ff6f004e78283d989a"},  {63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
      {64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},  {65, "11655326c708d70319be2610e8a57d9a5b959d3b"},
      {119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"}, {120, "f34c1488385346a55709ba056ddd08280dd4c6d6"},
      {128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"}, {200, "e61cfffe0d9195a525fc6cf06ca2d77119c24a40"},
  };
  char text[200];
  memset(text, 'a', sizeof text);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check((iod_slice_t){text, cases[i].length}, cases[i].digest);
}
