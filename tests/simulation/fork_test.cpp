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

}  // namespace
}  // namespace kith::simulation
