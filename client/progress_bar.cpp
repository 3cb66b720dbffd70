#include "client/progress_bar.hpp"

#include <algorithm>

#include "client/layout.hpp"

namespace kith::client {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t bar_columns = 24;
constexpr std::size_t line_columns_default = 79;
constexpr milliseconds draw_every{100};
// Before that the first rate says little about the rest.
constexpr seconds estimate_after{2};
constexpr std::uint64_t estimate_from_part = 100;  // One of so many.

std::string bar_of(std::uint64_t done, std::uint64_t total) {
  const double part = std::min(
      1.0, static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(total, 1)));
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar_columns));
  const auto percent = static_cast<unsigned>(part * 100);
  return '[' + std::string(filled, '#') + std::string(bar_columns - filled, '.') + "] " +
         std::to_string(percent) + " %  ";
}

std::string about(std::int64_t number, std::string_view unit) {
  return "about " + std::to_string(number) + ' ' + std::string(unit) + " left";
}

}  // namespace

std::string time_left(seconds left) {
  constexpr seconds minutes_from{91};
  constexpr minutes hours_from{91};
  constexpr seconds step{5};
  if (left <= step) return about(std::max<std::int64_t>(left.count(), 1), "s");
  if (left < minutes_from) return about((left.count() + 4) / step.count() * step.count(), "s");
  if (left < hours_from) return about(std::chrono::ceil<minutes>(left).count(), "min");
  return about(std::chrono::ceil<hours>(left).count(), "h");
}

std::string ProgressBar::time_left(std::uint64_t done, std::uint64_t total, Time now) {
  const bool goes_on = start_ && start_->total == total && start_->done <= done;
  if (!goes_on) start_ = Start{now, done, total};
  const std::uint64_t so_far = done - start_->done;
  const auto took = now - start_->time;
  if (done >= total || took < estimate_after || so_far < total / estimate_from_part ||
      so_far == 0) {
    return "";
  }
  const std::chrono::duration<double> left =
      took * (static_cast<double>(total - done) / static_cast<double>(so_far));
  // What no clock holds is not worth an estimate.
  constexpr std::chrono::duration<double> left_max = hours(24 * 30);
  if (left > left_max) return "";
  return client::time_left(std::chrono::ceil<seconds>(left)) + "  ";
}

bool ProgressBar::is_due(bool is_end, Time now) {
  if (drawn_ && !is_end && now - *drawn_ < draw_every) return false;
  drawn_ = now;
  return true;
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total, std::string_view doing) {
  if (!console_.err_is_terminal) return;
  std::string left;
  if (clock_) {
    const Time now = clock_();
    left = time_left(done, total, now);
    if (!is_due(total != 0 && done >= total, now)) return;
  }
  // The last column stays free: some terminals would begin a new line.
  const std::size_t columns = console_.width > 1 ? console_.width - 1 : line_columns_default;
  const std::string start = total == 0 ? std::to_string(done) + "  " : bar_of(done, total);
  std::string line = fit(start + left + clean_line(doing), columns);
  line.append(columns - std::min(columns, columns_of(line)), ' ');
  if (line == shown_) return;
  shown_ = line;
  console_.err << '\r' << shown_ << std::flush;
}

void ProgressBar::clear() {
  drawn_.reset();
  if (shown_.empty()) return;
  console_.err << '\r' << std::string(columns_of(shown_), ' ') << '\r' << std::flush;
  shown_.clear();
}

}  // namespace kith::client
