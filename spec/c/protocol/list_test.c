#include "../../../ext/iodine/protocol/list.h"
#include "../flush.h"
#include "../test.h"

static iod_slice_t flush(const char *text) { return (iod_slice_t){test_flush(text, strlen(text)), strlen(text)}; }

TEST(list_elements) {
  static const struct {
    const char *list, *elements; /* each in brackets */
  } cases[] = {
      {"", ""},       {"a", "[a]"},  {" a\t", "[a]"},   {"a,b", "[a][b]"}, {"a b , c", "[a b][c]"},
      {",,", "[][]"}, {"a,", "[a]"}, {" , a", "[][a]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char elements[32] = "";
    test_case(cases[i].list);
    iod_slice_t rest = flush(cases[i].list);
    while (rest.length) {
      iod_slice_t element = iod_list_take(&rest, ',');
      strcat(elements, "[");
      strncat(elements, element.at, element.length);
      strcat(elements, "]");
    }
    CHECK_BYTES(elements, strlen(elements), cases[i].elements);
  }
}

TEST(list_names) {
  static const struct {
    const char *list;
    bool has;
  } cases[] = {
      {"upgrade", true},     {"Upgrade", true},      {"keep-alive, UPGRADE ,x", true},
      {"", false},           {"upgrades", false},    {"upgrad", false},
      {"an upgrade", false}, {"upgrade;q=1", false}, {"a,upgrade", true},
      {",upgrade,", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].list);
    CHECK(iod_list_names(flush(cases[i].list), IOD_SLICE("upgrade")) == cases[i].has);
  }
}
