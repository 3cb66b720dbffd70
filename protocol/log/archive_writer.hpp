#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protocol/log/archive.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {

/// Makes the tiles and bundles of one log for an export, from its entries alone: whoever writes an
/// export hashes all of it, and cannot hand on what the entries do not say.
class ArchiveWriter {
 public:
  /// Stores a file of the log's folder; an error ends the writing.
  using Write = std::function<Result<bool>(const std::string& path, BytesView content)>;

  explicit ArchiveWriter(Write write) : write_(std::move(write)) {}

  /// The next bundle: 256 entries, or fewer for the last. malformed if one is no leaf.
  [[nodiscard]] Result<bool> add(BytesView bundle);
  /// Writes what stands at the right edge. The root over everything.
  [[nodiscard]] Result<TreeHash> finish();

 private:
  [[nodiscard]] Result<bool> add_to_level(unsigned level, const TreeHash& hash);
  [[nodiscard]] Result<bool> write_tile(unsigned level);

  struct Level {
    std::uint64_t tile = 0;
    std::vector<TreeHash> hashes;
  };
  Write write_;
  std::uint64_t bundles_ = 0;
  std::vector<Level> levels_;
  CompactRange range_;
};

}  // namespace kith
