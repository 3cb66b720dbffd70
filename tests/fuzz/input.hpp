#pragma once

#include <algorithm>
#include <utility>

#include "protocol/base/types.hpp"

namespace kith::fuzz {

/// Choices taken from the front of an input; zeros when it is used up.
class Input {
 public:
  explicit Input(BytesView bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  /// 0 to `max`.
  [[nodiscard]] std::uint64_t number(std::uint64_t max) {
    const std::uint64_t value = std::uint64_t{byte()} << 8 | byte();
    return value % (max + 1);
  }
  /// As many as a first byte says, or as there are.
  [[nodiscard]] BytesView bytes() {
    const std::size_t size = byte();
    const BytesView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  [[nodiscard]] BytesView rest() { return std::exchange(rest_, {}); }

 private:
  BytesView rest_;
};

}  // namespace kith::fuzz
