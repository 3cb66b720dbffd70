#include "protocol/governance/fold.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/governance/builders.hpp"

namespace kith {
namespace {

using testing::admit;
using testing::chain_of;
using testing::Floor;
using testing::fold_of;
using testing::founding;
using testing::part;
using testing::pause;
using testing::person;
using testing::rename_to;
using testing::test_id;

constexpr auto object = Consent::Word::object;
constexpr auto aside = Consent::Word::stand_aside;

TEST(Fold, TheFounderAloneAdmitsThenTwoThenSeven) {
  Floor floor;
  GovernanceFold fold = fold_of(1);
  const RecordId first = floor.propose(0, founding(), {admit(1)});
  floor.decide(1, first);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
  EXPECT_EQ(fold.state().electors().size(), 2U);

  const RecordId second =
      floor.propose(1, first, {admit(2), admit(3), admit(4), admit(5), admit(6)});
  floor.decide(2, second);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
  EXPECT_EQ(fold.state().electors().size(), 7U);
  EXPECT_EQ(fold.state().members.at(person(6).id).admitted_by, second);

  EXPECT_EQ(chain_of(fold), (std::vector{founding(), first, second}));
  EXPECT_EQ(fold.founder(), person(0).id);
  ASSERT_NE(fold.state_after(first), nullptr);
  EXPECT_EQ(fold.state_after(first)->members.size(), 2U);
  EXPECT_EQ(fold.state_after(test_id("never")), nullptr);
  EXPECT_EQ(fold.advance(floor.all()), 0U) << "nothing new, nothing decided";
}

TEST(Fold, AFreshFoldCatchesUpInOneCall) {
  Floor floor;
  const RecordId first = floor.propose(0, founding(), {admit(1)});
  floor.decide(1, first);
  const RecordId second = floor.propose(1, first, {admit(2)});
  floor.decide(2, second);
  GovernanceFold fold = fold_of(1);
  EXPECT_EQ(fold.advance(floor.all()), 2U);
}

TEST(Fold, UnagreedWordsDoNotCount) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {pause(3)});
  floor.decide(4, id);
  GovernanceFold fold = fold_of(4);
  EXPECT_EQ(fold.advance(floor.logs), 0U);

  // Each of four has three witnesses: one is not enough, two are.
  GovernanceLogs logs = floor.logs;
  const auto cosign_all = [&](std::size_t witness) {
    for (auto& [member, log] : logs) {
      if (member != person(witness).id) log.cosigned[person(witness).id] = log.complete;
    }
  };
  cosign_all(0);
  EXPECT_EQ(fold.advance(logs), 0U);
  cosign_all(1);
  cosign_all(2);
  EXPECT_EQ(fold.advance(logs), 1U);
}

TEST(Fold, OfTwoWitnessesOneIsEnoughAndStrangersAreNone) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  floor.decide(3, id);
  GovernanceLogs logs = floor.logs;
  for (auto& [member, log] : logs) {
    log.cosigned[person(9).id] = log.complete;
    log.cosigned[member] = log.complete;
  }
  GovernanceFold fold = fold_of(3);
  EXPECT_EQ(fold.advance(logs), 0U);
  for (auto& [member, log] : logs) {
    log.cosigned[person(member == person(0).id ? 1 : 0).id] = log.complete;
  }
  EXPECT_EQ(fold.advance(logs), 1U);
}

TEST(Fold, OnlyTheAgreedPrefixOfALogCounts) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  floor.decide(2, id);
  GovernanceLogs logs = floor.all();
  auto& log = logs.at(person(1).id);
  log.cosigned[person(0).id] = log.complete - 1;  // Its Seen is not covered.
  GovernanceFold fold = fold_of(2);
  EXPECT_EQ(fold.advance(logs), 0U);
  EXPECT_EQ(fold.open_proposals(logs).at(0).passed_in, std::vector{1U});
}

TEST(Fold, WhatLiesBehindAnEntryThatIsNotHeldDoesNotCount) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  floor.decide(2, id);
  GovernanceLogs logs = floor.all();
  logs.at(person(1).id).complete = 1;
  GovernanceFold fold = fold_of(2);
  EXPECT_EQ(fold.advance(logs), 0U);
  logs = floor.all();
  EXPECT_EQ(fold.advance(logs), 1U);
}

TEST(Fold, AWordOnAnUnknownProposalEndsTheUsablePart) {
  Floor floor;
  const RecordId known = floor.propose(0, founding(), {rename_to("x")});
  const RecordId elsewhere = floor.propose(5, founding(), {rename_to("y")});
  floor.say(1, elsewhere, object);
  floor.decide(2, known);

  GovernanceLogs logs = floor.all();
  const GovernanceLog log_of_five = logs.extract(person(5).id).mapped();
  GovernanceFold fold = fold_of(2);
  EXPECT_EQ(fold.advance(logs), 0U);
  logs.emplace(person(5).id, log_of_five);  // Wherever it lies: five is no member.
  EXPECT_EQ(fold.advance(logs), 1U);
}

