#include "../../../ext/iodine/server/addresses.h"
#include "../test.h"

#include <stdio.h>

static iod_peer_t peer(const char *ip) {
  iod_peer_t p = {.ip_length = (uint8_t)strlen(ip)};
  memcpy(p.ip, ip, strlen(ip) + 1);
  return p;
}

static iod_address_place_t place(const iod_addresses_t *a, const char *ip) {
  iod_peer_t p = peer(ip);
  return iod_addresses_place(a, &p);
}

TEST(addresses_are_counted) {
  iod_addresses_t a = {0};
  CHECK_INT(iod_addresses_init(&a, 3), 0);
  iod_address_place_t one = place(&a, "192.0.2.1");

  test_case("over all workers, in and out");
  for (uint32_t worker = 0; worker < 3; worker++)
    for (uint32_t n = 0; n <= worker; n++) iod_addresses_enter(&a, worker, one);
  CHECK_INT(iod_addresses_count(&a, 3, one), 6);
  CHECK_INT(iod_addresses_count(&a, 2, one), 3);
  iod_addresses_leave(&a, 1, one);
  CHECK_INT(iod_addresses_count(&a, 3, one), 5);

  test_case("once is enough, and what was counted stays");
  CHECK_INT(iod_addresses_init(&a, 3), 0);
  CHECK_INT(iod_addresses_count(&a, 3, one), 5);

  test_case("a worker's can be dropped; one that isn't there has none");
  iod_addresses_clear(&a, 2);
  iod_addresses_clear(&a, 3);
  CHECK_INT(iod_addresses_count(&a, 3, one), 2);
  CHECK_INT(iod_addresses_count(&a, 9, one), 2);

  test_case("nowhere is not counted");
  iod_addresses_enter(&a, 0, 0);
  iod_addresses_leave(&a, 0, 0);
  CHECK_INT(iod_addresses_count(&a, 3, one), 2);
  iod_addresses_deinit(&a);
}

TEST(addresses_have_places) {
  iod_addresses_t a = {0};
  CHECK_INT(iod_addresses_init(&a, 1), 0);

  test_case("an IPv6 network of 64 bits is one address");
  CHECK(place(&a, "2001:db8:0:1::1") == place(&a, "2001:db8:0:1:ffff::9"));
  CHECK(place(&a, "2001:db8:0:1::1") != place(&a, "2001:db8:0:2::1"));
  CHECK(place(&a, "192.0.2.1") != place(&a, "192.0.2.2"));
  CHECK(place(&a, "32.1.13.184") != place(&a, "2001:db8::1")); /* the same first bytes */
  CHECK(place(&a, "192.0.2.1") == place(&a, "::ffff:192.0.2.1"));

  test_case("what is no address has none");
  CHECK_INT(place(&a, ""), 0);
  CHECK_INT(place(&a, "unix"), 0);
  CHECK(place(&a, "0.0.0.0") != 0);

  test_case("a thousand full addresses leave room for nearly all others");
  char ip[IOD_IP_ROOM];
  for (int i = 0; i < 1000; i++) {
    snprintf(ip, sizeof ip, "10.0.%d.%d", i / 250, i % 250);
    for (int n = 0; n < 100; n++) iod_addresses_enter(&a, 0, place(&a, ip));
  }
  int refused = 0;
  for (int i = 0; i < 1000; i++) {
    snprintf(ip, sizeof ip, "172.16.%d.%d", i / 250, i % 250);
    refused += iod_addresses_count(&a, 1, place(&a, ip)) >= 100;
  }
  CHECK(refused < 200);
  iod_addresses_deinit(&a);
}
