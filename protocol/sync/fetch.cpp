#include "protocol/sync/fetch.hpp"

#include "protocol/base/check.hpp"

namespace kith::sync {
namespace {

constexpr std::uint64_t width = limits::tile_hashes;

/// The root of the complete subtree over these hashes; their number is a power of two.
TreeHash subtree_root(std::span<const TreeHash> hashes) { return tree_root(hashes); }

}  // namespace

Fetch::Fetch(CompactRange held, std::uint64_t size, const TreeHash& root)
    : held_(std::move(held)), size_(size), root_(root), next_bundle_(held_.size() / width) {
  KITH_CHECK(size_ > held_.size());
}

std::optional<Ask> Fetch::next() {
  if (!edge_known_) {
    if (edge_asked_) return std::nullopt;
    edge_asked_ = true;
    return TileAsk{edge_tiles(size_)};
  }
  const bool again = !put_back_.empty();
  const std::uint64_t bundle = again ? *put_back_.begin() : next_bundle_;
  if (bundle * width >= size_) return std::nullopt;

  if (const auto tile = missing_tile(bundle)) {
    if (!asked_tiles_.insert(*tile).second) return std::nullopt;
    return TileAsk{{TileId{tile->first, tile->second, limits::tile_hashes}}};
  }
  if (again) {
    put_back_.erase(put_back_.begin());
  } else {
    ++next_bundle_;
    forget_passed_tiles();
  }
  const std::uint64_t first = bundle * width;
  return BundleAsk{first, std::min(first + width, size_), std::max(first, held_.size())};
}

void Fetch::put_back(const Ask& ask) {
  if (const auto* bundle = std::get_if<BundleAsk>(&ask)) {
    put_back_.insert(bundle->first / width);
    return;
  }
  if (!edge_known_) {
    edge_asked_ = false;
    return;
  }
  for (const TileId& tile : std::get<TileAsk>(ask).tiles) {
    asked_tiles_.erase({tile.level, tile.index});
  }
}

Verdict Fetch::on_tiles(const TileAsk& ask, const std::vector<std::vector<TreeHash>>& tiles) {
  if (tiles.size() != ask.tiles.size()) return Verdict::wrong;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (tiles[i].size() != ask.tiles[i].width) return Verdict::wrong;
  }
  if (!edge_known_) {
    const auto root = root_from_edge(size_, tiles);
    if (!root || *root != root_) return Verdict::wrong;
    edge_known_ = true;
  } else {
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      const TreeHash* parent = expected(ask.tiles[i].level + 1, ask.tiles[i].index);
      if (parent == nullptr || kith::tile_root(tiles[i]) != *parent) return Verdict::wrong;
    }
  }
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const TileKey key{ask.tiles[i].level, ask.tiles[i].index};
    if (!agrees_with_held(key, tiles[i])) return Verdict::conflict;
    tiles_[key] = tiles[i];
    asked_tiles_.erase(key);
  }
  return Verdict::good;
}

Verdict Fetch::on_bundle(const BundleAsk& ask, std::span<const TreeHash> leaf_hashes) {
  if (leaf_hashes.size() != ask.last - ask.first) return Verdict::wrong;
  const std::uint64_t bundle = ask.first / width;
  if (leaf_hashes.size() == width) {
    const TreeHash* root = expected(1, bundle);
    if (root == nullptr || tree_root(leaf_hashes) != *root) return Verdict::wrong;
  } else {
    const auto edge = tiles_.find({0, bundle});
    if (edge == tiles_.end() || !std::ranges::equal(edge->second, leaf_hashes)) {
      return Verdict::wrong;
    }
  }
  return agrees_with_held({0, bundle}, leaf_hashes) ? Verdict::good : Verdict::conflict;
}

const TreeHash* Fetch::expected(unsigned level, std::uint64_t index) const {
  // The root of tile (level - 1, index) is hash `index` of `level`.
  const auto tile = tiles_.find({level, index / width});
  if (tile == tiles_.end() || index % width >= tile->second.size()) return nullptr;
  return &tile->second[index % width];
}

std::optional<Fetch::TileKey> Fetch::missing_tile(std::uint64_t bundle) const {
  if ((bundle + 1) * width > size_) return std::nullopt;  // The edge holds its leaf hashes.
  std::optional<TileKey> missing;
  unsigned level = 1;
  std::uint64_t index = bundle;
  while (expected(level, index) == nullptr) {
    missing = TileKey{level, index / width};
    ++level;
    index /= width;
  }
  return missing;
}

bool Fetch::agrees_with_held(const TileKey& tile, std::span<const TreeHash> hashes) const {
  // Of the held range, the nodes of heights 8 * level .. 8 * level + 7 lie in one tile of that
  // level, left of its edge.
  const auto [level, index] = tile;
  if (8 * level >= 64) return true;
  const std::uint64_t at_level = held_.size() >> (8 * level);
  if (at_level / width != index) return true;

  std::size_t node = 0;
  for (unsigned height = 63; height > 8 * level + 7; --height) {
    if ((held_.size() >> height & 1) != 0) ++node;
  }
  std::uint64_t at = 0;
  for (int k = 7; k >= 0; --k) {
    const std::uint64_t span = std::uint64_t{1} << k;
    if ((at_level >> k & 1) == 0) continue;
    if (at + span > hashes.size()) return true;  // Not covered by this tile: nothing to compare.
    if (subtree_root(hashes.subspan(at, span)) != held_.nodes()[node]) return false;
    at += span;
    ++node;
  }
  return true;
}

void Fetch::forget_passed_tiles() {
  // Full tiles of level 1 left of the window are never needed again; the edge is.
  const std::uint64_t oldest = put_back_.empty() ? next_bundle_ : *put_back_.begin();
  const std::uint64_t keep_from = oldest / width;
  for (auto tile = tiles_.lower_bound({1, 0}); tile != tiles_.end() && tile->first.first == 1;) {
    const bool passed = tile->first.second + 2 < keep_from && tile->second.size() == width;
    tile = passed ? tiles_.erase(tile) : std::next(tile);
  }
}

}  // namespace kith::sync
