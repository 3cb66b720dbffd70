#pragma once

#include <optional>
#include <string>
#include <vector>

/// Outside vectors and documents, found through the environment variable KITH_SHARED alone.
namespace kith::testing {

/// KITH_SHARED/`below`, or nothing if the variable is not set.
[[nodiscard]] std::optional<std::string> shared_path(const std::string& below);
/// The whole file; fails the test if it cannot be read.
[[nodiscard]] std::string read_whole(const std::string& path);
/// Regular files below `folder`, sorted.
[[nodiscard]] std::vector<std::string> files_below(const std::string& folder);

}  // namespace kith::testing

/// Skips loudly without KITH_SHARED; .ci/run fails if that happens where the folder exists.
#define KITH_NEEDS_SHARED()                                                                     \
  if (!::kith::testing::shared_path("")) {                                                      \
    GTEST_SKIP() << "OUTSIDE VECTORS NOT FOUND: set KITH_SHARED to the folder that holds them"; \
  }
