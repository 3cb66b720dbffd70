#pragma once

namespace kith {

/// Prints what failed to stderr and aborts. Called by KITH_CHECK and by Boost's assertions.
[[noreturn]] void check_failed(const char* condition, const char* file, long line);

}  // namespace kith

/// Our own code is wrong if this fails: stop before damage spreads. On in release builds too.
#define KITH_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::kith::check_failed(#condition, __FILE__, __LINE__))
