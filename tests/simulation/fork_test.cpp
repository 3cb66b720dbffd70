#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/simulation/world.hpp"

/// A member that signs two histories and shows each to some of the others.
namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;

Options five_with_a_fork() {
  Options options;
  options.members = 5;
  options.forger = Forger::forks;
  options.publishes_per_minute = 20;
  return options;
}

bool all_frozen_alike(const std::vector<local::MemberRow>& rows) {
  return !rows.empty() && std::ranges::all_of(rows, [&](const local::MemberRow& row) {
    return row.frozen && row.agreed_size == rows.front().agreed_size;
  });
}

/// Two histories, one for `half` of the four honest members and one for the rest.
void expect_the_fork_is_caught(std::size_t half) {
  const char* only = std::getenv("KITH_SEED");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    if (only != nullptr && seed != std::strtoull(only, nullptr, 10)) continue;
    World world(seed, five_with_a_fork());
    world.run(60 * second);
    ASSERT_TRUE(world.settle(3'600 * second)) << "seed " << seed << ": " << world.violations()[0];
    world.fork(half, 60 * second);
    const bool alike = world.run_while_not(
        [&] { return all_frozen_alike(world.rows_of_the_forger()); }, 600 * second);
    EXPECT_TRUE(alike) << "seed " << seed;
    // A message and a commit on each of both sides; messages take up to 0.8 s here.
    EXPECT_LE(world.time_to_tell_all(), 2 * second) << "seed " << seed;
    EXPECT_TRUE(world.violations().empty()) << "seed " << seed << ": " << world.violations()[0];
    for (const local::MemberRow& row : world.rows_of_the_forger()) {
      // Whoever was shown the history that was not agreed holds the other one.
      EXPECT_GE(row.held_size, row.agreed_size) << "seed " << seed;
      EXPECT_EQ(row.gaps, 0U);
    }
  }
}

TEST(Fork, IsFrozenAtOneSizeWhereNeitherHistoryIsAgreed) { expect_the_fork_is_caught(2); }

TEST(Fork, IsFrozenAtOneSizeWhereOneHistoryIsAgreed) { expect_the_fork_is_caught(1); }

/// The owner heals it, while the copy with the stolen keys goes on signing.
void expect_a_cut_heals(std::size_t half) {
  const char* only = std::getenv("KITH_SEED");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    if (only != nullptr && seed != std::strtoull(only, nullptr, 10)) continue;
    SCOPED_TRACE(seed);
    World world(seed, five_with_a_fork());
    world.run(60 * second);
    ASSERT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
    world.fork(half, 60 * second);
    ASSERT_TRUE(world.run_while_not([&] { return all_frozen_alike(world.rows_of_the_forger()); },
                                    600 * second));
    const std::uint64_t agreed = world.rows_of_the_forger().front().agreed_size;
    ASSERT_TRUE(world.cut(600 * second)) << "what is agreed comes to the owner";
    const auto is_healed = [&] {
      const auto rows = world.rows_of_the_forger();
      return !rows.empty() && std::ranges::all_of(rows, [&](const local::MemberRow& row) {
        return !row.frozen && row.held_size == world.size_of_the_forger() &&
               row.agreed_size == row.held_size && row.gaps == 0;
      });
    };
    EXPECT_TRUE(world.run_while_not(is_healed, 600 * second));
    EXPECT_GT(world.size_of_the_forger(), agreed) << "nothing agreed was taken back";
    EXPECT_TRUE(world.violations().empty()) << world.violations()[0];
  }
}

TEST(Cut, HealsWhereNeitherHistoryIsAgreed) { expect_a_cut_heals(2); }

TEST(Cut, HealsWhereTheOwnersHistoryIsAgreed) { expect_a_cut_heals(1); }

TEST(Cut, HealsWhereTheThiefsHistoryIsAgreed) { expect_a_cut_heals(3); }

TEST(Renewal, KeysAreReplacedWhileEverythingElseGoesOn) {
  const char* only = std::getenv("KITH_SEED");
  std::size_t renewals = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    if (only != nullptr && seed != std::strtoull(only, nullptr, 10)) continue;
    SCOPED_TRACE(seed);
    Options options;
    options.members = 4 + seed % 3;
    options.faults = {20, 4, 4, 4, 4};
    options.faults.renewals_per_minute = 8;
    World world(seed, options);
    world.run(60 * second);
    ASSERT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
    EXPECT_TRUE(world.violations().empty()) << world.violations()[0];
    renewals += world.renewals();
  }
  EXPECT_GT(renewals, only != nullptr ? 0U : 10U);
}

}  // namespace
}  // namespace kith::simulation
