#pragma once

#include <cstdint>

namespace kith {

/// What a check comes to; the later one is the worse.
enum class Verdict : std::uint8_t {
  intact,      ///< All holds.
  incomplete,  ///< What is there holds, but something is missing.
  damaged,     ///< Bytes are not those that hashes or formats demand.
  forged,      ///< A signature, or the right to sign, does not hold.
  forked,      ///< Two signed histories that cannot both be true.
};
[[nodiscard]] const char* name(Verdict verdict);

}  // namespace kith
