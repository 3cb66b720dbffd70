#include "protocol/log/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "tests/protocol/log/naive_tree.hpp"

namespace kith {
namespace {

using testing::flipped;
using testing::NaiveTree;

/// Sizes where tiles, levels and powers of two begin and end.
const std::vector<std::uint64_t> edges{255,    256,    257,    511,    513,    767,   65'535,
                                       65'536, 65'537, 65'792, 69'999, 70'000, 70'001};

/// Positions within a tree of `size` worth asking for: both ends, tile borders, some at random.
std::vector<std::uint64_t> positions(std::uint64_t size, std::mt19937_64& random) {
  std::vector<std::uint64_t> all{0,
                                 1,
                                 2,
                                 255,
                                 256,
                                 257,
                                 65'535,
                                 65'536,
                                 size / 2,
                                 size - 2,
                                 size - 1,
                                 std::bit_floor(size) - 1,
                                 std::bit_floor(size)};
  for (int i = 0; i < 20; ++i) all.push_back(random() % size);
  std::erase_if(all, [&](std::uint64_t position) { return position >= size; });
  return all;
}

void expect_inclusion(NaiveTree& tree, std::uint64_t index, std::uint64_t size) {
  const Path path = inclusion_path(index, size, tree.reader());
  ASSERT_EQ(path, tree.inclusion(index, 0, size)) << index << " of " << size;
  ASSERT_TRUE(verify_inclusion(index, size, tree.leaves()[index], path, tree.root(size)))
      << index << " of " << size;
}

void expect_consistency(NaiveTree& tree, std::uint64_t old_size, std::uint64_t size) {
  const Path path = consistency_path(old_size, size, tree.reader());
  ASSERT_EQ(path, tree.consistency(old_size, 0, size, true)) << old_size << " to " << size;
  ASSERT_TRUE(verify_consistency(old_size, size, path, tree.root(old_size), tree.root(size)))
      << old_size << " to " << size;
}

TEST(Merkle, HashesAsRfc6962Says) {
  EXPECT_EQ(to_hex(empty_root().view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(leaf_hash({}).view()),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_NE(node_hash(leaf_hash({}), empty_root()), node_hash(empty_root(), leaf_hash({})));
}

TEST(Merkle, RootsAreThoseOfTheDefinitionForEverySizeTo600) {
  NaiveTree tree(600);
  CompactRange range;
  for (std::uint64_t size = 0; size <= 600; ++size) {
    ASSERT_EQ(range.size(), size);
    ASSERT_EQ(range.root(), tree.root(size)) << size;
    ASSERT_EQ(root_of(size, tree.reader()), tree.root(size)) << size;
    ASSERT_EQ(tree_root(std::span(tree.leaves()).first(size)), tree.root(size)) << size;
    ASSERT_EQ(static_cast<int>(range.nodes().size()), std::popcount(size));
    const auto again = CompactRange::from(size, range.nodes());
    ASSERT_TRUE(again);
    ASSERT_EQ(*again, range);
    if (size < 600) range.push(tree.leaves()[size]);
  }
}

TEST(Merkle, PathsAreThoseOfTheDefinitionForEverySizeTo600) {
  NaiveTree tree(600);
  for (std::uint64_t size = 1; size <= 600; ++size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_inclusion(tree, i, size));
      ASSERT_NO_FATAL_FAILURE(expect_consistency(tree, i + 1, size));
    }
  }
}

TEST(Merkle, RootsAndPathsAreThoseOfTheDefinitionAroundTileBorders) {
  NaiveTree tree(70'001);
  std::mt19937_64 random(20'261'123);
  CompactRange range;
  for (const std::uint64_t size : edges) {
    while (range.size() < size) range.push(tree.leaves()[range.size()]);
    ASSERT_EQ(range.root(), tree.root(size)) << size;
    ASSERT_EQ(root_of(size, tree.reader()), tree.root(size)) << size;
    for (const std::uint64_t position : positions(size, random)) {
      ASSERT_NO_FATAL_FAILURE(expect_inclusion(tree, position, size));
      ASSERT_NO_FATAL_FAILURE(expect_consistency(tree, position + 1, size));
    }
  }
}

TEST(Merkle, ReadsOnlyCompleteSubtreesOfTheTree) {
  NaiveTree tree(300);
  for (std::uint64_t size = 1; size <= 300; ++size) {
    const SubtreeReader watched = [&](unsigned height, std::uint64_t index) {
      EXPECT_LE((index + 1) << height, size);
      return tree.reader()(height, index);
    };
    EXPECT_FALSE(root_of(size, watched).is_zero());
    EXPECT_LE(inclusion_path(size / 2, size, watched).size(), 9U);
    EXPECT_LE(consistency_path((size + 1) / 2, size, watched).size(), 10U);
  }
}

TEST(CompactRange, GrowsByCompleteSubtreesAsByLeaves) {
  NaiveTree tree(600);
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    CompactRange range;
    while (range.size() < 500) {
      const auto aligned = range.size() == 0 ? 6 : std::countr_zero(range.size());
      const auto height = static_cast<unsigned>(random() % (static_cast<unsigned>(aligned) + 1));
      const std::uint64_t end = range.size() + (1ULL << height);
      if (end > 600) break;
      range.push_subtree(height, tree.range(range.size(), end));
      ASSERT_EQ(range.root(), tree.root(end));
    }
  }
}

TEST(CompactRange, WithTheWrongNumberOfNodesIsMalformed) {
  const TreeHash hash = empty_root();
  EXPECT_TRUE(CompactRange::from(5, {hash, hash}));
  EXPECT_EQ(CompactRange::from(5, {hash}).error().code, Errc::malformed);
  EXPECT_EQ(CompactRange::from(5, {hash, hash, hash}).error().code, Errc::malformed);
  EXPECT_EQ(CompactRange::from(0, {hash}).error().code, Errc::malformed);
  EXPECT_TRUE(CompactRange::from(limits::tree_size_max, {hash}));
  EXPECT_EQ(CompactRange::from(limits::tree_size_max * 2, {hash}).error().code, Errc::malformed);
}

TEST(CompactRangeDeathTest, RefusesASubtreeThatDoesNotBeginWhereTheTreeEnds) {
  CompactRange range;
  range.push(empty_root());
  EXPECT_DEATH(range.push_subtree(1, empty_root()), "internal error");
  CompactRange full = *CompactRange::from(limits::tree_size_max, {empty_root()});
  EXPECT_DEATH(full.push(empty_root()), "internal error");
}

TEST(MemoryTree, GivesTheRootAndEveryPathOfABatch) {
  NaiveTree tree(130);
  for (std::uint64_t size = 0; size <= 130; ++size) {
    const auto leaves = std::span(tree.leaves()).first(size);
    const MemoryTree memory(leaves);
    ASSERT_EQ(memory.size(), size);
    ASSERT_EQ(memory.root(), tree.root(size));
    for (std::uint64_t i = 0; i < size; ++i) {
      ASSERT_EQ(memory.inclusion_path(i), tree.inclusion(i, 0, size));
      ASSERT_EQ(inclusion_path(i, leaves), tree.inclusion(i, 0, size));
    }
  }
}

/// Everything that can be done to one proof of inclusion but for its size, which a root alone does
/// not fix.
void expect_no_other_inclusion(NaiveTree& tree, std::uint64_t index, std::uint64_t size) {
  const TreeHash leaf = tree.leaves()[index];
  const TreeHash root = tree.root(size);
  const Path path = tree.inclusion(index, 0, size);
  for (std::uint64_t other = 0; other <= size + 2; ++other) {
    ASSERT_EQ(verify_inclusion(other, size, leaf, path, root), other == index);
  }
  ASSERT_FALSE(verify_inclusion(~0ULL, size, leaf, path, root));
  ASSERT_FALSE(verify_inclusion(index, size, flipped(leaf, index), path, root));
  ASSERT_FALSE(verify_inclusion(index, size, leaf, path, flipped(root, index)));
  for (std::size_t i = 0; i < path.size(); ++i) {
    Path changed = path;
    changed[i] = flipped(path[i], index + i * 37);
    ASSERT_FALSE(verify_inclusion(index, size, leaf, changed, root));
    changed = path;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    ASSERT_FALSE(verify_inclusion(index, size, leaf, changed, root));
    changed = path;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), root);
    ASSERT_FALSE(verify_inclusion(index, size, leaf, changed, root));
  }
  Path longer = path;
  longer.push_back(root);
  ASSERT_FALSE(verify_inclusion(index, size, leaf, longer, root));
}

