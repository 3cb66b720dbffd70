#pragma once

#include <cstdint>
#include <span>

namespace kith::client {

/// Fresh random bytes from the system.
void fill_random(std::span<std::uint8_t> out);

}  // namespace kith::client
