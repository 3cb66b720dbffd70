#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "protocol/base/text.hpp"
#include "tests/simulation/world.hpp"

namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;

/// KITH_SEED alone if it is set; otherwise 1 .. KITH_SEEDS or `usual`; with a `share`, as many as
/// KITH_SEEDS divided by it, but not fewer than `usual`.
std::vector<std::uint64_t> seeds(std::uint64_t usual, std::uint64_t share = 0) {
  if (const char* one = std::getenv("KITH_SEED")) return {std::strtoull(one, nullptr, 10)};
  std::uint64_t first = 1;
  if (const char* from = std::getenv("KITH_FIRST_SEED")) first = std::strtoull(from, nullptr, 10);
  if (const char* many = std::getenv("KITH_SEEDS")) {
    const std::uint64_t asked = std::strtoull(many, nullptr, 10);
    usual = share == 0 ? asked : std::max(usual, asked / share);
  }
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = first; seed < first + usual; ++seed) all.push_back(seed);
  return all;
}

Options everything_goes_wrong(std::uint64_t seed) {
  Options options;
  // Most faults show among few members, and the cost rises with the cube of their number. Seventeen
  // sizes, so that each of the tests that share the seeds meets all of them.
  constexpr std::array sizes{3, 4, 5, 3, 4, 6, 3, 5, 4, 9, 3, 4, 7, 3, 5, 8, 4};
  options.members = static_cast<std::size_t>(sizes[seed % sizes.size()]);
  options.faults = {30, 6, 6, 10, 6};
  return options;
}

Options with_forger(std::uint64_t seed, Forger forger) {
  Options options = everything_goes_wrong(seed);
  options.forger = forger;
  options.publishes_per_minute = 20;  // So that there is much to lie about.
  // A busy pool, so that crashes and payloads come while records are being judged.
  if (forger == Forger::withholds) options.compute_at_most = 1'000'000;
  return options;
}

std::string all(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += "\n  " + line;
  return out;
}

