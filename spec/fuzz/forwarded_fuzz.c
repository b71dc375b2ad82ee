/* Any bytes as a Forwarded list, a list of items, an address and a network. Whatever stands left of a well-formed
 * element, that element is read as without it. An address that is read is the same when it is written and read again.
 */
#include "../../ext/iodine/protocol/cidr.h"
#include "../../ext/iodine/protocol/forwarded.h"
#include "../c/flush.c"

#include <stdlib.h>

#define REQUIRE(condition)                                                                                             \
  if (!(condition)) abort()

static void check_inside(iod_slice_t list, iod_slice_t part) {
  REQUIRE(part.length == 0 || (part.at >= list.at && part.at + part.length <= list.at + list.length));
}

static void check_list(const char *bytes, size_t length) {
  iod_slice_t whole = {test_flush(bytes, length), length}, list = whole;
  iod_forwarded_t element;
  for (size_t before = list.length; iod_forwarded_pop(&list, &element) > 0; before = list.length) {
    REQUIRE(list.length < before);
    check_inside(whole, element.client);
    check_inside(whole, element.proto);
    check_inside(whole, element.host);
  }
  REQUIRE(list.length == 0);
}

static void check_items(const char *bytes, size_t length) {
  iod_slice_t whole = {test_flush(bytes, length), length}, list = whole, item;
  for (size_t before = list.length; iod_forwarded_pop_item(&list, &item); before = list.length) {
    REQUIRE(list.length < before && item.length > 0);
    check_inside(whole, item);
  }
  REQUIRE(list.length == 0);
}

static void check_end(const char *bytes, size_t length) {
  static const char last[] = ", for=\"[2001:db8::1]:80\";proto=https";
  char *longer = malloc(length + sizeof last);
  memcpy(longer, bytes, length);
  memcpy(longer + length, last, sizeof last);
  iod_slice_t list = {longer, length + sizeof last - 1};
  iod_forwarded_t element;
  REQUIRE(iod_forwarded_pop(&list, &element) == 1);
  REQUIRE(iod_slice_equal(element.client, IOD_SLICE("[2001:db8::1]:80")) &&
          iod_slice_equal(element.proto, IOD_SLICE("https")) && element.host.length == 0);
  free(longer);
}

static void check_address(const char *bytes, size_t length) {
  iod_ip_t ip, again;
  iod_cidr_t cidr;
  char text[IOD_IP_TEXT];
  const char *flush = test_flush(bytes, length);
  if (iod_forwarded_node((iod_slice_t){flush, length}, &ip) == 0) {
    REQUIRE(iod_ip_parse((iod_slice_t){text, iod_ip_format(&ip, text)}, &again) == 0);
    REQUIRE(memcmp(&ip, &again, sizeof ip) == 0);
  }
  if (iod_cidr_parse((iod_slice_t){flush, length}, &cidr) == 0)
    REQUIRE(cidr.bits <= 128 &&
            iod_cidr_has(&cidr, &cidr.network) == (cidr.bits >= 96 || !iod_ip_is_v4(&cidr.network)));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  const char *bytes = length > 0 ? (const char *)input : "";
  check_list(bytes, length);
  check_items(bytes, length);
  check_end(bytes, length);
  check_address(bytes, length);
  return 0;
}
