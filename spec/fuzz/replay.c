/* Runs a fuzz target over the files of a folder, without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void replay(const char *folder, const char *name) {
  static uint8_t bytes[1 << 20];
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  printf("%s\n", path); /* the last one shown is the one that crashed */
  fflush(stdout);
  size_t length = fread(bytes, 1, sizeof(bytes), file);
  fclose(file);
  LLVMFuzzerTestOneInput(bytes, length);
}

int main(int count, char **arguments) {
  DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
  if (!folder) {
    fprintf(stderr, "usage: replay FOLDER, one that can be read\n");
    return 1;
  }
  int passed = 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    replay(arguments[1], entry->d_name);
    passed++;
  }
  closedir(folder);
  printf("%d passed, 0 failed\n", passed);
  return passed > 0 ? 0 : 1;
}
