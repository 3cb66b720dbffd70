#include "protocol/sync/fetch.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace kith::sync {
namespace {

/// A log whose leaves are numbers; `branch_from` on they differ from the honest ones.
struct Tree {
  explicit Tree(std::uint64_t size, std::uint64_t branch_from = ~0ULL) {
    for (std::uint64_t i = 0; i < size; ++i) {
      Bytes leaf;
      append_integer(leaf, i < branch_from ? i : ~i);
      leaves.push_back(leaf_hash(leaf));
      range.push(leaves.back());
    }
  }
  [[nodiscard]] CompactRange first(std::uint64_t size) const {
    CompactRange part;
    for (std::uint64_t i = 0; i < size; ++i) part.push(leaves[i]);
    return part;
  }
  [[nodiscard]] std::vector<TreeHash> tile(const TileId& id) const {
    std::vector<TreeHash> level = leaves;
    for (unsigned l = 0; l < id.level; ++l) {
      std::vector<TreeHash> above;
      for (std::size_t i = 0; i + 256 <= level.size(); i += 256) {
        above.push_back(tree_root(std::span(level).subspan(i, 256)));
      }
      level = std::move(above);
    }
    const auto from = level.begin() + static_cast<std::ptrdiff_t>(id.index * 256);
    return {from, from + id.width};
  }
  [[nodiscard]] std::span<const TreeHash> bundle(const BundleAsk& ask) const {
    return std::span(leaves).subspan(ask.first, ask.last - ask.first);
  }

  std::vector<TreeHash> leaves;
  CompactRange range;
};

/// Answers everything from `served` until the fetch asks no more; the verdicts in order.
std::vector<Verdict> drive(Fetch& fetch, const Tree& served, std::uint64_t& received) {
  std::vector<Verdict> verdicts;
  while (const auto ask = fetch.next()) {
    if (const auto* tiles = std::get_if<TileAsk>(&*ask)) {
      std::vector<std::vector<TreeHash>> answer;
      for (const TileId& id : tiles->tiles) answer.push_back(served.tile(id));
      verdicts.push_back(fetch.on_tiles(*tiles, answer));
    } else {
      const auto& bundle = std::get<BundleAsk>(*ask);
      verdicts.push_back(fetch.on_bundle(bundle, served.bundle(bundle)));
      received += bundle.last - bundle.payloads_from;
    }
    if (verdicts.back() != Verdict::good) return verdicts;
  }
  return verdicts;
}

TEST(Fetch, GrowsFromAnySizeToAnyOther) {
  const Tree tree(66'000);
  for (const std::uint64_t held : {0, 1, 255, 256, 257, 1'000, 65'535, 65'536, 65'537, 65'999}) {
    for (const std::uint64_t size : {1, 256, 257, 512, 700, 65'536, 65'800, 66'000}) {
      if (size <= held) continue;
      Tree upto(size);
      Fetch fetch(tree.first(held), size, upto.range.root());
      std::uint64_t received = 0;
      const auto verdicts = drive(fetch, upto, received);
      EXPECT_EQ(std::ranges::count(verdicts, Verdict::good),
                static_cast<std::ptrdiff_t>(verdicts.size()));
      EXPECT_EQ(received, size - held) << held << " to " << size;
    }
  }
}

TEST(Fetch, AWrongTileOrBundleIsRefused) {
  const Tree honest(1'000);
  const Tree liar(1'000, 600);
  Fetch fetch({}, 1'000, honest.range.root());
  std::uint64_t received = 0;
  EXPECT_EQ(drive(fetch, liar, received).back(), Verdict::wrong);

  Fetch second({}, 1'000, honest.range.root());
  const auto edge = std::get<TileAsk>(*second.next());
  std::vector<std::vector<TreeHash>> answer;
  for (const TileId& id : edge.tiles) answer.push_back(honest.tile(id));
  ASSERT_EQ(second.on_tiles(edge, answer), Verdict::good);
  while (const auto ask = second.next()) {
    const auto& bundle = std::get<BundleAsk>(*ask);
    const bool changed = bundle.last > 600;
    EXPECT_EQ(second.on_bundle(bundle, liar.bundle(bundle)),
              changed ? Verdict::wrong : Verdict::good);
    EXPECT_EQ(second.on_bundle(bundle, honest.bundle(bundle)), Verdict::good);
  }
}

TEST(Fetch, ACheckpointThatContradictsWhatIsHeldIsAConflict) {
  for (const std::uint64_t held : {100, 256, 300, 700, 66'000}) {
    for (const std::uint64_t branch : {std::uint64_t{0}, held / 2, held - 1}) {
      const Tree ours(held);
      const Tree other(held + 500, branch);
      Fetch fetch(ours.range, held + 500, other.range.root());
      std::uint64_t received = 0;
      EXPECT_EQ(drive(fetch, other, received).back(), Verdict::conflict) << held << " " << branch;
    }
  }
}

TEST(Fetch, WhatWasPutBackIsAskedAgain) {
  const Tree tree(600);
  Fetch fetch({}, 600, tree.range.root());
  const auto edge = fetch.next();
  EXPECT_FALSE(fetch.next()) << "nothing can be asked before the edge is known";
  fetch.put_back(*edge);
  EXPECT_EQ(fetch.next(), edge);
  const auto& tiles = std::get<TileAsk>(*edge);
  std::vector<std::vector<TreeHash>> answer;
  for (const TileId& id : tiles.tiles) answer.push_back(tree.tile(id));
  ASSERT_EQ(fetch.on_tiles(tiles, answer), Verdict::good);
  const auto first = fetch.next();
  const auto second = fetch.next();
  fetch.put_back(*first);
  EXPECT_EQ(fetch.next(), first);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace kith::sync
