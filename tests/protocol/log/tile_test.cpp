#include "protocol/log/tile.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "tests/protocol/log/naive_tree.hpp"

namespace kith {
namespace {

using testing::flipped;
using testing::NaiveTree;

/// The hashes of a tile, each from the definition of the tree.
std::vector<TreeHash> hashes_of(NaiveTree& tree, const TileId& tile) {
  std::vector<TreeHash> hashes;
  for (unsigned i = 0; i < tile.width; ++i) {
    hashes.push_back(tree.reader()(8 * tile.level, tile.index * 256 + i));
  }
  return hashes;
}

std::vector<std::vector<TreeHash>> edge_of(NaiveTree& tree, std::uint64_t size) {
  std::vector<std::vector<TreeHash>> edge;
  for (const TileId& tile : edge_tiles(size)) edge.push_back(hashes_of(tree, tile));
  return edge;
}

TEST(Tile, EdgeIsWhatTheSpecificationWorksOut) {
  EXPECT_TRUE(edge_tiles(0).empty());
  EXPECT_EQ(edge_tiles(1), (std::vector<TileId>{{0, 0, 1}}));
  EXPECT_EQ(edge_tiles(255), (std::vector<TileId>{{0, 0, 255}}));
  EXPECT_EQ(edge_tiles(256), (std::vector<TileId>{{1, 0, 1}}));
  EXPECT_EQ(edge_tiles(65'536), (std::vector<TileId>{{2, 0, 1}}));
  EXPECT_EQ(edge_tiles(70'000), (std::vector<TileId>{{0, 273, 112}, {1, 1, 17}, {2, 0, 1}}));
  EXPECT_EQ(edge_tiles(limits::tree_size_max), (std::vector<TileId>{{7, 0, 64}}));
}

TEST(Tile, WidthsAreThoseOfTheTree) {
  EXPECT_EQ(hashes_at(70'000, 0), 70'000U);
  EXPECT_EQ(hashes_at(70'000, 1), 273U);
  EXPECT_EQ(hashes_at(70'000, 2), 1U);
  EXPECT_EQ(hashes_at(70'000, 3), 0U);
  EXPECT_EQ(hashes_at(~0ULL, 8), 0U);
  EXPECT_EQ(hashes_at(~0ULL, 63), 0U);
  EXPECT_EQ(tile_width(70'000, 0, 0), 256U);
  EXPECT_EQ(tile_width(70'000, 0, 272), 256U);
  EXPECT_EQ(tile_width(70'000, 0, 273), 112U);
  EXPECT_EQ(tile_width(70'000, 0, 274), 0U);
  EXPECT_EQ(tile_width(70'000, 1, 0), 256U);
  EXPECT_EQ(tile_width(70'000, 1, 1), 17U);
  EXPECT_EQ(tile_width(70'000, 2, 0), 1U);
  EXPECT_EQ(tile_width(70'000, 2, ~0ULL), 0U);
  EXPECT_EQ(tile_width(0, 0, 0), 0U);
}

TEST(Tile, EdgeGivesTheRootForEverySizeTo600AndAroundBorders) {
  NaiveTree tree(70'001);
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = 0; size <= 600; ++size) sizes.push_back(size);
  for (const std::uint64_t size : {65'535, 65'536, 65'537, 69'999, 70'000, 70'001}) {
    sizes.push_back(size);
  }
  for (const std::uint64_t size : sizes) {
    const auto root = root_from_edge(size, edge_of(tree, size));
    ASSERT_TRUE(root) << size;
    ASSERT_EQ(*root, tree.root(size)) << size;
  }
}

TEST(Tile, EdgeWithAnyHashChangedGivesAnotherRoot) {
  NaiveTree tree(700);
  const auto edge = edge_of(tree, 700);
  for (std::size_t i = 0; i < edge.size(); ++i) {
    for (std::size_t j = 0; j < edge[i].size(); ++j) {
      auto changed = edge;
      changed[i][j] = flipped(edge[i][j], j);
      ASSERT_NE(*root_from_edge(700, changed), tree.root(700));
    }
  }
}

TEST(Tile, EdgeThatDoesNotFitTheSizeIsMalformed) {
  NaiveTree tree(700);
  const auto edge = edge_of(tree, 700);
  ASSERT_EQ(edge.size(), 2U);
  const auto refusal = [](std::uint64_t size, const std::vector<std::vector<TreeHash>>& given) {
    const auto root = root_from_edge(size, given);
    return root ? Errc::usage : root.error().code;
  };
  EXPECT_EQ(refusal(701, edge), Errc::malformed);
  EXPECT_EQ(refusal(699, edge), Errc::malformed);
  EXPECT_EQ(refusal(700, {edge[0]}), Errc::malformed);
  EXPECT_EQ(refusal(700, {edge[1], edge[0]}), Errc::malformed);
  EXPECT_EQ(refusal(700, {edge[0], edge[1], {}}), Errc::malformed);
  EXPECT_EQ(refusal(0, {{}}), Errc::malformed);
  EXPECT_EQ(refusal(~0ULL, edge), Errc::malformed);
}

TEST(Tile, RootOfACompleteTileIsTheHashOneLevelUp) {
  NaiveTree tree(65'536);
  EXPECT_EQ(tile_root(hashes_of(tree, {0, 3, 256})), tree.range(3 * 256, 4 * 256));
  EXPECT_EQ(tile_root(hashes_of(tree, {1, 0, 256})), tree.root(65'536));
}

TEST(TileDeathTest, APartialTileIsNeverHashedUpwards) {
  NaiveTree tree(255);
  EXPECT_DEATH(static_cast<void>(tile_root(tree.leaves())), "internal error");
}

TEST(Tile, HashesComeBackFromTheirBytes) {
  NaiveTree tree(256);
  const Bytes bytes = encode_hashes(tree.leaves());
  ASSERT_EQ(bytes.size(), 8'192U);
  EXPECT_EQ(*decode_hashes(bytes), tree.leaves());
  EXPECT_TRUE(decode_hashes({})->empty());
  EXPECT_EQ(decode_hashes(BytesView(bytes).first(33)).error().code, Errc::malformed);
  EXPECT_EQ(decode_hashes(BytesView(bytes).first(31)).error().code, Errc::malformed);
  EXPECT_EQ(decode_hashes(Bytes(257 * 32)).error().code, Errc::malformed);
}

TEST(TilePath, IsThatOfTheSpecification) {
  EXPECT_EQ(tile_path({0, 1'234'067, 8}), "tile/0/x001/x234/067.p/8");
  EXPECT_EQ(tile_path({0, 1'234'067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({1, 5, 256}), "tile/1/005");
  EXPECT_EQ(tile_path({0, 0, 1}), "tile/0/000.p/1");
  EXPECT_EQ(tile_path({2, 1'000, 255}), "tile/2/x001/000.p/255");
  EXPECT_EQ(tile_path({63, 999, 256}), "tile/63/999");
  EXPECT_EQ(bundle_path(0, 256), "tile/entries/000");
  EXPECT_EQ(bundle_path(273, 112), "tile/entries/273.p/112");
  EXPECT_EQ(bundle_path(1'234'067, 1), "tile/entries/x001/x234/067.p/1");
}

TEST(TilePath, ComesBackAsItWas) {
  for (const std::uint64_t index :
       {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{99}, std::uint64_t{999},
        std::uint64_t{1'000}, std::uint64_t{1'234'067}, std::uint64_t{100'000'000},
        limits::tree_size_max / 256}) {
    for (const unsigned level : {0U, 1U, 10U, 63U}) {
      for (const unsigned width : {1U, 99U, 255U, 256U}) {
        const TileId tile{level, index, width};
        const auto parsed = parse_tile_path(tile_path(tile));
        ASSERT_TRUE(parsed) << tile_path(tile);
        EXPECT_EQ(*parsed, tile);
      }
    }
  }
}

TEST(TilePath, InAnyOtherFormIsMalformed) {
  for (const std::string_view path : {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/5",
                                      "tile/0/05",
                                      "tile/0/0005",
                                      "tile/00/005",
                                      "tile/64/005",
                                      "tile/-1/005",
                                      "tile/entries/005",
                                      "/tile/0/005",
                                      "tile/0/005/",
                                      "tile/0/005.p",
                                      "tile/0/005.p/",
                                      "tile/0/005.p/0",
                                      "tile/0/005.p/256",
                                      "tile/0/005.p/08",
                                      "tile/0/005.p/8/",
                                      "tile/0/005.p/8/9",
                                      "tile/0/x000/005",
                                      "tile/0/x001",
                                      "tile/0/x001/",
                                      "tile/0/001/005",
                                      "tile/0/x001/x005",
                                      "tile/0/x01/005",
                                      "tile/0/x001.p/8",
                                      "tile/0/xx01/005",
                                      "tile/0/00a",
                                      "tile/0/ 05",
                                      "Tile/0/005",
                                      "tile//005",
                                      "tile/0//005",
                                      "tile/0/005\n",
                                      "tile/0/x018/x014/x398/x509/x481/x985",
                                      "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                                      "tile/8/0/005",
                                      "tile/data/005"}) {
    const auto tile = parse_tile_path(path);
    ASSERT_FALSE(tile) << path;
    EXPECT_EQ(tile.error().code, Errc::malformed);
  }
  EXPECT_FALSE(parse_tile_path("tile/0/" + std::string(1000, 'x')));
  EXPECT_TRUE(parse_tile_path("tile/0/005"));  // The control.
}

}  // namespace
}  // namespace kith
