#include "daemon/watch/logging.hpp"

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

}  // namespace

void Log::line(Level level, std::string_view text) {
  if (level < lowest_) return;
  const std::lock_guard lock(mutex_);
  out_ << utc_text(wall_now()) << ' ' << word(level) << ' ' << one_line(text, line_bytes_max)
       << std::endl;
}

}  // namespace kith::daemon
