#pragma once

#include <span>

#include "protocol/base/types.hpp"

/// The daemon's source of randomness: one of the two outside inputs, the other is the clock.
namespace kith::daemon {

/// Fills `out` from the system's generator.
void fill_random(std::span<std::uint8_t> out);

/// A fresh secret or nonce.
template <class Value>
[[nodiscard]] Value random_octets() {
  Value value;
  fill_random(value.bytes);
  return value;
}

}  // namespace kith::daemon
