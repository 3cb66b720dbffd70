#pragma once

#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "protocol/log/merkle.hpp"
#include "protocol/log/tile.hpp"

/// How one log grows from what is held to one signed checkpoint: upper tiles first, checked against
/// the checkpoint; then every bundle of 256 leaves verifies by itself, in any order, from any peer.
namespace kith::sync {

/// Tiles of the target tree that are needed next, all of one answer.
struct TileAsk {
  std::vector<TileId> tiles;
  friend bool operator==(const TileAsk&, const TileAsk&) = default;
};
/// The leaves [first, last) of one bundle, with payloads from `payloads_from` on.
struct BundleAsk {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t payloads_from = 0;
  friend bool operator==(const BundleAsk&, const BundleAsk&) = default;
};
using Ask = std::variant<TileAsk, BundleAsk>;

/// What came of an answer.
enum class Verdict : std::uint8_t {
  good,      ///< Verified.
  wrong,     ///< Not what the checkpoint commits to: the peer's answer is worthless.
  conflict,  ///< The checkpoint contradicts what is held: the log's owner signed both.
};

/// Pure; no peer, no time. Bundles are asked for in order, so what is stored stays contiguous;
/// those that come out of order are the caller's to hold (it bounds the window).
class Fetch {
 public:
  /// From the durable leaves `held` to the tree (size, root) of a verified checkpoint, which is
  /// larger.
  Fetch(CompactRange held, std::uint64_t size, const TreeHash& root);

  /// The next thing to ask, or nothing while answers must be awaited or all is asked.
  [[nodiscard]] std::optional<Ask> next();
  /// An ask that will not be answered (its peer is gone): next() gives it again.
  void put_back(const Ask& ask);

  [[nodiscard]] Verdict on_tiles(const TileAsk& ask,
                                 const std::vector<std::vector<TreeHash>>& tiles);
  /// `leaf_hashes` are those of [ask.first, ask.last).
  [[nodiscard]] Verdict on_bundle(const BundleAsk& ask, std::span<const TreeHash> leaf_hashes);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const TreeHash& root() const { return root_; }

 private:
  using TileKey = std::pair<unsigned, std::uint64_t>;  // Level, index.

  [[nodiscard]] const TreeHash* expected(unsigned level, std::uint64_t index) const;
  [[nodiscard]] std::optional<TileKey> missing_tile(std::uint64_t bundle) const;
  [[nodiscard]] bool agrees_with_held(const TileKey& tile, std::span<const TreeHash> hashes) const;
  void forget_passed_tiles();

  CompactRange held_;
  std::uint64_t size_;
  TreeHash root_;
  std::map<TileKey, std::vector<TreeHash>> tiles_;  // Verified.
  std::set<TileKey> asked_tiles_;
  bool edge_asked_ = false;
  bool edge_known_ = false;
  std::uint64_t next_bundle_;
  std::set<std::uint64_t> put_back_;  // Bundles to ask again.
};

}  // namespace kith::sync
