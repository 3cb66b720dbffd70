#include "protocol/log/tile.hpp"

#include <cstring>

#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {
namespace {

constexpr unsigned path_level_max = 63;  // What a C2SP path may say.
constexpr std::size_t path_bytes_max = 64;
constexpr std::uint64_t tile_index_max = limits::tree_size_max / limits::tile_hashes;

/// "x001/x234/067": groups of three digits, all but the last marked with an x.
std::string grouped(std::uint64_t index) {
  std::string digits = std::to_string(index);
  digits.insert(0, (3 - digits.size() % 3) % 3, '0');
  std::string out;
  for (std::size_t at = 0; at < digits.size(); at += 3) {
    const bool last = at + 3 == digits.size();
    if (!last) out += 'x';
    out += digits.substr(at, 3);
    if (!last) out += '/';
  }
  return out;
}

/// Takes off what stands before the first '/', or everything.
std::string_view take_element(std::string_view& path) {
  const std::string_view element = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), element.size() + 1));
  return element;
}

}  // namespace

std::uint64_t hashes_at(std::uint64_t size, unsigned level) {
  return level < levels_max ? size >> (tile_height * level) : 0;
}

std::vector<TileId> edge_tiles(std::uint64_t size) {
  std::vector<TileId> tiles;
  for (unsigned level = 0; hashes_at(size, level) > 0; ++level) {
    const std::uint64_t hashes = hashes_at(size, level);
    const auto width = static_cast<unsigned>(hashes % limits::tile_hashes);
    if (width > 0) tiles.push_back({level, hashes / limits::tile_hashes, width});
  }
  return tiles;
}

unsigned tile_width(std::uint64_t size, unsigned level, std::uint64_t index) {
  const std::uint64_t hashes = hashes_at(size, level);
  const std::uint64_t complete = hashes / limits::tile_hashes;
  if (index < complete) return limits::tile_hashes;
  return index == complete ? static_cast<unsigned>(hashes % limits::tile_hashes) : 0;
}

TreeHash tile_root(std::span<const TreeHash> hashes) {
  KITH_CHECK(hashes.size() == limits::tile_hashes);
  return tree_root(hashes);
}

Result<TreeHash> root_from_edge(std::uint64_t size,
                                const std::vector<std::vector<TreeHash>>& edge) {
  if (size > limits::tree_size_max) return fail(Errc::malformed, "a tree is too large");
  const std::vector<TileId> tiles = edge_tiles(size);
  if (edge.size() != tiles.size()) {
    return fail(Errc::malformed, "the number of edge tiles does not fit the size of the tree");
  }
  // The highest level holds the largest subtrees, which stand leftmost.
  CompactRange range;
  for (std::size_t i = tiles.size(); i-- > 0;) {
    if (edge[i].size() != tiles[i].width) {
      return fail(Errc::malformed, "an edge tile does not fit the size of the tree");
    }
    for (const TreeHash& hash : edge[i]) range.push_subtree(tile_height * tiles[i].level, hash);
  }
  return range.root();
}

Bytes encode_hashes(std::span<const TreeHash> hashes) {
  Bytes bytes;
  bytes.reserve(hashes.size() * TreeHash::size);
  for (const TreeHash& hash : hashes) append(bytes, hash.view());
  return bytes;
}

Result<std::vector<TreeHash>> decode_hashes(BytesView bytes) {
  if (bytes.size() % TreeHash::size != 0) {
    return fail(Errc::malformed, "a tile is not a whole number of hashes");
  }
  if (bytes.size() / TreeHash::size > limits::tile_hashes) {
    return fail(Errc::malformed, "a tile holds more than 256 hashes");
  }
  static_assert(sizeof(TreeHash) == TreeHash::size);
  std::vector<TreeHash> hashes(bytes.size() / TreeHash::size);
  if (!bytes.empty()) std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

std::string tile_path(const TileId& tile) {
  KITH_CHECK(tile.level <= path_level_max);
  return "tile/" + std::to_string(tile.level) + '/' + numbered_path(tile.index, tile.width);
}

std::string numbered_path(std::uint64_t index, unsigned width) {
  KITH_CHECK(width >= 1 && width <= limits::tile_hashes);
  std::string path = grouped(index);
  if (width < limits::tile_hashes) path += ".p/" + std::to_string(width);
  return path;
}

std::string bundle_path(std::uint64_t index, unsigned width) {
  return "tile/entries/" + numbered_path(index, width);
}

Result<TileId> parse_tile_path(std::string_view path) {
  const Error refused = fail(Errc::malformed, "not the path of a tile");
  if (path.size() > path_bytes_max) return refused;

  std::string_view rest = path;
  if (take_element(rest) != "tile") return refused;
  const auto level = parse_decimal(take_element(rest), path_level_max);
  if (!level) return refused;

  std::string digits;
  std::string_view group = take_element(rest);
  for (; group.starts_with('x'); group = take_element(rest)) digits += group.substr(1);
  const bool partial = group.ends_with(".p");
  if (partial) group.remove_suffix(2);
  digits += group;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - !digits.empty()));
  const auto index = parse_decimal(digits, tile_index_max);
  if (!index) return refused;

  TileId tile{static_cast<unsigned>(*level), *index, limits::tile_hashes};
  if (partial) {
    const auto width = parse_decimal(take_element(rest), limits::tile_hashes - 1);
    if (!width || *width == 0) return refused;
    tile.width = static_cast<unsigned>(*width);
  }
  // Whatever was read above, only the one path that we would write ourselves is accepted.
  if (tile_path(tile) != path) return refused;
  return tile;
}

}  // namespace kith
