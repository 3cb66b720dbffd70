#include "protocol/sync/fetch.hpp"

#include "protocol/base/check.hpp"

namespace kith::sync {
namespace {

constexpr std::uint64_t width = limits::tile_hashes;

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
  if (bundle != held_.size() / width) return Verdict::good;
  // With the first bundle all that lies above the end of what is held is known.
  tiles_[{0, bundle}].assign(leaf_hashes.begin(), leaf_hashes.end());
  if (!begins_with_held()) return Verdict::conflict;
  if (leaf_hashes.size() == width) tiles_.erase({0, bundle});
  return Verdict::good;
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

std::optional<TreeHash> Fetch::subtree(unsigned height, std::uint64_t index) const {
  const unsigned level = height / tile_height;
  const std::uint64_t span = std::uint64_t{1} << (height % tile_height);
  const std::uint64_t first = index * span;  // Among the hashes of that level.
  const auto tile = tiles_.find({level, first / width});
  if (tile == tiles_.end() || first % width + span > tile->second.size()) return std::nullopt;
  return tree_root(std::span(tile->second).subspan(first % width, span));
}

std::optional<Consistency> Fetch::consistency(std::uint64_t old_size) const {
  bool is_known = true;
  const auto read = [&](unsigned height, std::uint64_t index) {
    const auto root = subtree(height, index);
    is_known = is_known && root.has_value();
    return root.value_or(TreeHash{});
  };
  Consistency found{root_of(old_size, read), consistency_path(old_size, size_, read)};
  if (!is_known) return std::nullopt;
  return found;
}

bool Fetch::begins_with_held() const {
  if (held_.size() == 0) return true;
  const auto found = consistency(held_.size());
  return found && found->root == held_.root();
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
