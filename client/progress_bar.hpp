#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/console.hpp"

namespace kith::client {

/// One line on a terminal's standard error that says how far something has come. Silent elsewhere.
class ProgressBar {
 public:
  /// `console` must outlive it.
  explicit ProgressBar(const Console& console) : console_(console) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  /// `total` 0: unknown. Draws only when the line would look different.
  void show(std::uint64_t done, std::uint64_t total, std::string_view doing);
  /// Removes the line, so that what follows begins at the left.
  void clear();

 private:
  const Console& console_;
  std::string shown_;
};

}  // namespace kith::client
