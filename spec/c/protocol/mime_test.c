#include "../../../ext/iodine/protocol/mime.h"
#include "../../../ext/iodine/protocol/mime_table.h"
#include "../flush.h"
#include "../test.h"

#define UTF8 "; charset=utf-8"
#define NONE "application/octet-stream"

static const struct {
  const char *path, *type;
} CASES[] = {
    {"index.html", "text/html" UTF8},
    {"a/b.c/INDEX.HTM", "text/html" UTF8},
    {"a.css", "text/css" UTF8},
    {"a.min.js", "text/javascript" UTF8},
    {"a.mjs", "text/javascript" UTF8},
    {"a.json", "application/json" UTF8},
    {"a.js.map", "application/json" UTF8},
    {"a.webmanifest", "application/manifest+json" UTF8},
    {"a.xml", "application/xml" UTF8},
    {"a.rss", "application/rss+xml" UTF8},
    {"a.atom", "application/atom+xml" UTF8},
    {"a.svg", "image/svg+xml" UTF8},
    {"a.txt", "text/plain" UTF8},
    {"a.csv", "text/csv" UTF8},
    {"a.md", "text/markdown" UTF8},
    {"a.vtt", "text/vtt" UTF8},
    {"a.yml", "application/yaml" UTF8},
    {"a.png", "image/png"},
    {"a.JPG", "image/jpeg"},
    {"a.jpeg", "image/jpeg"},
    {"a.gif", "image/gif"},
    {"a.webp", "image/webp"},
    {"a.avif", "image/avif"},
    {"favicon.ico", "image/x-icon"},
    {"a.woff", "font/woff"},
    {"a.woff2", "font/woff2"},
    {"a.ttf", "font/ttf"},
    {"a.wasm", "application/wasm"},
    {"a.pdf", "application/pdf"},
    {"a.mp4", "video/mp4"},
    {"a.webm", "video/webm"},
    {"a.mp3", "audio/mpeg"},
    {"a.ogg", "audio/ogg"},
    {"a.ts", "video/mp2t"},
    {"a.zip", "application/zip"},
    {"a.tar.gz", "application/gzip"},
    {"a.7z", "application/x-7z-compressed"},
    {"a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"", NONE},
    {"a", NONE},
    {"a.", NONE},
    {".", NONE},
    {"html", NONE},
    {"a.html/b", NONE},
    {"a.html/", NONE},
    {"a.htm l", NONE},
    {"a.htmlx", NONE},
    {"a.webmanifestx", NONE},
    {"a.\xff", NONE},
    {"a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NONE},
};

static iod_slice_t type_of(const char *path, size_t length) {
  return iod_mime_type((iod_slice_t){test_flush(path, length), length});
}

TEST(files_have_types) {
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    test_case(CASES[i].path);
    iod_slice_t type = type_of(CASES[i].path, strlen(CASES[i].path));
    CHECK_BYTES(type.at, type.length, CASES[i].type);
  }
}

TEST(each_extension_of_the_table_is_found) {
  for (size_t i = 0; i < sizeof MIME_EXTENSIONS / sizeof *MIME_EXTENSIONS; i++) {
    char path[32] = "a.";
    strcat(path, MIME_EXTENSIONS[i].name);
    iod_slice_t type = type_of(path, strlen(path));
    if (!CHECK(iod_slice_equal(type, MIME_TYPES[MIME_EXTENSIONS[i].type]))) break;
  }
}
