#include "../../../ext/iodine/protocol/fingerprint.h"
#include "../flush.h"
#include "../test.h"

#define HEX32 "0123456789abcdef0123456789abcdef"

static const struct {
  const char *path;
  bool found;
} CASES[] = {
    {"assets/app-0a1b2c3d.js", true},
    {"assets/app-0a1b2c3d4e5f.js", true},
    {"assets/name.0a1b2c3d.css", true},
    {"assets/name.0A1B2C3D.css", true},
    {"assets/a/b/c-" HEX32 ".css.map", true},
    {"assets/a-" HEX32 HEX32 ".css", true},
    {"assets/a-b-0a1b2c3d.min.js", true},
    {"assets/abc-def-deadbeef.js", true},
    {"assets/-0a1b2c3d-12345678.js", true},
    {"assets/app-0a1b2c3d.digested.js", true},
    {"assets/.sprockets-manifest-" HEX32 ".json", true},
    {"assets/app-0a1b2c3.js", false},
    {"assets/a-" HEX32 HEX32 "0.css", false},
    {"assets/app.js", false},
    {"assets/app-0a1b2c3g.js", false},
    {"assets/app-x0a1b2c3d.js", false},
    {"assets/app_0a1b2c3d.js", false},
    {"assets/app-0a1b2c3d", false},
    {"assets/app-0a1b2c3d.", false},
    {"assets/app-0a1b2c3d-x.js", false},
    {"assets/0a1b2c3d4e5f.js", false},
    {"assets/-0a1b2c3d.js", false},
    {"assets/.0a1b2c3d.js", false},
    {"assets/app-0a1b2c3d.js/b.js", false},
    {"assets/app-0a1b2c3d.js/", false},
    {"assets/", false},
    {"assets", false},
    {"", false},
    {"app-0a1b2c3d.js", false},
    {"Assets/app-0a1b2c3d.js", false},
    {"x/assets/app-0a1b2c3d.js", false},
    {"assetsx/app-0a1b2c3d.js", false},
};

TEST(fingerprints_are_found) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].path);
    size_t length = strlen(CASES[i].path);
    CHECK_INT(iod_fingerprint_in((iod_slice_t){test_flush(CASES[i].path, length), length}), CASES[i].found);
  }
}
