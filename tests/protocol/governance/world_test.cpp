#include "tests/protocol/governance/world.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace kith {
namespace {

using testing::World;
using testing::WorldReport;
using testing::WorldSettings;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t worlds = 300;
#else
constexpr std::uint64_t worlds = 3'000;
#endif
/// A control stops at its first world, so it may look as far as it must.
constexpr std::uint64_t control_worlds = 3'000;

/// 1..count, or only KITH_SEED when it is set.
std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* only = std::getenv("KITH_SEED")) return {std::strtoull(only, nullptr, 10)};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
  return all;
}

WorldReport run(const WorldSettings& settings) { return World(settings).run(); }

TEST(Worlds, EveryViewIsABeginningOfTheOneChain) {
  std::size_t decisions = 0, views = 0, forks = 0, late_words = 0, go_on = 0, excused = 0;
  for (const std::uint64_t seed : seeds(worlds)) {
    SCOPED_TRACE("replay with KITH_SEED=" + std::to_string(seed));
    WorldSettings settings;
    settings.seed = seed;
    const WorldReport report = run(settings);
    if (report.two_agreed_branches) {
      ++excused;
      continue;
    }
    ASSERT_EQ(report.views_off_the_chain, 0U);
    ASSERT_EQ(report.lagging, 0U);
    ASSERT_EQ(report.late_word_changes, 0U);
    ASSERT_EQ(report.stuck, 0U);
    decisions += report.chain.size() - 1;
    views += report.views;
    forks += report.forks;
    late_words += report.late_word_probes;
    go_on += report.go_on_probes;
  }
  RecordProperty("decisions", std::to_string(decisions));
  RecordProperty("views", std::to_string(views));
  RecordProperty("forks", std::to_string(forks));
  RecordProperty("late_words", std::to_string(late_words));
  RecordProperty("going_on", std::to_string(go_on));
  RecordProperty("excused", std::to_string(excused));
  if (std::getenv("KITH_SEED") != nullptr) return;
  EXPECT_GT(decisions, worlds / 2);
  EXPECT_GT(views, worlds * 10);
  EXPECT_GT(forks, worlds / 10);
  EXPECT_GT(late_words, worlds / 30);
  EXPECT_GT(go_on, worlds / 10);
  EXPECT_LT(excused, worlds / 4);
}

/// The first world that goes wrong when a rule is missing, or 0. Each is also run with all rules.
std::uint64_t first_that_fails(WorldSettings settings, const RoundRules& rounds, bool agreed_only) {
  for (settings.seed = 1; settings.seed <= control_worlds; ++settings.seed) {
    WorldSettings mutant = settings;
    mutant.rounds = rounds;
    mutant.agreed_only = agreed_only;
    const WorldReport broken = run(mutant);
    if (broken.two_agreed_branches || broken.views_off_the_chain == 0) continue;
    const WorldReport sound = run(settings);
    EXPECT_EQ(sound.views_off_the_chain, 0U) << "KITH_SEED=" << settings.seed;
    return settings.seed;
  }
  return 0;
}

/// Few members, few proposals, and everyone changes sides now and then.
WorldSettings quarrel(std::size_t members) {
  WorldSettings settings;
  settings.members = members;
  settings.proposals_max = 3;
  settings.careless = 0.5;
  return settings;
}

TEST(Worlds, WithoutTheLockOfSeensTheyFail) {
  RoundRules rounds;
  rounds.seen_locks = false;
  EXPECT_GT(first_that_fails(quarrel(3), rounds, true), 0U);
}

TEST(Worlds, IfLowerRoundsWentOnCountingTheyFail) {
  RoundRules rounds;
  rounds.rounds_only_rise = false;
  EXPECT_GT(first_that_fails(quarrel(3), rounds, true), 0U);
}

TEST(Worlds, IfUnagreedWordsCountedTheyFail) {
  WorldSettings settings;
  settings.split = true;
  EXPECT_GT(first_that_fails(settings, {}, false), 0U);
}

TEST(Worlds, SwappingTheRolesOfAnyTwoMembersChangesNoAnswer) {
  for (const std::uint64_t seed : seeds(worlds / 100)) {
    WorldSettings settings;
    settings.seed = seed;
    settings.roles.clear();
    for (std::size_t who = 0; who < World::names; ++who) {
      settings.roles.push_back("role " + std::to_string(who));
    }
    const WorldReport before = run(settings);
    for (std::size_t a = 0; a < World::names; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        WorldSettings swapped = settings;
        std::swap(swapped.roles[a], swapped.roles[b]);
        const WorldReport after = run(swapped);
        ASSERT_EQ(after.chain, before.chain);
        ASSERT_EQ(after.answers, before.answers);
      }
    }
  }
}

}  // namespace
}  // namespace kith
