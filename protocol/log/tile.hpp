#pragma once

#include <compare>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// C2SP tlog-tiles: 256 hashes of one level. Hash i of a tile at level 0 is a leaf hash; at level
/// l > 0 it is the root of a complete tile of level l - 1.
namespace kith {

inline constexpr unsigned tile_height = 8;  ///< A tile has 2^8 hashes.
inline constexpr unsigned levels_max = 8;   ///< 256^8 leaves are more than tree_size_max.

/// Which hashes; the edge of a tree of another size holds another TileId.
struct TileId {
  unsigned level = 0;
  std::uint64_t index = 0;
  unsigned width = limits::tile_hashes;  ///< 1..256; less is a partial tile.

  friend auto operator<=>(const TileId&, const TileId&) = default;
};

/// How many hashes a tree of `size` has at `level` (floor(size / 256^level)).
[[nodiscard]] std::uint64_t hashes_at(std::uint64_t size, unsigned level);
/// The partial tiles on the right edge of a tree of `size`, lowest level first; those of width 0
/// do not exist.
[[nodiscard]] std::vector<TileId> edge_tiles(std::uint64_t size);
/// Width of tile (level, index) in a tree of `size`: 0 if it has no hash there yet.
[[nodiscard]] unsigned tile_width(std::uint64_t size, unsigned level, std::uint64_t index);
/// Root over the hashes of one complete tile.
[[nodiscard]] TreeHash tile_root(std::span<const TreeHash> hashes);
/// The root of a tree of `size` whose edge tiles, in the order of edge_tiles(size), hold these
/// hashes. malformed if their number does not fit.
[[nodiscard]] Result<TreeHash> root_from_edge(std::uint64_t size,
                                              const std::vector<std::vector<TreeHash>>& edge);

/// The hashes one after the other: a tile as stored, sent and exported.
[[nodiscard]] Bytes encode_hashes(std::span<const TreeHash> hashes);
/// malformed unless a multiple of 32 bytes and at most 256 hashes.
[[nodiscard]] Result<std::vector<TreeHash>> decode_hashes(BytesView bytes);

/// "tile/0/x001/x234/067.p/8": the path of a tile in an export.
[[nodiscard]] std::string tile_path(const TileId& tile);
/// "x001/x234/067.p/8": the part that says which.
[[nodiscard]] std::string numbered_path(std::uint64_t index, unsigned width);
/// "tile/entries/…": the entries of a level-0 tile.
[[nodiscard]] std::string bundle_path(std::uint64_t index, unsigned width);
/// Strict: what tile_path would not write is malformed.
[[nodiscard]] Result<TileId> parse_tile_path(std::string_view path);

}  // namespace kith