TEST(Inclusion, WithAnyHashOrIndexChangedIsRefused) {
  NaiveTree tree(300);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    for (std::uint64_t index = 0; index < size; ++index) {
      ASSERT_NO_FATAL_FAILURE(expect_no_other_inclusion(tree, index, size));
    }
  }
  for (const std::uint64_t index : {0, 127, 128, 255, 256, 257, 299}) {
    ASSERT_NO_FATAL_FAILURE(expect_no_other_inclusion(tree, index, 300));
  }
}

/// Everything that can be done to one proof of consistency but for the new size.
void expect_no_other_consistency(NaiveTree& tree, std::uint64_t old_size, std::uint64_t size) {
  const TreeHash old_root = tree.root(old_size);
  const TreeHash root = tree.root(size);
  const Path path = tree.consistency(old_size, 0, size, true);
  for (std::uint64_t other = 0; other <= size + 2; ++other) {
    ASSERT_EQ(verify_consistency(other, size, path, old_root, root), other == old_size);
  }
  ASSERT_FALSE(verify_consistency(old_size, size, path, flipped(old_root, size), root));
  ASSERT_FALSE(verify_consistency(old_size, size, path, old_root, flipped(root, size)));
  ASSERT_EQ(verify_consistency(old_size, size, path, root, old_root), old_size == size);
  for (std::size_t i = 0; i < path.size(); ++i) {
    Path changed = path;
    changed[i] = flipped(path[i], old_size + i * 37);
    ASSERT_FALSE(verify_consistency(old_size, size, changed, old_root, root));
    changed = path;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    ASSERT_FALSE(verify_consistency(old_size, size, changed, old_root, root));
    changed = path;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), root);
    ASSERT_FALSE(verify_consistency(old_size, size, changed, old_root, root));
  }
  Path longer = path;
  longer.push_back(root);
  ASSERT_FALSE(verify_consistency(old_size, size, longer, old_root, root));
}

