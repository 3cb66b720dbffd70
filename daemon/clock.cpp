#include "daemon/clock.hpp"

#include <array>
#include <chrono>
#include <ctime>

namespace kith::daemon {

Millis wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  return millis < 0 ? 0 : static_cast<Millis>(millis);
}

std::string utc_text(Millis time) {
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

}  // namespace kith::daemon
