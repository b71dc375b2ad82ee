#include "../../../ext/iodine/protocol/cidr.h"
#include "../flush.h"
#include "../test.h"

static iod_slice_t text(const char *string) { return (iod_slice_t){string, strlen(string)}; }

static const struct {
  const char *network, *inside, *outside; /* NULL: nothing to check */
} NETWORKS[] = {
    {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
    {"10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
    {"10.1.2.3/8", "10.9.9.9", "1.1.2.3"},
    {"192.168.128.0/17", "192.168.128.0", "192.168.127.255"},
    {"192.0.2.1/31", "192.0.2.0", "192.0.2.2"},
    {"192.0.2.1/32", "192.0.2.1", "192.0.2.0"},
    {"192.0.2.1", "192.0.2.1", "192.0.2.3"},
    {"192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1"},
    {"0.0.0.0/0", "203.0.113.9", "::1"},
    {"0.0.0.0/0", "::ffff:1.2.3.4", "2001:db8::1"},
    {"::/0", "2001:db8::1", "1.2.3.4"},
    {"::/0", "::", "::ffff:1.2.3.4"},
    {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
    {"::1", "::1", "::2"},
    {"::1/128", "::1", "127.0.0.1"},
    {"::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"},
    {"::ffff:0:0/96", "1.2.3.4", "::1"},
    {"fe80::/10", "febf::1", "fec0::1"},
};

TEST(networks_have_addresses) {
  for (size_t i = 0; i < sizeof NETWORKS / sizeof *NETWORKS; i++) {
    iod_cidr_t cidr;
    iod_ip_t inside, outside;
    test_case(NETWORKS[i].network);
    CHECK_INT(iod_cidr_parse(text(NETWORKS[i].network), &cidr), 0);
    CHECK_INT(iod_ip_parse(text(NETWORKS[i].inside), &inside), 0);
    CHECK_INT(iod_ip_parse(text(NETWORKS[i].outside), &outside), 0);
    CHECK(iod_cidr_has(&cidr, &inside));
    CHECK(!iod_cidr_has(&cidr, &outside));
  }
}

TEST(what_is_no_network) {
  static const char *const bad[] = {"",
                                    "/",
                                    "/8",
                                    "10.0.0.0/",
                                    "10.0.0.0/33",
                                    "10.0.0.0/-1",
                                    "10/8",
                                    "10.0.0.0/08",
                                    "10.0.0.0/8/8",
                                    "10.0.0.0/ 8",
                                    "::/129",
                                    "::/1000",
                                    "::/0x8",
                                    "::/",
                                    "[::1]/128",
                                    "10.0.0.0/255.0",
                                    "localhost",
                                    "10.0.0.0 /8",
                                    "10.0.0.0/4294967304",
                                    "*",
                                    "10.0.0.*",
                                    "10.0.0.1-10.0.0.9"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    iod_cidr_t cidr;
    size_t length = strlen(bad[i]);
    test_case(bad[i]);
    CHECK_INT(iod_cidr_parse((iod_slice_t){test_flush(bad[i], length), length}, &cidr), IOD_E_BAD_REQUEST);
  }
}
