#include "../../../ext/iodine/protocol/accept_encoding.h"
#include "../flush.h"
#include "../test.h"

enum {
  NONE = 0,
  ID = IOD_CODING_IDENTITY,
  GZIP = IOD_CODING_GZIP,
  BR = IOD_CODING_BR,
  ZSTD = IOD_CODING_ZSTD,
  ALL = ID | GZIP | BR | ZSTD
};

static const struct {
  const char *lines[2];
  unsigned available, best;
} CASES[] = {
    {{NULL}, ALL, ID},
    {{NULL}, GZIP, NONE},
    {{""}, ALL, ID},
    {{"gzip"}, ALL, GZIP},
    {{"GZip"}, ALL, GZIP},
    {{"x-gzip"}, ALL, GZIP},
    {{"X-GZIP;q=0.5"}, ALL, GZIP},
    {{"gzip"}, ID | BR, ID},
    {{"gzip, deflate, br, zstd"}, ALL, ZSTD},
    {{"gzip, deflate, br, zstd"}, ALL & ~ZSTD, BR},
    {{"gzip, deflate, br, zstd"}, ID | GZIP, GZIP},
    {{"gzip, deflate, br, zstd"}, ID, ID},
    {{"gzip,br"}, ALL, BR},
    {{"br;q=0.5, gzip"}, ALL, GZIP},
    {{"br;q=0.500,gzip;q=0.501"}, ALL, GZIP},
    {{"br;q=1.0,gzip;q=1.000,zstd;q=0.999"}, ALL, BR},
    {{"gzip ; q=0.5 , br\t;\tQ=0.6"}, ALL, BR},
    {{"gzip;q=0.001"}, ALL, GZIP},
    {{"gzip;q=0"}, ALL, ID},
    {{"gzip;q=0."}, ALL, ID},
    {{"gzip;q=1."}, ALL, GZIP},
    {{"gzip;q=0.000"}, ALL, ID},
    {{"gzip;q=0"}, GZIP, NONE},
    {{"identity;q=0"}, ALL, NONE},
    {{"identity;q=0, gzip"}, ALL, GZIP},
    {{"identity;q=0, gzip"}, ID | BR, NONE},
    {{"identity, gzip;q=0.5"}, ALL, ID},
    {{"identity;q=0.5, gzip;q=0.5"}, ALL, GZIP},
    {{"*"}, ALL, ZSTD},
    {{"*"}, ID, ID},
    {{"*;q=0"}, ALL, NONE},
    {{"*;q=0, gzip"}, ALL, GZIP},
    {{"*;q=0, identity;q=0.1"}, ALL, ID},
    {{"gzip;q=1.0, identity; q=0.5, *;q=0"}, ALL, GZIP},
    {{"gzip;q=1.0, identity; q=0.5, *;q=0"}, ID | BR, ID},
    {{"*;q=0.5, zstd;q=0"}, ALL, BR},
    {{"zstd;q=0, *"}, ID | ZSTD, ID},
    {{"gzip", "br"}, ALL, BR},
    {{"gzip", "identity;q=0"}, ID | BR, NONE},
    {{"gzip;q=0, gzip;q=0.5"}, ALL, GZIP},
    {{"gzip;q=0.5", "gzip;q=0"}, ALL, GZIP},
    {{",, gzip ,,"}, ALL, GZIP},
    {{"gzip;q=2, br;q=0.1"}, ALL, BR},
    {{"gzip;q=1.001, br;q=0.1"}, ALL, BR},
    {{"gzip;q=0.1234, br;q=0.1"}, ALL, BR},
    {{"gzip;q=.5, br;q=0.1"}, ALL, BR},
    {{"gzip;q=-1, br;q=0.1"}, ALL, BR},
    {{"gzip;q=, br;q=0.1"}, ALL, BR},
    {{"gzip;, br;q=0.1"}, ALL, BR},
    {{"gzip;q, br;q=0.1"}, ALL, BR},
    {{"gzip;q=0.x, br;q=0.1"}, ALL, BR},
    {{"gzip;q=05, br;q=0.1"}, ALL, BR},
    {{"gzip;q =1, br;q=0.1"}, ALL, BR},
    {{"gzip;q= 1, br;q=0.1"}, ALL, BR},
    {{"gzip;a=b, br;q=0.1"}, ALL, BR},
    {{"gzip;q=1;a=b, br;q=0.1"}, ALL, BR},
    {{";q=1, br;q=0.1"}, ALL, BR},
    {{"gzip br"}, ALL, ID},
    {{"gzipx, xbr, zst, \"gzip\""}, ALL, ID},
};

TEST(codings_are_chosen) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    iod_accept_encoding_t accept = {0};
    test_case(CASES[i].lines[0] ? CASES[i].lines[0] : "(no header)");
    for (size_t j = 0; j < 2 && CASES[i].lines[j]; j++) {
      size_t length = strlen(CASES[i].lines[j]);
      iod_accept_encoding_see(&accept, (iod_slice_t){test_flush(CASES[i].lines[j], length), length});
    }
    CHECK_INT(iod_accept_encoding_best(&accept, CASES[i].available), CASES[i].best);
  }
}

TEST(codings_have_names) {
  iod_slice_t name = iod_coding_name(ZSTD);
  CHECK_BYTES(name.at, name.length, "zstd");
  name = iod_coding_name(GZIP);
  CHECK_BYTES(name.at, name.length, "gzip");
  CHECK_INT(iod_coding_name(NONE).length, 0);
}
