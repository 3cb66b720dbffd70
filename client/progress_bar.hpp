#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "client/console.hpp"

namespace kith::client {

/// One line on a terminal's standard error that says how far something has come. Silent elsewhere.
class ProgressBar {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;

  /// `console` must outlive it.
  explicit ProgressBar(const Console& console) : console_(console) {}
  /// For steps that take about the same time each: says as well how long it will still take, once
  /// that can be told, and draws ten times a second at most.
  ProgressBar(const Console& console, Clock clock) : console_(console), clock_(std::move(clock)) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  /// `total` 0: unknown. Draws only when the line would look different.
  void show(std::uint64_t done, std::uint64_t total, std::string_view doing);
  /// Removes the line, so that what follows begins at the left.
  void clear();

 private:
  struct Start {
    Time time;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
  };
  [[nodiscard]] bool is_due(bool is_end, Time now);
  [[nodiscard]] std::string time_left(std::uint64_t done, std::uint64_t total, Time now);

  const Console& console_;
  Clock clock_;
  std::optional<Start> start_;
  std::optional<Time> drawn_;
  std::string shown_;
};

/// "about 40 s left", "about 3 min left", "about 2 h left"; rounded up.
[[nodiscard]] std::string time_left(std::chrono::seconds left);

}  // namespace kith::client
