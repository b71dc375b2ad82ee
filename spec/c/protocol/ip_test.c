#include "../../../ext/iodine/protocol/ip.h"
#include "../flush.h"
#include "../test.h"

static const struct {
  const char *text, *written; /* NULL: an error */
} CASES[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"2001:db8::1", "2001:db8::1"},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
    {"2001:0:0:1:0:0:1:1", "2001::1:0:0:1:1"},
    {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
    {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
    {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"0:0:0:0:0:ffff:c000:0201", "192.0.2.1"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"},
    {"", NULL},
    {"1", NULL},
    {"1.2.3", NULL},
    {"1.2.3.", NULL},
    {"1.2.3.4.", NULL},
    {"1.2.3.4.5", NULL},
    {".1.2.3.4", NULL},
    {"1..2.3", NULL},
    {"01.2.3.4", NULL},
    {"1.2.3.00", NULL},
    {"1.2.3.256", NULL},
    {"1.2.3.1000", NULL},
    {"0x1.2.3.4", NULL},
    {"1.2.3.4 ", NULL},
    {" 1.2.3.4", NULL},
    {"-1.2.3.4", NULL},
    {":", NULL},
    {":::", NULL},
    {":1", NULL},
    {"1:", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"::1:2:3:4:5:6:7:8", NULL},
    {"1::2::3", NULL},
    {"1:::2", NULL},
    {"12345::", NULL},
    {"::g", NULL},
    {"fe80::1%eth0", NULL},
    {"[::1]", NULL},
    {"::1.2.3", NULL},
    {"::1.2.3.4.5", NULL},
    {"::1.2.3.4:5", NULL},
    {"::1.2.3.4::", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
    {"1.2.3.4::", NULL},
    {"::a.2.3.4", NULL},
    {"0000000000000000000000000000000000000000000::1", NULL},
    {"1.2.3.4\x80", NULL},
};

TEST(addresses_are_read_and_written) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    iod_ip_t ip;
    char text[IOD_IP_TEXT];
    size_t length = strlen(CASES[i].text);
    test_case(CASES[i].text);
    int result = iod_ip_parse((iod_slice_t){test_flush(CASES[i].text, length), length}, &ip);
    CHECK_INT(result, CASES[i].written ? 0 : IOD_E_BAD_REQUEST);
    if (result || !CASES[i].written) continue;
    size_t written = iod_ip_format(&ip, text);
    CHECK_BYTES(text, written, CASES[i].written);
    CHECK_INT(text[written], 0);
    CHECK(iod_ip_is_v4(&ip) == (strchr(CASES[i].written, ':') == NULL));
  }
}
