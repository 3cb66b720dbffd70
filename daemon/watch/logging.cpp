#include "daemon/watch/logging.hpp"

#include <array>
#include <ctime>
#include <ostream>

#include "daemon/clock.hpp"
#include "protocol/base/text.hpp"

namespace kith::daemon {
namespace {

constexpr std::size_t line_bytes_max = 2'000;

const char* word(Log::Level level) {
  switch (level) {
    case Log::Level::debug:
      return "debug";
    case Log::Level::info:
      return "info";
    case Log::Level::warning:
      return "warning";
    case Log::Level::error:
      return "error";
  }
  return "error";
}

std::string time_text() {
  const auto seconds = static_cast<std::time_t>(wall_now() / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

}  // namespace

void Log::line(Level level, std::string_view text) {
  if (level < lowest_) return;
  const std::lock_guard lock(mutex_);
  out_ << time_text() << ' ' << word(level) << ' ' << one_line(text, line_bytes_max) << std::endl;
}

}  // namespace kith::daemon
