#include <gtest/gtest.h>

#include <algorithm>

#include "tests/simulation/world.hpp"

/// An old backup that is put back: nothing is signed twice, what was lost comes back, and nothing
/// new is signed before most of the witnesses have said what they hold.
namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;
constexpr std::size_t restored = 0;
constexpr std::uint64_t backed_up = 100;
constexpr std::uint64_t lost_from = 150;

Options four_quiet_witnesses(bool asks = true) {
  Options options;
  options.members = 5;
  options.publishes_per_minute = 0;
  options.ask_before_signing = asks;
  return options;
}

/// Who comes into reach again, in which order, and who saw nothing of the last 50 entries.
struct Return {
  Restored what = Restored::directory;
  std::vector<std::size_t> order;
  std::set<std::size_t> behind;
};

std::string in_words(const Return& one) {
  std::string words = "restored " + std::to_string(static_cast<int>(one.what)) + ", then";
  for (const std::size_t peer : one.order) {
    words += " " + std::to_string(peer) + (one.behind.contains(peer) ? " (behind)" : "");
  }
  return words;
}

/// Five members, of whom the first has 100 entries in its backup and 150 in its log.
void lose_fifty_entries(World& world, const Return& how) {
  world.run(60 * second);
  ASSERT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
  world.fill(restored, backed_up);
  ASSERT_TRUE(world.settle(600 * second)) << world.violations()[0];
  world.back_up(restored);
  world.pass(60 * second);
  for (const std::size_t peer : how.behind) world.isolate(peer);
  world.fill(restored, lost_from);
  world.pass(60 * second);
  world.isolate(restored);
  world.pass(60 * second);
  world.restore(restored, how.what);
  world.pass(60 * second);
}

void expect_that_it_heals(std::uint64_t seed, const Return& how) {
  World world(seed, four_quiet_witnesses());
  lose_fifty_entries(world, how);
  const std::uint64_t before = world.own_size(restored);
  EXPECT_LT(before, lost_from) << "it is an old one";
  const std::size_t witnesses = how.order.size();
  std::uint64_t waiting = world.acknowledged();
  for (std::size_t reached = 0; reached <= witnesses; ++reached) {
    if (reached != 0) world.reconnect(restored, how.order[reached - 1]);
    world.pass(90 * second);
    const bool back = std::any_of(how.order.begin(), how.order.begin() + static_cast<long>(reached),
                                  [&](std::size_t peer) { return !how.behind.contains(peer); });
    const bool signs = 2 * reached > witnesses;
    const std::uint64_t size = world.own_size(restored);
    if (signs) {
      EXPECT_GT(size, lost_from) << reached << " reached: what waited goes out";
    } else if (back) {
      EXPECT_GE(size, lost_from) << reached << " reached: the lost entries are back";
      EXPECT_LE(size, lost_from + 4) << reached << " reached: and nothing else";
    } else {
      EXPECT_EQ(size, before) << reached << " reached: nothing is signed";
    }
    world.publish(restored);
    world.pass(10 * second);
    EXPECT_GT(world.acknowledged(), waiting) << "it is kept";
    waiting = world.acknowledged();
    if (!signs) {
      EXPECT_EQ(world.own_size(restored), size) << reached << " reached, and it signed";
    }
  }
  EXPECT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
  EXPECT_FALSE(world.is_fork_told());
}

TEST(Backup, OfAnySortSignsNoSecondHistoryWhoeverIsReachedFirst) {
  for (const Restored what : {Restored::database, Restored::directory,
                              Restored::directory_without_marks, Restored::machine}) {
    std::uint64_t seed = 0;
    Return how{what, {1, 2, 3, 4}, {}};
    do {
      SCOPED_TRACE(in_words(how));
      expect_that_it_heals(++seed, how);
    } while (!::testing::Test::HasFailure() && std::ranges::next_permutation(how.order).found);
  }
}

TEST(Backup, HealsAlsoWhereSomeOfTheOthersAreBehindThemselves) {
  for (const Restored what : {Restored::database, Restored::directory, Restored::machine}) {
    for (const auto& order : {std::vector<std::size_t>{1, 2, 3, 4}, {1, 3, 2, 4}, {3, 4, 1, 2}}) {
      const Return how{what, order, {1, 2}};
      SCOPED_TRACE(in_words(how));
      expect_that_it_heals(7, how);
    }
  }
}

TEST(Backup, ForksWhereNobodyIsAsked) {
  for (const Restored what : {Restored::directory, Restored::machine}) {
    World world(1, four_quiet_witnesses(false));
    const Return how{what, {1, 2, 3, 4}, {}};
    lose_fifty_entries(world, how);
    world.publish(restored);
    world.pass(60 * second);
    for (const std::size_t peer : how.order) world.reconnect(restored, peer);
    world.pass(120 * second);
    EXPECT_TRUE(world.is_fork_told()) << in_words(how);
  }
}

}  // namespace
}  // namespace kith::simulation
