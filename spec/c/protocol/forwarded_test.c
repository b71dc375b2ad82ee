#include "../../../ext/iodine/protocol/forwarded.h"
#include "../flush.h"
#include "../test.h"

#include <stdio.h>

/* What popping gives, from the right: the values of each element between bars; "!" where the rest is malformed. */
static const struct {
  const char *list, *expected;
} ELEMENTS[] = {
    {"", ""},
    {"  ,\t,, ", ""},
    {"for=192.0.2.1", "[192.0.2.1||]"},
    {"For=192.0.2.1;PROTO=https;hOst=a.example;by=10.0.0.1", "[192.0.2.1|https|a.example]"},
    {"for=a, for=b,for=c", "[c||][b||][a||]"},
    {"for=a;proto=http , for=b", "[b||][a|http|]"},
    {"for=a; proto=http ;host=h", "[a|http|h]"},
    {";for=a;;proto=http;", "[a|http|]"},
    {"for=a, ;, for=b", "[b||][||][a||]"},
    {"for=\"[2001:db8::1]:47\"", "[[2001:db8::1]:47||]"},
    {"for=[2001:db8::1]:47", "[[2001:db8::1]:47||]"},
    {"for=192.0.2.1:47", "[192.0.2.1:47||]"},
    {"for=\"a,b;c=d\";host=\"x y\"", "[a,b;c=d||x y]"},
    {"for=\"\"", "[||]"},
    {"for=\"a\\\"b\"", "[a\\\"b||]"},
    {"for=\"\\\"\"", "[\\\"||]"},
    {"for=\"a\\\\\"", "[a\\\\||]"},
    {"for=a;secret=_x;ext=\"q\"", "[a||]"},
    {"proto=https", "[|https|]"},
    /* what stands to the left can't reach what stands to the right */
    {"for=\", for=b", "[b||]!"},
    {"for=\"x, for=\"b\"", "[b||]!"},
    {"for=x\\, for=\"b\"", "[b||]!"},
    {"for=\"\\\", for=\"b\"", "[b||]!"},
    {"\", for=b", "[b||]!"},
    {"for=x;host=\"\\, for=\"[::1]\";proto=https", "[[::1]|https|]!"},
    {"for=a,for=b,,=", "!"},
    /* malformed */
    {"for", "!"},
    {"for=", "!"},
    {"=a", "!"},
    {"for=a b", "!"},
    {"for =a", "!"},
    {"for= a", "!"},
    {"for=a;for=b", "!"},
    {"for=\"\";for=b", "!"},
    {"host=a;HOST=a", "!"},
    {"for=\"a", "!"},
    {"for=a\"", "!"},
    {"for=\"a\\\"", "!"},
    {"for=\"a\"b", "!"},
    {"for=\"a\"\"b\"", "!"},
    {"\"for\"=a", "!"},
    {"f(r=a", "!"},
    {"for=a\x80", "!"},
    {"\"", "!"},
    {"for=a/b", "!"},
};

static void put(char *out, iod_slice_t value, const char *end) {
  strncat(out, value.length ? value.at : "", value.length);
  strcat(out, end);
}

static void pop_all(iod_slice_t list, char *out) {
  iod_forwarded_t element;
  int result;
  *out = 0;
  while ((result = iod_forwarded_pop(&list, &element)) > 0) {
    strcat(out, "[");
    put(out, element.client, "|");
    put(out, element.proto, "|");
    put(out, element.host, "]");
  }
  if (result < 0) strcat(out, "!");
  CHECK_INT(list.length, 0);
}

TEST(forwarded_is_read_from_its_end) {
  for (size_t i = 0; i < sizeof ELEMENTS / sizeof *ELEMENTS; i++) {
    char out[256];
    size_t length = strlen(ELEMENTS[i].list);
    test_case(ELEMENTS[i].list);
    pop_all((iod_slice_t){test_flush(ELEMENTS[i].list, length), length}, out);
    CHECK_BYTES(out, strlen(out), ELEMENTS[i].expected);
  }
}

TEST(items_are_read_from_their_end) {
  static const struct {
    const char *list, *expected;
  } table[] = {{"", ""},
               {" , ,\t", ""},
               {"a", "[a]"},
               {" a , b,c ", "[c][b][a]"},
               {"a,,b,", "[b][a]"},
               {",a", "[a]"},
               {"a b, c", "[c][a b]"},
               {"\"a,b\"", "[b\"][\"a]"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char out[64] = "";
    size_t length = strlen(table[i].list);
    test_case(table[i].list);
    iod_slice_t item, list = {test_flush(table[i].list, length), length};
    while (iod_forwarded_pop_item(&list, &item)) {
      strcat(out, "[");
      put(out, item, "]");
    }
    CHECK_BYTES(out, strlen(out), table[i].expected);
  }
}

TEST(nodes_are_addresses) {
  static const struct {
    const char *node, *address; /* NULL: none */
  } table[] = {{"192.0.2.1", "192.0.2.1"},
               {"192.0.2.1:80", "192.0.2.1"},
               {"192.0.2.1:_port", "192.0.2.1"},
               {"2001:db8::1", "2001:db8::1"},
               {"[2001:db8::1]", "2001:db8::1"},
               {"[2001:db8::1]:65535", "2001:db8::1"},
               {"[2001:db8::1]:_a.b-c", "2001:db8::1"},
               {"::ffff:192.0.2.1", "192.0.2.1"},
               {"[::ffff:192.0.2.1]:1", "192.0.2.1"},
               {"", NULL},
               {"unknown", NULL},
               {"_hidden", NULL},
               {"_hidden:80", NULL},
               {"example.com", NULL},
               {"192.0.2.1:", NULL},
               {"192.0.2.1:123456", NULL},
               {"192.0.2.1:8o", NULL},
               {"192.0.2.1:_a b", NULL},
               {"[192.0.2.1]", NULL},
               {"[192.0.2.1]:80", NULL},
               {"[::1", NULL},
               {"[::1]80", NULL},
               {"[::1]:", NULL},
               {"[]", NULL},
               {"[", NULL},
               {"::1]", NULL},
               {":", NULL},
               {":80", NULL},
               {"[fe80::1%eth0]", NULL},
               {"192.0.2.1, 192.0.2.2", NULL},
               {"192.0.2.1\\", NULL}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    iod_ip_t ip;
    char text[IOD_IP_TEXT];
    size_t length = strlen(table[i].node);
    test_case(table[i].node);
    int result = iod_forwarded_node((iod_slice_t){test_flush(table[i].node, length), length}, &ip);
    CHECK_INT(result, table[i].address ? 0 : IOD_E_BAD_REQUEST);
    if (result == 0 && table[i].address) CHECK_BYTES(text, iod_ip_format(&ip, text), table[i].address);
  }
}
