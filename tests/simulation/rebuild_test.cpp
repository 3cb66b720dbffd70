#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/simulation/world.hpp"

/// A member whose directory is gone comes back complete from its recovery words and an invitation.
namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;
constexpr std::uint64_t entries = 40;

Options quiet(std::size_t members) {
  Options options;
  options.members = members;
  options.publishes_per_minute = 0;
  return options;
}

/// A network in which all agree, and the log of the victim has some entries.
void begin(World& world, std::size_t victim) {
  world.run(60 * second);
  ASSERT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
  world.fill(victim, entries);
  ASSERT_TRUE(world.settle(600 * second)) << world.violations()[0];
}

bool is_rebuilding(World& world, std::size_t victim) {
  const auto status = world.status(victim);
  return status.state != "member" || status.state_detail.starts_with("rebuilding");
}

/// What an audit counted before is there, entry by entry: and beside it the new certificate in the
/// log of the one, and a grant of the keys in that of the other.
void expect_the_same_audit(World& world, std::size_t at, const std::vector<local::AuditRow>& before,
                           std::size_t victim, std::size_t inviter) {
  const auto after = world.audit(at);
  ASSERT_EQ(after.size(), before.size());
  const MemberId its_id = world.status(victim).member;
  const MemberId inviters_id = world.status(inviter).member;
  for (const local::AuditRow& row : before) {
    const auto now = std::ranges::find(after, row.log, &local::AuditRow::log);
    ASSERT_NE(now, after.end());
    const bool of_victim = row.member == its_id;
    const std::uint64_t more = of_victim || row.member == inviters_id ? 1 : 0;
    EXPECT_TRUE(now->intact) << now->code << (now->faults.empty() ? "" : now->faults.front().what);
    EXPECT_EQ(now->size, row.size + more) << now->code;
    EXPECT_EQ(now->agreed, now->size) << now->code;
    EXPECT_EQ(now->records, row.records + (of_victim ? 0 : more)) << now->code;
    EXPECT_EQ(now->missing, row.missing) << now->code;
    EXPECT_EQ(now->sealed, row.sealed) << now->code;
    EXPECT_EQ(now->certificates, row.certificates + (of_victim ? 1U : 0U)) << now->code;
    EXPECT_EQ(world.root_at(at, row.log, row.size), row.root) << now->code;
  }
}

void expect_that_it_comes_back(std::uint64_t seed, std::size_t members, std::size_t victim,
                               std::size_t inviter) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + std::to_string(victim) + " of " +
               std::to_string(members) + " invited by " + std::to_string(inviter));
  World world(seed, quiet(members));
  begin(world, victim);
  const auto before = world.audit(victim);
  ASSERT_EQ(before.size(), members);
  world.lose_disk(victim);
  world.pass(30 * second);
  world.rebuild(victim, inviter);
  ASSERT_TRUE(world.run_while_not([&] { return !is_rebuilding(world, victim); }, 600 * second))
      << world.status(victim).state_detail;
  ASSERT_TRUE(world.settle(600 * second)) << world.violations()[0];
  expect_the_same_audit(world, victim, before, victim, inviter);
  expect_the_same_audit(world, inviter, before, victim, inviter);
  world.fill(victim, entries + 20);
  EXPECT_TRUE(world.settle(600 * second)) << world.violations()[0];
}

TEST(Rebuild, WhoeverLosesItsDiskComesBackWhoeverInvitesIt) {
  std::uint64_t seed = 0;
  for (std::size_t victim = 0; victim < 4; ++victim) {
    for (std::size_t inviter = 0; inviter < 4; ++inviter) {
      if (victim != inviter) expect_that_it_comes_back(++seed, 4, victim, inviter);
    }
  }
  expect_that_it_comes_back(++seed, 2, 0, 1);
  expect_that_it_comes_back(++seed, 2, 1, 0);
}

TEST(Rebuild, ACrashAtAnyMomentOnlyDelaysIt) {
  // Quickly one after another at first, so that every stage is met, down to single commits.
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, quiet(4));
    begin(world, 1);
    const auto before = world.audit(1);
    world.lose_disk(1);
    world.rebuild(1, 2);
    std::set<std::string> stages;
    for (int crash = 0; crash < 60 && is_rebuilding(world, 1); ++crash) {
      const Time until = (20'000 + 37'000 * seed) * static_cast<Time>(crash);
      world.pass(until);
      const std::string detail = world.status(1).state_detail;
      stages.insert(detail.substr(0, 40));
      world.crash(1);
      world.pass(500'000);
      world.start(1);
    }
    EXPECT_GE(stages.size(), 2U);
    ASSERT_TRUE(world.run_while_not([&] { return !is_rebuilding(world, 1); }, 600 * second))
        << world.status(1).state_detail;
    ASSERT_TRUE(world.settle(600 * second)) << world.violations()[0];
    expect_the_same_audit(world, 1, before, 1, 2);
  }
}

