#include "protocol/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace kith {

void check_failed(const char* condition, const char* file, long line) {
  std::fprintf(stderr, "kith: internal error: %s (%s:%ld)\n", condition, file, line);
  std::abort();
}

}  // namespace kith

namespace boost {

// Every target defines BOOST_ENABLE_ASSERT_HANDLER, so *result on an error stops here.
void assertion_failed(const char* condition, const char*, const char* file, long line) {
  kith::check_failed(condition, file, line);
}

void assertion_failed_msg(const char* condition, const char* message, const char*, const char* file,
                          long line) {
  kith::check_failed(message != nullptr ? message : condition, file, line);
}

}  // namespace boost
