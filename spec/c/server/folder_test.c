#include "../../../ext/iodine/server/folder.h"
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], full[256];

static const char *at(const char *path) {
  snprintf(full, sizeof full, "%s/%s", root, path);
  return full;
}

static void make_file(const char *path) {
  int fd = open(at(path), O_CREAT | O_WRONLY, 0600);
  CHECK(fd >= 0 && write(fd, "text", 4) == 4);
  close(fd);
}

/* public/{a.txt,sub/b.txt,fifo} beside secret.txt, and links of all kinds. */
static void make_folder(void) {
  static const char *const links[][2] = {
      {"public/in", "a.txt"},
      {"public/sub/up", "../a.txt"},
      {"public/out", "../secret.txt"},
      {"public/far", "sub/../../secret.txt"},
      {"public/back", "../public/a.txt"},
      {"public/absolute", "/etc/passwd"},
      {"public/folder", "sub"},
      {"public/loop", "loop"},
      {"public/one", "two"},
      {"public/two", "one"},
      {"public/chain", "folder/up"},
      {"public/up", ".."},
      {"public/slash", "sub/"},
      {"public/gone", "nowhere"},
  };
  snprintf(root, sizeof root, "/tmp/iodine-folder-XXXXXX");
  CHECK(mkdtemp(root) != NULL);
  CHECK(mkdir(at("public"), 0700) == 0 && mkdir(at("public/sub"), 0700) == 0);
  make_file("public/a.txt");
  make_file("public/sub/b.txt");
  make_file("secret.txt");
  CHECK(mkfifo(at("public/fifo"), 0600) == 0);
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) CHECK(symlink(links[i][1], at(links[i][0])) == 0);
}

static void remove_folder(void) {
  char command[96];
  snprintf(command, sizeof command, "rm -rf %s", root);
  CHECK_INT(system(command), 0);
}

/* 0: opened; else errno. */
static int walk(const char *path) {
  char folder[80];
  snprintf(folder, sizeof folder, "%s/public", root);
  int fd = iod_folder_walk(folder, path);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int open_file(const char *path, bool beneath) {
  char folder[80];
  struct stat status;
  snprintf(folder, sizeof folder, "%s/public", root);
  int fd = iod_folder_open(folder, path, beneath, &status);
  if (fd < 0) return errno;
  CHECK_INT(status.st_size, 4);
  close(fd);
  return 0;
}

TEST(folder_walk) {
  static const struct {
    const char *path;
    int error;
  } cases[] = {
      {"a.txt", 0},        {"sub/b.txt", 0},         {"in", 0},       {"sub/up", 0},  {"chain", 0},
      {"folder/b.txt", 0}, {"slash/b.txt", 0},       {"out", EXDEV},  {"far", EXDEV}, {"back", EXDEV},
      {"absolute", EXDEV}, {"up/secret.txt", EXDEV}, {"loop", ELOOP}, {"one", ELOOP}, {"nothing", ENOENT},
      {"gone", ENOENT},    {"a.txt/b", ENOTDIR},
  };
  make_folder();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_case(cases[i].path);
    CHECK_INT(walk(cases[i].path), cases[i].error);
  }
  remove_folder();
}

TEST(folder_open) {
  make_folder();
  test_case("regular files alone are opened, and a FIFO blocks nobody");
  CHECK_INT(open_file("a.txt", false), 0);
  CHECK_INT(open_file("out", false), 0);
  CHECK_INT(open_file("out", true), EXDEV);
  CHECK_INT(open_file("in", true), 0);
  CHECK_INT(open_file("sub", false), EISDIR);
  CHECK_INT(open_file("sub", true), EISDIR);
  CHECK_INT(open_file("fifo", false), ENOENT);
  CHECK_INT(open_file("fifo", true), ENOENT);
  CHECK_INT(open_file("nothing", true), ENOENT);
  test_case("a path that is too long");
  char path[5000];
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  CHECK_INT(open_file(path, false), ENAMETOOLONG);
  CHECK_INT(open_file(path, true), ENAMETOOLONG);
  remove_folder();
}