TEST(Rebuild, WithOnlyTheInviterInReachAllComesBackAndNothingIsSigned) {
  World world(3, quiet(4));
  begin(world, 1);
  const auto before = world.audit(1);
  const std::uint64_t size = world.own_size(1);
  world.lose_disk(1);
  world.isolate(1);
  world.reconnect(1, 2);
  world.rebuild(1, 2);
  world.pass(180 * second);
  EXPECT_EQ(world.own_size(1), size) << "it is back, and has no new entry";
  const auto waiting = world.status(1);
  EXPECT_EQ(waiting.state, "member");
  EXPECT_NE(waiting.state_detail.find("1 of 3 have answered"), std::string::npos)
      << waiting.state_detail;
  world.publish(1);
  world.pass(60 * second);
  EXPECT_EQ(world.own_size(1), size) << "what is published waits";
  world.reconnect(1, 3);
  world.pass(120 * second);
  EXPECT_GT(world.own_size(1), size + 1) << "two of three are enough";
  ASSERT_TRUE(world.settle(600 * second)) << world.violations()[0];
  for (const auto& row : before) EXPECT_EQ(world.root_at(1, row.log, row.size), row.root);
}

TEST(Rebuild, OthersGoOnMeanwhileAndNothingOfItIsLost) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Options options = quiet(5);
    options.publishes_per_minute = 20;
    World world(seed, options);
    world.run(60 * second);
    ASSERT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
    world.lose_disk(2);
    for (const std::size_t other : {0, 1, 3, 4}) world.publish(other);
    world.rebuild(2, 3);
    for (int i = 0; i < 20; ++i) {
      for (const std::size_t other : {0, 1, 3, 4}) world.publish(other);
      world.pass(2 * second);
    }
    EXPECT_TRUE(world.settle(3'600 * second)) << world.violations()[0];
    EXPECT_FALSE(is_rebuilding(world, 2));
  }
}

TEST(Rebuild, TwiceInARow) {
  World world(5, quiet(4));
  begin(world, 1);
  for (const std::size_t inviter : {2, 3}) {
    world.lose_disk(1);
    world.pass(120 * second);
    world.rebuild(1, inviter);
    ASSERT_TRUE(world.run_while_not([&] { return !is_rebuilding(world, 1); }, 600 * second))
        << world.status(1).state_detail;
    ASSERT_TRUE(world.settle(600 * second)) << world.violations()[0];
  }
  EXPECT_GE(world.own_size(1), entries + 2);
}

TEST(Rebuild, WithTheWordsOfNobodyNothingComesBack) {
  World world(4, quiet(3));
  begin(world, 1);
  world.lose_disk(1);
  world.rebuild(1, 2, false);
  world.pass(300 * second);
  EXPECT_EQ(world.status(1).state, "joining");
  EXPECT_NE(world.status(1).state_detail.find("no member with these recovery words"),
            std::string::npos)
      << world.status(1).state_detail;
  EXPECT_EQ(world.own_size(1), 0U);
}

TEST(Rebuild, AnOldMachineThatStillRunsIsToldAndSignsNothingMore) {
  World world(6, quiet(4));
  begin(world, 1);
  const std::size_t old_one = 4;
  world.rebuild_beside(1, 2);
  ASSERT_TRUE(world.run_while_not([&] { return !is_rebuilding(world, 1); }, 600 * second))
      << world.status(1).state_detail;
  EXPECT_NE(world.status(old_one).state_detail.find("earlier certificate"), std::string::npos)
      << world.status(old_one).state_detail;
  const std::uint64_t size = world.own_size(old_one);
  world.publish(old_one);
  world.publish(1);
  world.pass(120 * second);
  EXPECT_LE(world.own_size(old_one), size);
  EXPECT_GT(world.own_size(1), size);
  EXPECT_TRUE(world.violations().empty()) << world.violations()[0];
}

}  // namespace
}  // namespace kith::simulation
