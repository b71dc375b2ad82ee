#include "glob.h"

/* What is left of a pattern, read as unsigned bytes. */
typedef struct cursor {
  const unsigned char *at, *end;
} cursor_t;

static size_t left(cursor_t c) { return (size_t)(c.end - c.at); }

static void skip_backslash(cursor_t *p) {
  if (left(*p) >= 2 && *p->at == '\\') p->at++;
}

/* Takes one byte or range of a class: is c in it? */
static bool member_has(cursor_t *p, unsigned char c) {
  if (left(*p) >= 2 && *p->at == '\\') {
    p->at += 2;
    return p->at[-1] == c;
  }
  unsigned char first = *p->at, last = first;
  bool range = left(*p) >= 3 && p->at[1] == '-';
  if (range) last = p->at[2];
  p->at += range ? 3 : 1;
  return first <= last ? first <= c && c <= last : last <= c && c <= first;
}

/* Takes a class, behind its '[': is c in it? */
static bool class_has(cursor_t *p, unsigned char c) {
  bool inverse = left(*p) > 0 && *p->at == '^', found = false;
  if (inverse) p->at++;
  while (left(*p) > 0 && *p->at != ']') found |= member_has(p, c);
  if (left(*p) > 0) p->at++;
  return found != inverse;
}

/* Takes what stands for one byte, which is there: does c match it? */
static bool one_matches(cursor_t *p, unsigned char c) {
  if (*p->at == '[') {
    p->at++;
    return class_has(p, c);
  }
  if (*p->at == '?') {
    p->at++;
    return true;
  }
  skip_backslash(p);
  return *p->at++ == c;
}

static bool skip_stars(cursor_t *p) {
  const unsigned char *from = p->at;
  while (left(*p) > 0 && *p->at == '*') p->at++;
  return p->at > from;
}

/* Only the last star met is tried for more bytes: what an earlier one could take, that one can take as well. */
bool iod_glob_matches(iod_slice_t pattern, iod_slice_t name) {
  if (name.length == 0 || pattern.length == 0) return name.length == pattern.length;
  cursor_t p = {(const unsigned char *)pattern.at, (const unsigned char *)pattern.at + pattern.length}, behind_star = p;
  const unsigned char *c = (const unsigned char *)name.at, *end = c + name.length, *star_end = NULL;
  while (c < end) {
    if (skip_stars(&p)) {
      if (left(p) == 0) return true;
      behind_star = p;
      star_end = c;
    }
    if (left(p) > 0 && one_matches(&p, *c)) {
      c++;
      continue;
    }
    if (!star_end) return false;
    c = ++star_end;
    p = behind_star;
  }
  skip_stars(&p);
  return left(p) == 0;
}
