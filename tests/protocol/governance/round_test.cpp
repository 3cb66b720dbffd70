#include "protocol/governance/round.hpp"

#include <gtest/gtest.h>

#include <random>

namespace kith {
namespace {

constexpr auto object = Said::What::object;
constexpr auto aside = Said::What::stand_aside;
constexpr auto agree = Said::What::agree;
constexpr auto seen = Said::What::seen;

MemberId member(int number) {
  MemberId id;
  id.bytes[0] = static_cast<std::uint8_t>(number);
  return id;
}
RecordId proposal(int number) {
  RecordId id;
  id.bytes[0] = static_cast<std::uint8_t>(number);
  return id;
}
const RecordId p = proposal(1);
const RecordId q = proposal(2);

/// Members 1..count, and questions p and q under one rule.
struct Table {
  explicit Table(int count, Rule rule = {}) {
    for (int i = 1; i <= count; ++i) electors.push_back(member(i));
    questions[p] = {rule, {}};
    questions[q] = {rule, {}};
  }
  void say(int who, Said::What what, const RecordId& id, std::uint32_t round = 1) {
    sayings[member(who)].push_back({what, id, round});
  }
  [[nodiscard]] Outcome outcome(const RoundRules& rules = {}) const {
    return judge(electors, questions, sayings, rules);
  }
  [[nodiscard]] bool passes(const RecordId& id, std::uint32_t round = 1) const {
    const auto passed = outcome().passed;
    return passed.contains(round) && passed.at(round) == id;
  }

