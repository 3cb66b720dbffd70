#pragma once

#include "protocol/base/types.hpp"

/// What crash_writer writes and the test expects to find.
namespace kith::testing {

inline constexpr std::size_t crash_commits = 100;
inline const LogId crash_log{{0xC4}};

/// Small and large commits, so that bundles complete within one and across many.
inline std::size_t entries_of_commit(std::size_t commit) {
  return commit % 25 == 24 ? 150 : 1 + commit % 5;
}
/// A few are too large to be packed.
inline std::size_t crash_payload_size(std::uint64_t index) {
  return index % 97 == 5 ? 20'000 : 100 + index % 1300;
}

}  // namespace kith::testing
