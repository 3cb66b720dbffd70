#include "daemon/clock.hpp"

#include <chrono>

namespace kith::daemon {

Millis wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  return millis < 0 ? 0 : static_cast<Millis>(millis);
}

}  // namespace kith::daemon
