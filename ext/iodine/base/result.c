#include "result.h"

const char *iod_error_name(int error) {
  switch (error) {
#define X(name, number, sentence)                                                                                      \
  case number: return #name ": " sentence;
    IOD_ERRORS(X)
#undef X
  default: return "UNKNOWN: not an error code";
  }
}
