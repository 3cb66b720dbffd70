#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

/// What must hold of a file before LMDB maps it. LMDB trusts its file: a page beyond the end kills
/// the process by SIGBUS. So the few fields needed are read here with pread, bounds checked.
namespace kith::storage {

/// What a data file claims and whether it may be mapped.
struct LmdbFileReport {
  bool usable = false;
  std::string problem;  ///< Empty if usable; for the operator.
  std::uint64_t file_bytes = 0;
  std::uint64_t claimed_bytes = 0;  ///< Up to the last page that the newest meta page knows.
};

/// Reads the two meta pages and compares the file's size with the newest. LMDB may leave the last
/// pages unwritten if they were freed by the commit that first took them; so a shorter file is
/// usable if, and only if, all that is missing is in its free list. An empty file is usable: LMDB
/// makes a new one of it. The file is only read.
[[nodiscard]] LmdbFileReport inspect_lmdb_file(const std::filesystem::path& path);

}  // namespace kith::storage