TEST(Fold, WordsOnAVoidProposalAreIgnored) {
  Floor floor;
  const RecordId idle = floor.propose(0, founding(), {part(9)});
  const RecordId good = floor.propose(0, founding(), {rename_to("x")});
  floor.agree(0, idle, 1);
  floor.see(0, idle, 8);
  floor.agree(1, idle, 1);
  floor.decide(2, good, 1);
  GovernanceFold fold = fold_of(2);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
  EXPECT_EQ(fold.state().decision, good);
}

TEST(Fold, WordsForAnotherBasisAreIgnoredOnThisOne) {
  Floor floor;
  const RecordId first = floor.propose(0, founding(), {rename_to("x")});
  const RecordId second = floor.propose(0, first, {rename_to("y")});
  const RecordId never = floor.propose(0, test_id("no such decision"), {rename_to("z")});
  for (const std::size_t who : {0, 1}) floor.agree(who, never, 40);
  floor.decide(2, second, 30);  // Before its basis was decided: it counts once it is.
  floor.decide(2, first, 1);
  GovernanceFold fold = fold_of(2);
  EXPECT_EQ(fold.advance(floor.all()), 2U);
  EXPECT_EQ(fold.state().decision, second);
}

TEST(Fold, ARoundOfZeroOrBeyondTheLimitIsVoid) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  floor.agree(0, id, 0);
  floor.see(0, id, 1'000'001);
  floor.decide(1, id);
  GovernanceFold fold = fold_of(1);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
}

TEST(Fold, OpenProposalsAreVoidAfterADecision) {
  Floor floor;
  const RecordId won = floor.propose(0, founding(), {rename_to("x")});
  const RecordId lost = floor.propose(1, founding(), {rename_to("y")});
  floor.decide(3, won);
  GovernanceFold fold = fold_of(3);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
  EXPECT_TRUE(fold.open_proposals(floor.all()).empty());
  floor.decide(3, lost, 2);
  EXPECT_EQ(fold.advance(floor.all()), 0U);
}

TEST(Fold, APausedMemberHasNoVote) {
  Floor floor;
  const RecordId first = floor.propose(0, founding(), {pause(1)});
  floor.decide(2, first);
  const RecordId second = floor.propose(0, first, {rename_to("x")});
  floor.agree(1, second);
  floor.see(1, second);
  GovernanceFold fold = fold_of(2);
  fold.advance(floor.all());
  EXPECT_EQ(fold.state().decision, first);
  EXPECT_TRUE(fold.open_proposals(floor.all()).at(0).words.empty());
  floor.agree(0, second);
  floor.see(0, second);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
}

TEST(Fold, WordsOfAPartedMemberChangeNothing) {
  Floor floor;
  const RecordId first = floor.propose(0, founding(), {part(2)});
  floor.decide(3, first);
  const RecordId second = floor.propose(0, first, {rename_to("x")});
  floor.agree(0, second);
  floor.agree(2, second);
  floor.see(2, second);
  floor.see(0, second);
  GovernanceFold fold = fold_of(3);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
}

TEST(Fold, TheCharterInForceOnTheBasisDecides) {
  Floor floor;
  ChangeCharter strict = rename_to("strict");
  strict.charter.admit = {Rule::Form::all, 0};
  const RecordId first = floor.propose(0, founding(), {strict});
  floor.decide(2, first);
  const RecordId second = floor.propose(0, first, {admit(5)});
  floor.decide(2, second);
  GovernanceFold fold = fold_of(3);
  EXPECT_EQ(fold.advance(floor.all()), 1U) << "all are asked now, and one is silent";
  floor.say(2, second, aside);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
}

TEST(Fold, LogsThatGrowEntryByEntryGiveTheSameChain) {
  Floor floor;
  RecordId basis = founding();
  for (std::size_t i = 1; i < 6; ++i) {
    const RecordId next = floor.propose(i % i, basis, {admit(i)});
    floor.decide(i, next);
    basis = next;
  }
  const GovernanceLogs all = floor.all();
  GovernanceFold slow = fold_of(1);
  for (std::size_t size = 0; size < 40; ++size) {
    GovernanceLogs logs = all;
    for (auto& [member, log] : logs) {
      log.entries.resize(std::min(size, log.entries.size()));
      log.complete = log.entries.size();
    }
    slow.advance(logs);
  }
  GovernanceFold fast = fold_of(1);
  fast.advance(all);
  EXPECT_EQ(chain_of(slow), chain_of(fast));
  EXPECT_EQ(fast.history().size(), 6U);
}

TEST(Fold, ALogThatShrankAgainstThePromiseIsReadAnew) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  floor.decide(2, id);
  GovernanceFold fold = fold_of(2);
  GovernanceLogs logs = floor.logs;
  fold.advance(logs);
  logs.at(person(0).id).entries.clear();
  EXPECT_EQ(fold.advance(logs), 0U);
  EXPECT_EQ(fold.advance(floor.all()), 1U);
}

}  // namespace
}  // namespace kith