  std::vector<MemberId> electors;
  Questions questions;
  Sayings sayings;
};

TEST(Rounds, NothingSaidDecidesNothing) {
  const Outcome outcome = Table(3).outcome();
  EXPECT_TRUE(outcome.passed.empty());
  EXPECT_TRUE(outcome.decided.empty());
  EXPECT_EQ(outcome.counts.size(), 2U);
}

TEST(Rounds, AMajorityIsMoreThanHalf) {
  Table four(4);
  four.say(1, agree, p);
  four.say(2, agree, p);
  EXPECT_FALSE(four.passes(p));
  four.say(3, agree, p);
  EXPECT_TRUE(four.passes(p));
}

TEST(Rounds, PassedIsDecidedOnlyBySeensOfMoreThanHalf) {
  Table three(3);
  three.say(1, agree, p);
  three.say(2, agree, p);
  three.say(1, seen, p);
  EXPECT_TRUE(three.outcome().decided.empty());
  three.say(3, seen, p);  // Whoever saw it may say so, also without having agreed.
  EXPECT_EQ(three.outcome().decided, std::set{p});
}

TEST(Rounds, ASeenOfWhatDidNotPassCountsForNothing) {
  Table three(3);
  for (const int who : {1, 2, 3}) three.say(who, seen, p);
  EXPECT_TRUE(three.outcome().decided.empty());
}

TEST(Rounds, SeensOfDifferentRoundsAreNotAddedUp) {
  Table three(3);
  for (const int who : {1, 2, 3}) three.say(who, agree, p, 1);
  for (const int who : {1, 2}) three.say(who, agree, p, 2);
  three.say(3, seen, p, 1);
  three.say(1, seen, p, 2);
  EXPECT_TRUE(three.outcome().decided.empty());
  three.say(2, seen, p, 2);
  EXPECT_EQ(three.outcome().decided, std::set{p});
}

TEST(Rounds, AgreementsOfDifferentRoundsAreNotAMajority) {
  Table three(3);
  three.say(1, agree, p, 1);
  three.say(2, agree, p, 2);
  EXPECT_TRUE(three.outcome().passed.empty());
}

TEST(Rounds, TheFirstAgreementOfARoundIsTheOnlyOneThere) {
  Table three(3);
  three.say(1, agree, q);
  three.say(1, agree, p);
  three.say(2, agree, p);
  EXPECT_FALSE(three.passes(p));
  three.say(1, agree, p, 2);
  three.say(2, agree, p, 2);
  EXPECT_TRUE(three.passes(p, 2));
}

TEST(Rounds, AfterAHigherRoundALowerOneCountsNoMore) {
  Table three(3);
  three.say(1, agree, q, 2);
  three.say(1, agree, p, 1);
  three.say(2, agree, p, 1);
  EXPECT_FALSE(three.passes(p, 1));
}

TEST(Rounds, AfterAHigherSeenALowerRoundCountsNoMore) {
  Table three(3);
  three.say(1, seen, p, 2);
  three.say(1, agree, p, 1);
  three.say(2, agree, p, 1);
  EXPECT_FALSE(three.passes(p, 1));
}

TEST(Rounds, ALateSeenOfALowerRoundCountsNoMore) {
  Table three(3);
  for (const int who : {1, 2}) three.say(who, agree, p, 1);
  three.say(1, seen, p, 1);
  three.say(2, agree, p, 2);
  three.say(2, seen, p, 1);
  EXPECT_TRUE(three.outcome().decided.empty());
}

TEST(Rounds, AWordInALowerRoundStillCountsForAllAndForK) {
  for (const Rule rule : {Rule{Rule::Form::all, 0}, Rule{Rule::Form::k_of_n, 3}}) {
    Table three(3, rule);
    for (const int who : {1, 2}) three.say(who, agree, p, 2);
    three.say(3, agree, q, 2);
    EXPECT_FALSE(three.passes(p, 2));
    three.say(3, agree, p, 1);
    EXPECT_TRUE(three.passes(p, 2));
  }
}

TEST(Rounds, KOfNAsksForKAgreementsOfAnyRound) {
  Table five(5, {Rule::Form::k_of_n, 4});
  for (const int who : {1, 2, 3}) five.say(who, agree, p);
  five.say(4, aside, p);
  EXPECT_FALSE(five.passes(p));
  five.say(4, agree, p, 7);
  EXPECT_TRUE(five.passes(p, 1));
}

TEST(Rounds, KOfNMeansAllIfFewerAreLeft) {
  Table two(2, {Rule::Form::k_of_n, 4});
  two.say(1, agree, p);
  EXPECT_FALSE(two.passes(p));
  two.say(2, agree, p);
  EXPECT_TRUE(two.passes(p));
}

TEST(Rounds, ASmallKDoesNotReplaceTheMajority) {
  Table five(5, {Rule::Form::k_of_n, 2});
  for (const int who : {1, 2}) five.say(who, agree, p);
  EXPECT_FALSE(five.passes(p));
  five.say(3, agree, p);
  EXPECT_TRUE(five.passes(p));
}

TEST(Rounds, AllWaitsForEveryoneToAgreeOrStandAside) {
  Table three(3, {Rule::Form::all, 0});
  for (const int who : {1, 2}) three.say(who, agree, p);
  EXPECT_FALSE(three.passes(p));
  three.say(3, aside, p, 9);
  EXPECT_TRUE(three.passes(p));
}

TEST(Rounds, AllStillAsksForMoreThanHalfInOneRound) {
  Table four(4, {Rule::Form::all, 0});
  for (const int who : {1, 2}) four.say(who, agree, p);
  for (const int who : {3, 4}) four.say(who, aside, p);
  EXPECT_FALSE(four.passes(p));
}

TEST(Rounds, AllDoesNotWaitForTheSubject) {
  Table three(3, {Rule::Form::all, 0});
  three.questions[p].subjects = {member(3)};
  for (const int who : {1, 2}) {
    three.say(who, agree, p);
    three.say(who, agree, q, 2);
  }
  EXPECT_TRUE(three.passes(p));
  EXPECT_FALSE(three.passes(q, 2));
}

TEST(Rounds, TheSubjectMayAgreeToItsOwnParting) {
  Table two(2, {Rule::Form::all, 0});
  two.questions[p].subjects = {member(2)};
  two.say(1, agree, p);
  EXPECT_FALSE(two.passes(p)) << "one of two is no majority";
  two.say(2, agree, p);
  EXPECT_TRUE(two.passes(p));
}

TEST(Rounds, AnObjectionIsSilence) {
  Table two(2, {Rule::Form::all, 0});
  two.say(1, agree, p);
  two.say(2, object, p);
  EXPECT_FALSE(two.passes(p));
  two.say(2, agree, p);
  EXPECT_TRUE(two.passes(p));
  two.say(1, object, p);
  EXPECT_TRUE(two.passes(p)) << "a later objection takes nothing back";
}

TEST(Rounds, ObjectingAndStandingAsideLeaveNoRound) {
  Table two(2);
  two.say(1, object, q, 5);
  two.say(1, aside, q, 6);
  two.say(1, agree, p, 1);
  two.say(2, agree, p, 1);
  EXPECT_TRUE(two.passes(p));
}

TEST(Rounds, StandingAsideIsNoAgreement) {
  Table two(2);
  two.say(1, agree, p);
  two.say(2, aside, p);
  EXPECT_FALSE(two.passes(p));
}

TEST(Rounds, ASeenHoldsBackALaterAgreementToAnother) {
  Table three(3);
  three.say(1, agree, p);
  three.say(2, agree, p);
  three.say(1, seen, p);
  three.say(1, agree, q, 2);
  three.say(3, agree, q, 2);
  EXPECT_FALSE(three.passes(q, 2));
  EXPECT_EQ(three.outcome().counts.at(q).agreed_ever.size(), 2U);
}

TEST(Rounds, ASeenDoesNotHoldBackAnAgreementToTheSame) {
  Table three(3);
  three.say(1, seen, p);
  three.say(1, agree, p, 2);
  three.say(2, agree, p, 2);
  EXPECT_TRUE(three.passes(p, 2));
}

TEST(Rounds, TheLockOpensWhenTheOtherPassedInBetween) {
  Table five(5);
  for (const int who : {1, 2, 3}) five.say(who, agree, p, 1);
  five.say(1, seen, p, 1);
  for (const int who : {2, 4, 5}) five.say(who, agree, q, 2);
  five.say(1, agree, q, 3);
  const Outcome outcome = five.outcome();
  EXPECT_EQ(outcome.passed.at(2), q);
  EXPECT_TRUE(outcome.counts.at(q).agreed.at(3).contains(member(1)));
}

TEST(Rounds, TheLockStaysWhenTheOtherPassedInTheSameRoundOnly) {
  Table five(5);
  for (const int who : {1, 2, 3}) five.say(who, agree, p, 1);
  five.say(1, seen, p, 1);
  for (const int who : {2, 4, 5, 1}) five.say(who, agree, q, 2);
  EXPECT_FALSE(five.outcome().counts.at(q).agreed.at(2).contains(member(1)));
}

TEST(Rounds, TheHighestOfSeveralSeensIsTheLock) {
  Table five(5);
  const RecordId other = proposal(3);
  five.questions[other] = {};
  five.say(1, seen, other, 1);
  five.say(1, seen, p, 4);
  five.say(1, seen, other, 3);
  for (const int who : {2, 4, 5}) five.say(who, agree, q, 2);
  five.say(1, agree, q, 5);
  EXPECT_FALSE(five.outcome().counts.at(q).agreed.contains(5));

  // For p itself only the Seens of `other` stand in the way, and p passed above them.
  for (const int who : {2, 4, 5}) five.say(who, agree, p, 4);
  five.say(1, agree, p, 6);
  EXPECT_TRUE(five.outcome().counts.at(p).agreed.at(6).contains(member(1)));
}

/// Any log at all: what liars and honest members could write on one basis.
Table any_table(std::mt19937_64& random) {
  const int members = random() % 2 == 0 ? 3 : 4;
  Table table(members);
  for (int who = 1; who <= members; ++who) {
    const std::size_t length = random() % 7;
    for (std::size_t i = 0; i < length; ++i) {
      table.say(who, random() % 2 == 0 ? agree : seen, random() % 2 == 0 ? p : q,
                1 + static_cast<std::uint32_t>(random() % 3));
    }
  }
  return table;
}

std::size_t tables_with_two_decided(const RoundRules& rules) {
  std::mt19937_64 random(7);
  std::size_t found = 0;
  for (int i = 0; i < 200'000; ++i) found += any_table(random).outcome(rules).decided.size() > 1;
  return found;
}

TEST(Rounds, WhateverTheLogsSayNoTwoAreDecided) { EXPECT_EQ(tables_with_two_decided({}), 0U); }

TEST(Rounds, WithoutTheLockOfSeensTwoAreDecided) {
  EXPECT_GT(tables_with_two_decided({.seen_locks = false}), 0U);
}

TEST(Rounds, IfLowerRoundsWentOnCountingTwoWouldBeDecided) {
  EXPECT_GT(tables_with_two_decided({.rounds_only_rise = false}), 0U);
}

TEST(Rounds, AddingAWordTakesNothingBack) {
  std::mt19937_64 random(11);
  std::size_t decisions = 0;
  for (int i = 0; i < 20'000; ++i) {
    Table table = any_table(random);
    const Outcome full = table.outcome();
    auto& log = table.sayings[member(1)];
    if (log.empty()) continue;
    log.pop_back();
    const Outcome part = table.outcome();
    for (const auto& [round, passed] : part.passed) ASSERT_EQ(full.passed.at(round), passed);
    if (part.decided.empty()) continue;
    ASSERT_EQ(full.decided, part.decided);
    ++decisions;
  }
  EXPECT_GT(decisions, 10U);
}

}  // namespace
}  // namespace kith