/// The seeds are dealt out to four tests, so that as many cores share them.
class Convergence : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Convergence, EveryMemberGetsEveryEntryDespiteBrokenLinksCrashesAndFullDisks) {
  std::size_t acknowledged = 0;
  std::size_t crashes = 0;
  std::size_t decisions = 0;
  std::size_t worlds = 0;
  for (const std::uint64_t seed : seeds(100)) {
    if (std::getenv("KITH_SEED") == nullptr && seed % 4 != GetParam()) continue;
    World world(seed, everything_goes_wrong(seed));
    world.run(60 * second);
    const bool settled = world.settle(3'600 * second);
    ASSERT_TRUE(settled) << "replay with KITH_SEED=" << seed << all(world.violations());
    acknowledged += world.acknowledged();
    crashes += world.crashes();
    decisions += world.decisions();
    ++worlds;
  }
  EXPECT_GT(acknowledged, 0U);
  EXPECT_GT(crashes, 0U);
  // tests/simulation/seeds.sh reads this.
  std::printf("worlds: %zu, acknowledged: %zu, crashes: %zu, decisions: %zu\n", worlds,
              acknowledged, crashes, decisions);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Convergence, ::testing::Values(0, 1, 2, 3));

TEST(Damage, HealsWhileEverythingElseGoesWrong) {
  std::size_t damages = 0;
  std::size_t leaves = 0;
  for (const std::uint64_t seed : seeds(40, 50)) {
    Options options = everything_goes_wrong(seed);
    options.faults.damages_per_minute = 20;
    World world(seed, options);
    world.run(60 * second);
    const bool settled = world.settle(3'600 * second);
    ASSERT_TRUE(settled) << "replay with KITH_SEED=" << seed << all(world.violations());
    damages += world.damages();
    leaves += world.damaged_leaves();
  }
  EXPECT_GT(damages, 0U);
  EXPECT_GT(leaves, 0U);
  std::printf("damages: %zu, of leaves: %zu\n", damages, leaves);
}

/// The same worlds with a member that lies: honest members agree all the same, take nothing that it
/// forged, and drop nobody else.
void expect_the_forger_gets_nowhere(Forger forger, std::uint64_t usual_seeds = 40) {
  std::size_t forgeries = 0;
  std::size_t dropped = 0;
  std::size_t withheld = 0;
  // In seed 32 the forger is all that a newcomer can reach for a while.
  for (const std::uint64_t seed : seeds(usual_seeds, 50)) {
    World world(seed, with_forger(seed, forger));
    world.run(60 * second);
    const bool settled = world.settle(3'600 * second);
    ASSERT_TRUE(settled) << "replay with KITH_SEED=" << seed << all(world.violations());
    forgeries += world.forgeries();
    dropped += world.forger_dropped();
    withheld += world.withheld();
  }
  EXPECT_GT(forgeries, 0U);
  EXPECT_EQ(dropped > 0, forger == Forger::changes_entries);
  EXPECT_EQ(withheld > 0, forger == Forger::withholds);
  std::printf("forgeries: %zu, times the forger was dropped: %zu, payloads withheld: %zu\n",
              forgeries, dropped, withheld);
}

TEST(Forger, IsDroppedWhenItChangesEntriesOfOthers) {
  expect_the_forger_gets_nowhere(Forger::changes_entries);
}

TEST(Forger, IsNotBelievedWhenItSignsFalsely) {
  expect_the_forger_gets_nowhere(Forger::signs_falsely);
}

TEST(Forger, IsNotBelievedWhenWhatItSignsFalselyComesLate) {
  // In seed 66 a forged record comes after its turn to be judged and before its turn to be shown.
  expect_the_forger_gets_nowhere(Forger::withholds, 70);
}

/// Many proposals at once, and members that hear of them in different orders.
Options everyone_is_cut_off(std::uint64_t) {
  Options options;
  options.members = 6;
  options.faults = {30, 60, 20, 4, 0};
  return options;
}

/// Negative control: worlds with one protection off. Some seed must show exactly the fault that the
/// protection is there for (merely not to settle proves nothing), and must not with it on.
void expect_that_some_seed_shows(const std::string& fault,
                                 const std::function<Options(std::uint64_t)>& usual,
                                 const std::function<void(Options&)>& weaken) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Options weak = usual(seed);
    weaken(weak);
    World world(seed, weak);
    world.run(60 * second);
    (void)world.settle(120 * second);
    for (const std::string& violation : world.violations()) {
      if (violation.find(fault) == std::string::npos) continue;
      std::printf("seed %lu: %s\n", static_cast<unsigned long>(seed), violation.c_str());
      World strong(seed, usual(seed));
      strong.run(60 * second);
      EXPECT_TRUE(strong.settle(3'600 * second)) << all(strong.violations());
      return;
    }
  }
  FAIL() << "no seed shows: " << fault;
}

TEST(World, LosesAcknowledgedRecordsWhenDurabilityIsIgnored) {
  expect_that_some_seed_shows("lost a record that it had acknowledged", everything_goes_wrong,
                              [](Options& options) { options.ignore_durability = true; });
}

TEST(World, TakesForgedHistoriesWhenHashesAreNotChecked) {
  expect_that_some_seed_shows(
      "holds a history that its owner did not sign",
      [](std::uint64_t seed) { return with_forger(seed, Forger::changes_entries); },
      [](Options& options) { options.check_hashes = false; });
}

TEST(World, ShowsForgedRecordsWhenSignaturesAreNotChecked) {
  expect_that_some_seed_shows(
      "shows a forged record",
      [](std::uint64_t seed) { return with_forger(seed, Forger::signs_falsely); },
      [](Options& options) { options.check_signatures = false; });
}

TEST(World, VotesOnForgedProposalsWhenSignaturesAreNotChecked) {
  expect_that_some_seed_shows(
      "puts a forged proposal to the vote",
      [](std::uint64_t seed) { return with_forger(seed, Forger::signs_falsely); },
      [](Options& options) { options.check_signatures = false; });
}

TEST(World, DisagreesOnDecisionsWhenWhatPassedIsFinalAtOnce) {
  expect_that_some_seed_shows(
      "the members disagree on decisions", everyone_is_cut_off,
      [](Options& options) { options.fold_rules.rounds.seen_decides = false; });
}

/// What each of these worlds did, a line for each; honest ones and ones with a forger.
std::string digests_of(std::vector<std::uint64_t> of, bool backwards) {
  if (backwards) std::ranges::reverse(of);
  std::map<std::uint64_t, std::string> lines;
  for (const std::uint64_t seed : of) {
    constexpr std::array forgers{Forger::none, Forger::changes_entries, Forger::withholds};
    World world(seed, with_forger(seed, forgers[seed % forgers.size()]));
    world.run(30 * second);
    (void)world.settle(60 * second);
    lines[seed] = std::to_string(seed) + ' ' + to_hex(world.digest().view()) + '\n';
  }
  std::string all;
  for (const auto& [seed, line] : lines) all += line;
  return all;
}

/// Set in the process that IsTheSameInAnotherProcess starts.
constexpr const char* only_digests = "KITH_ONLY_DIGESTS";
constexpr const char* digest_mark = "digest ";

TEST(World, IsTheSameFromTheSameSeed) {
  const auto some = seeds(30, 100);
  const std::string once = digests_of(some, false);
  // Backwards, so that each world finds memory and whatever outlives a world as another left it.
  EXPECT_EQ(once, digests_of(some, true));
  EXPECT_NE(digests_of({1}, false).substr(2), digests_of({2}, false).substr(2));
}

TEST(World, IsTheSameInAnotherProcess) {
  const auto some = seeds(30, 100);
  if (std::getenv(only_digests) != nullptr) {
    std::printf("%s%s", digest_mark, digests_of(some, true).c_str());
    return;
  }
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = std::string(only_digests) + "=1 '" + self +
                              "' --gtest_filter=World.IsTheSameInAnotherProcess";
  std::FILE* other = ::popen(command.c_str(), "r");
  ASSERT_NE(other, nullptr);
  std::string said;
  std::array<char, 4'096> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), other)) {
    said.append(part.data(), size);
  }
  ASSERT_EQ(::pclose(other), 0) << said;
  const std::string here = digest_mark + digests_of(some, false);
  EXPECT_NE(said.find(here), std::string::npos) << "here: " << here << "there: " << said;
}

}  // namespace
}  // namespace kith::simulation