TEST(Consistency, WithAnyHashOrOldSizeChangedIsRefused) {
  NaiveTree tree(300);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      ASSERT_NO_FATAL_FAILURE(expect_no_other_consistency(tree, old_size, size));
    }
  }
  for (const std::uint64_t old_size : {1, 127, 128, 255, 256, 257, 299, 300}) {
    ASSERT_NO_FATAL_FAILURE(expect_no_other_consistency(tree, old_size, 300));
  }
}

TEST(Consistency, IsRefusedForAnotherHistory) {
  NaiveTree tree(64);
  std::vector<TreeHash> other = tree.leaves();
  other[5] = leaf_hash(view("rewritten"));
  const MemoryTree rewritten(other);
  const SubtreeReader reader = [&](unsigned height, std::uint64_t index) {
    return rewritten.subtree(height, index);
  };
  for (std::uint64_t old_size = 6; old_size < 64; ++old_size) {
    const Path path = consistency_path(old_size, 64, reader);
    EXPECT_FALSE(verify_consistency(old_size, 64, path, tree.root(old_size), rewritten.root()));
  }
}

TEST(Consistency, WithTheEmptyTreeIsRefusedWhateverThePath) {
  NaiveTree tree(8);
  EXPECT_FALSE(verify_consistency(0, 0, {}, empty_root(), empty_root()));
  EXPECT_FALSE(verify_consistency(0, 8, {}, empty_root(), tree.root(8)));
  EXPECT_FALSE(verify_consistency(0, 8, Path{tree.root(8)}, empty_root(), tree.root(8)));
  EXPECT_FALSE(verify_consistency(1, 0, {}, tree.root(1), empty_root()));
}

TEST(Merkle, ChecksAtTheLargestSizesEndAndAreRefused) {
  const Path path(63, empty_root());
  EXPECT_FALSE(verify_inclusion(~0ULL - 1, ~0ULL, empty_root(), path, empty_root()));
  EXPECT_FALSE(verify_inclusion(~0ULL, ~0ULL, empty_root(), path, empty_root()));
  EXPECT_FALSE(verify_consistency(~0ULL, ~0ULL, path, empty_root(), empty_root()));
  EXPECT_FALSE(verify_consistency(~0ULL - 1, ~0ULL, path, empty_root(), empty_root()));
  EXPECT_FALSE(verify_consistency(1ULL << 63, ~0ULL, Path(1000), empty_root(), empty_root()));
}

}  // namespace
}  // namespace kith
