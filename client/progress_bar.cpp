#include "client/progress_bar.hpp"

#include <algorithm>

#include "client/layout.hpp"

namespace kith::client {
namespace {

constexpr std::size_t bar_columns = 24;
constexpr std::size_t line_columns_default = 79;

std::string bar_of(std::uint64_t done, std::uint64_t total) {
  const double part = std::min(
      1.0, static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(total, 1)));
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar_columns));
  const auto percent = static_cast<unsigned>(part * 100);
  return '[' + std::string(filled, '#') + std::string(bar_columns - filled, '.') + "] " +
         std::to_string(percent) + " %  ";
}

}  // namespace

void ProgressBar::show(std::uint64_t done, std::uint64_t total, std::string_view doing) {
  if (!console_.err_is_terminal) return;
  // The last column stays free: some terminals would begin a new line.
  const std::size_t columns = console_.width > 1 ? console_.width - 1 : line_columns_default;
  const std::string start = total == 0 ? std::to_string(done) + "  " : bar_of(done, total);
  std::string line = fit(start + clean_line(doing), columns);
  line.append(columns - std::min(columns, columns_of(line)), ' ');
  if (line == shown_) return;
  shown_ = line;
  console_.err << '\r' << shown_ << std::flush;
}

void ProgressBar::clear() {
  if (shown_.empty()) return;
  console_.err << '\r' << std::string(columns_of(shown_), ' ') << '\r' << std::flush;
  shown_.clear();
}

}  // namespace kith::client
