#include <gtest/gtest.h>

#include "protocol/governance/fold.hpp"
#include "tests/protocol/governance/builders.hpp"

namespace kith {
namespace {

using testing::Floor;
using testing::fold_of;
using testing::founding;
using testing::part;
using testing::person;
using testing::rename_to;

constexpr auto object = Consent::Word::object;
constexpr auto aside = Consent::Word::stand_aside;

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

/// Whether people are asked for a word, in a network of two that agree to each other's proposals.
class Asked : public ::testing::Test {
 protected:
  OwnStanding standing(std::size_t who, const RecordId& id) {
    fold.advance(floor.all());
    const auto open = fold.open_proposals(floor.all());
    const auto found = std::ranges::find(open, id, &ProposalStanding::id);
    return found == open.end() ? OwnStanding{}
                               : fold.own_standing(floor.all(), person(who).id, *found);
  }
  Floor floor;
  GovernanceFold fold = fold_of(2);
  RecordId a = floor.propose(0, founding(), {rename_to("a")});
  RecordId b = floor.propose(1, founding(), {rename_to("b")});
};

TEST_F(Asked, AgainWhenAnotherWentOnAndNotWhoWentHighest) {
  EXPECT_TRUE(standing(0, b).is_asked);
  floor.agree(0, a, 1);
  floor.agree(1, b, 1);
  EXPECT_FALSE(standing(0, a).is_asked);
  floor.agree(0, b, 2);
  floor.agree(1, a, 2);
  EXPECT_TRUE(standing(0, a).is_asked) << "each went where the other was";
  EXPECT_EQ(standing(0, a).word, std::nullopt) << "what it said belongs to an earlier round";
  EXPECT_EQ(standing(0, a).agreed_in, 1U);
  EXPECT_FALSE(standing(0, b).is_asked);
  EXPECT_TRUE(standing(1, b).is_asked);
  floor.agree(0, a, standing(0, a).round);
  EXPECT_FALSE(standing(0, a).is_asked);
  ASSERT_TRUE(standing(1, a).is_asked) << "the other is asked to follow";
  floor.agree(1, a, standing(1, a).round);
  for (const std::size_t who : {0, 1}) floor.see(who, a, 3);
  fold.advance(floor.all());
  EXPECT_EQ(fold.state().decision, a);
}

TEST_F(Asked, NotByWhatOneselfOrNobodyAgreedTo) {
  floor.agree(0, a, 1);
  floor.agree(0, b, 2);
  EXPECT_GT(standing(0, a).round, 1U);
  floor.say(0, a, object, 3);
  floor.say(1, a, object, 3);
  EXPECT_FALSE(standing(0, a).is_asked) << "objections are no company";
  EXPECT_EQ(standing(0, a).word, object);
}

TEST_F(Asked, OnlyForWhatIsAgreedOrOnesOwn) {
  fold.advance(floor.logs);
  for (const ProposalStanding& open : fold.open_proposals(floor.logs)) {
    EXPECT_EQ(fold.own_standing(floor.logs, person(0).id, open).is_asked, open.id == a)
        << "nobody has cosigned the other's entry yet";
  }
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
  EXPECT_EQ(open.agreed_in,
            (std::map<MemberId, std::uint32_t>{{person(0).id, 1U}, {person(2).id, 3U}}));
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
