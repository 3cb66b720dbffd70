#include "client/random.hpp"

#include <sodium.h>

namespace kith::client {

void fill_random(std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); }

}  // namespace kith::client
