#include "protocol/governance/fold.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/governance/builders.hpp"

namespace kith {
namespace {

using testing::admit;
using testing::chain_of;
using testing::Floor;
using testing::founding;
using testing::network_of;
using testing::person;
using testing::test_id;

constexpr auto object = Consent::Word::object;
constexpr auto aside = Consent::Word::stand_aside;

GovernanceFold fold_of(std::size_t members, const Charter& charter = {}) {
  return GovernanceFold(network_of(members, charter), person(0).id);
}
Part part(std::size_t who) { return {person(who).id}; }
Pause pause(std::size_t who) { return {person(who).id}; }
ChangeCharter rename_to(std::string name) {
  Charter charter;
  charter.name = std::move(name);
  return {charter};
}

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

TEST(SeenDue, WhatPassedIsToBeSeenOnceByAnElector) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  GovernanceFold fold = fold_of(3);
  floor.agree(0, id);
  fold.advance(floor.all());
  EXPECT_FALSE(fold.seen_due(floor.all(), person(0).id));
  floor.agree(1, id);
  fold.advance(floor.all());
  for (const std::size_t who : {0, 1, 2}) {
    EXPECT_EQ(fold.seen_due(floor.all(), person(who).id), (Seen{id, 1}));
  }
  EXPECT_FALSE(fold.seen_due(floor.all(), person(9).id)) << "no elector";
  floor.see(2, id);
  fold.advance(floor.all());
  EXPECT_FALSE(fold.seen_due(floor.all(), person(2).id)) << "already logged";
}

TEST(SeenDue, OwnWordsCountAtOnceEvenIfNobodyCosignedThem) {
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  const RecordId other = floor.propose(0, founding(), {rename_to("y")});
  for (const std::size_t who : {0, 1}) floor.agree(who, id);
  const GovernanceLogs before = floor.all();
  floor.agree(2, other, 2);
  GovernanceLogs logs = floor.logs;
  for (auto& [member, log] : logs) {
    const auto old = before.find(member);
    if (old != before.end()) log.cosigned = old->second.cosigned;
  }
  GovernanceFold fold = fold_of(3);
  fold.advance(logs);
  EXPECT_FALSE(fold.seen_due(logs, person(2).id)) << "it has left round 1";
  EXPECT_TRUE(fold.seen_due(logs, person(0).id));
}

TEST(SeenDue, TheHighestRoundComesFirst) {
  Floor floor;
  const RecordId low = floor.propose(0, founding(), {rename_to("x")});
  const RecordId high = floor.propose(0, founding(), {rename_to("y")});
  for (const std::size_t who : {0, 1}) floor.agree(who, low, 1);
  for (const std::size_t who : {1, 2}) floor.agree(who, high, 2);
  GovernanceFold fold = fold_of(3);
  fold.advance(floor.all());
  EXPECT_EQ(fold.seen_due(floor.all(), person(0).id), (Seen{high, 2}));
}

class RoundFor : public ::testing::Test {
 protected:
  std::uint32_t round(std::size_t who, const RecordId& id) {
    fold.advance(floor.all());
    return fold.round_for(floor.all(), person(who).id, id);
  }
  Floor floor;
  GovernanceFold fold = fold_of(5);
  RecordId a = floor.propose(0, founding(), {rename_to("a")});
  RecordId b = floor.propose(0, founding(), {rename_to("b")});
};

TEST_F(RoundFor, AFirstAgreementIsInRoundOne) {
  EXPECT_EQ(round(0, a), 1U);
  floor.agree(1, a);
  floor.agree(2, b);
  EXPECT_EQ(round(0, a), 1U);
}

TEST_F(RoundFor, AFirstAgreementJoinsThoseWhoWentOn) {
  for (const std::size_t who : {1, 2}) floor.agree(who, a, 3);
  floor.agree(3, a, 1);
  EXPECT_EQ(round(0, a), 3U);
  EXPECT_EQ(round(0, b), 3U);
  floor.agree(4, b, 2);
  EXPECT_EQ(round(0, b), 2U) << "there it is not alone";
}

TEST_F(RoundFor, WhoIsStuckGoesOneUp) {
  floor.agree(0, a);
  floor.agree(1, b);
  EXPECT_EQ(round(0, b), 2U);
  EXPECT_EQ(round(0, a), 1U) << "it has said so; to go up alone would only part it from the others";
}

TEST_F(RoundFor, WhoIsStuckFollowsTheOthersUp) {
  floor.agree(0, a);
  floor.agree(1, b, 4);
  EXPECT_EQ(round(0, a), 4U);
  EXPECT_EQ(round(0, b), 4U);
}

TEST_F(RoundFor, ALiarsFarRoundIsNotFollowed) {
  floor.agree(0, a);
  floor.agree(1, b, 900'000);
  EXPECT_EQ(round(0, a), 1U);
  EXPECT_EQ(round(0, b), 2U);
  for (const std::size_t who : {2, 3}) floor.agree(who, b, 900'000);
  EXPECT_EQ(round(0, a), 900'000U) << "more than half have gone there";
}

TEST_F(RoundFor, WhatPassedIsFirstToBeSeenInItsRound) {
  for (const std::size_t who : {0, 1, 2}) floor.agree(who, a, 2);
  floor.agree(3, b, 3);
  EXPECT_EQ(round(0, a), 2U) << "to leave round 2 now would make its Seen worthless";
  floor.see(0, a, 2);
  EXPECT_EQ(round(0, a), 3U) << "it was seen, and the others left: go on";
}

TEST_F(RoundFor, TheLockOfAnOwnSeenIsOpenedWhereItCanBe) {
  for (const std::size_t who : {0, 1, 2}) floor.agree(who, a, 1);
  floor.see(0, a, 1);
  EXPECT_EQ(round(0, b), 2U) << "it cannot count, but not below its own round";
  for (const std::size_t who : {1, 3, 4}) floor.agree(who, b, 4);
  EXPECT_EQ(round(0, b), 4U) << "passed and not yet seen";
  floor.see(0, b, 4);
  EXPECT_EQ(round(0, b), 5U) << "in round 4 itself the lock is still closed";
}

TEST_F(RoundFor, ItEndsAtTheLimit) {
  floor.agree(0, a, 1'000'000);
  EXPECT_EQ(round(0, b), 1'000'000U);
}

TEST(Standing, ShowsWordsRuleRoundsAndSeens) {
  Charter charter;
  charter.charter = {Rule::Form::k_of_n, 3};
  Floor floor;
  const RecordId id = floor.propose(1, founding(), {rename_to("x")});
  const RecordId idle = floor.propose(0, founding(), {part(7)});
  floor.agree(0, id, 1);
  floor.say(1, id, aside, 2);
  floor.say(2, id, object, 1);
  floor.agree(2, id, 3);
  floor.say(2, id, object, 1);
  GovernanceFold fold = fold_of(3, charter);
  fold.advance(floor.all());

  const auto standings = fold.open_proposals(floor.all());
  ASSERT_EQ(standings.size(), 2U);
  const bool first = standings[0].id == id;
  const ProposalStanding& open = standings[first ? 0 : 1];
  const ProposalStanding& idle_one = standings[first ? 1 : 0];

  EXPECT_TRUE(open.valid);
  EXPECT_TRUE(open.agreed);
  EXPECT_EQ(open.proposer, person(1).id);
  EXPECT_EQ(open.rule, charter.charter);
  EXPECT_EQ(open.words.at(person(0).id), Consent::Word::agree);
  EXPECT_EQ(open.words.at(person(1).id), aside);
  EXPECT_EQ(open.words.at(person(2).id), object);
  EXPECT_EQ(open.agreed_by, (std::set<MemberId>{person(0).id, person(2).id}));
  EXPECT_EQ(open.highest_round, 3U);
  EXPECT_TRUE(open.passed_in.empty());
  EXPECT_EQ(open.explanation,
            "1 of 3 agree in round 1; more than half, that is 2, are needed in one round. Enough "
            "members have agreed, but not in one round: they should agree again. The charter asks "
            "that 3 agree; 2 have. Objecting: Member 2.");

  EXPECT_EQ(idle_one.id, idle);
  EXPECT_FALSE(idle_one.valid);
  EXPECT_TRUE(idle_one.explanation.starts_with("Void"));
}

TEST(Standing, SaysWhoIsAwaitedAndWhatPassed) {
  Charter charter;
  charter.charter = {Rule::Form::all, 0};
  Floor floor;
  const RecordId id = floor.propose(0, founding(), {rename_to("x")});
  for (const std::size_t who : {0, 1, 2}) floor.agree(who, id);
  GovernanceFold fold = fold_of(5, charter);
  fold.advance(floor.all());
  const std::string awaited = fold.open_proposals(floor.all()).at(0).explanation;
  EXPECT_TRUE(awaited.starts_with("The charter asks that everyone agrees or stands aside"));
  EXPECT_NE(awaited.find("Member 3"), std::string::npos);
  EXPECT_NE(awaited.find("Member 4"), std::string::npos);
  EXPECT_EQ(awaited.find("Member 1"), std::string::npos);

  for (const std::size_t who : {3, 4}) floor.say(who, id, aside);
  floor.see(2, id);
  fold.advance(floor.all());
  const ProposalStanding passed = fold.open_proposals(floor.all()).at(0);
  EXPECT_EQ(passed.passed_in, std::vector{1U});
  EXPECT_EQ(passed.seen_by, std::set{person(2).id});
  EXPECT_EQ(passed.explanation,
            "Passed in round 1. It is final once the daemons of 3 of 5 members have logged that "
            "they saw it pass; 1 so far.");
}

TEST(Standing, NamesAgreementsWithoutEffect) {
  Floor floor;
  const RecordId a = floor.propose(0, founding(), {rename_to("a")});
  const RecordId b = floor.propose(0, founding(), {rename_to("b")});
  floor.agree(1, a);
  floor.agree(1, b);
  GovernanceFold fold = fold_of(3);
  fold.advance(floor.all());
  for (const ProposalStanding& standing : fold.open_proposals(floor.all())) {
    const bool said = standing.explanation.find("Without effect") != std::string::npos;
    EXPECT_EQ(said, standing.id == b);
  }
}

TEST(Standing, AProposalIsAgreedOnceTheWitnessesHoldIt) {
  Floor floor;
  floor.propose(0, founding(), {rename_to("a")});
  GovernanceFold fold = fold_of(3);
  fold.advance(floor.logs);
  EXPECT_FALSE(fold.open_proposals(floor.logs).at(0).agreed);
  fold.advance(floor.all());
  EXPECT_TRUE(fold.open_proposals(floor.all()).at(0).agreed);
}

}  // namespace
}  // namespace kith
