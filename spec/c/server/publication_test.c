#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/publication.h"
#include "../test.h"

static iod_slice_t slice(const char *string) { return (iod_slice_t){string, strlen(string)}; }

static iod_deflaters_t deflaters;

TEST(publications_of_text_and_bytes) {
  static const struct {
    const char *name, *message;
    bool said, text;
  } cases[] = {
      {"text", "caf\xc3\xa9", true, true},
      {"bytes that could be text", "abc", false, false},
      {"said to be text, but no UTF-8", "\xff", true, false},
      {"no bytes", "", true, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].name);
    iod_publication_t *p = iod_publication_new(slice("c"), slice(cases[i].message), cases[i].said);
    CHECK_INT(p->text, cases[i].text);
    iod_payload_t *frame = iod_publication_websocket(p, false, 0, &deflaters);
    CHECK_INT((uint8_t)frame->bytes[0], cases[i].text ? 0x81 : 0x82);
    CHECK_INT((uint8_t)iod_publication_websocket(p, true, 0, &deflaters)->bytes[0], 0x82);
    CHECK(iod_slice_equal(iod_publication_channel(p), slice("c")));
    iod_publication_unref(p);
  }
}

TEST(publications_are_encoded_once) {
  static char text[1000];
  memset(text, 'a', sizeof text - 1);
  iod_publication_t *p = iod_publication_new(slice("c"), slice(text), true);
  iod_payload_t *plain = iod_publication_websocket(p, false, 0, &deflaters);
  test_case("a frame is the same for all");
  CHECK(plain == iod_publication_websocket(p, false, 0, &deflaters));
  CHECK(plain != iod_publication_websocket(p, true, 0, &deflaters));
  test_case("an event is, too");
  CHECK_BYTES(iod_publication_event(p)->bytes, 9, "data: aaa");
  CHECK(iod_publication_event(p) == iod_publication_event(p));
  test_case("so is what is compressed, for each window");
  iod_payload_t *deflated = iod_deflate_available ? iod_publication_websocket(p, false, 9, &deflaters) : NULL;
  if (deflated) CHECK(deflated->length < 100 && (uint8_t)deflated->bytes[0] == 0xc1);
  if (deflated) CHECK(deflated == iod_publication_websocket(p, false, 9, &deflaters));
  test_case("what is encoded outlives it where it is still sent");
  iod_payload_ref(plain);
  iod_publication_unref(p);
  CHECK_INT(plain->length, 1003);
  iod_payload_unref(plain);
  iod_deflaters_deinit(&deflaters);
}

TEST(publications_that_are_too_short_or_long_to_compress) {
  static const size_t lengths[] = {0, 127, 128 * 1024 + 1};
  for (size_t i = 0; i < 3; i++) {
    char *bytes = iod_alloc_zero(lengths[i] + 1);
    iod_publication_t *p = iod_publication_new(slice("c"), (iod_slice_t){bytes, lengths[i]}, false);
    CHECK(iod_publication_websocket(p, true, 15, &deflaters) == iod_publication_websocket(p, true, 0, &deflaters));
    iod_publication_unref(p);
    iod_free(bytes);
  }
  iod_deflaters_deinit(&deflaters);
}

TEST(publications_that_wait_are_counted) {
  _Atomic size_t waiting = 0;
  iod_publication_t *p = iod_publication_new(slice("name"), slice("message"), true);
  iod_publication_count(p, &waiting);
  size_t one = waiting;
  test_case("once, with a little for each that waits for it");
  iod_publication_count(p, &waiting);
  CHECK(one > 11 && waiting > one && waiting - one < one);
  iod_publication_uncount(p);
  CHECK_INT(waiting, one);
  iod_publication_uncount(p);
  CHECK(waiting > 11);
  iod_publication_unref(p);
  CHECK_INT(waiting, 0);
  test_case("what never waited is not");
  p = iod_publication_new(slice("name"), slice("message"), true);
  iod_publication_uncount(p);
  iod_publication_unref(p);
  CHECK_INT(waiting, 0);
}

static void encode_all(void) {
  static char text[500];
  memset(text, 'a', sizeof text - 1);
  iod_publication_t *p = iod_publication_new(slice("c"), slice(text), true);
  if (!p) return;
  for (int round = 0; round < 2; round++) {
    iod_payload_t *all[] = {iod_publication_websocket(p, false, 0, &deflaters), iod_publication_event(p),
                            iod_publication_websocket(p, true, 12, &deflaters)};
    for (int i = 0; i < 3; i++) CHECK(!all[i] || all[i]->length > 0);
  }
  iod_publication_unref(p);
  iod_deflaters_deinit(&deflaters);
}

TEST(publications_without_memory) { test_each_allocation_fails(encode_all); }
