#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "tests/protocol/governance/builders.hpp"

namespace kith {
namespace {

using testing::admit;
using testing::founding;
using testing::network_of;
using testing::part;
using testing::pause;
using testing::person;
using testing::test_id;

std::optional<NetworkState> done(const NetworkState& before, std::vector<Effect> effects) {
  return apply(before, test_id("decision"), Proposal{before.decision, std::move(effects)});
}

Resume resume(std::size_t who) { return {person(who).id}; }

Charter charter_named(std::string name) {
  Charter charter;
  charter.name = std::move(name);
  return charter;
}

TEST(Effects, AdmitAddsTheMemberWithItsKeysAndItsDecision) {
  const auto after = done(network_of(1), {admit(1)});
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->decision, test_id("decision"));
  ASSERT_EQ(after->members.size(), 2U);
  const MemberState& member = after->members.at(person(1).id);
  EXPECT_EQ(member.certificate, person(1).certificate);
  EXPECT_EQ(member.certificate_statement, person(1).statement);
  EXPECT_EQ(member.profile, person(1).profile);
  EXPECT_EQ(member.admitted_by, test_id("decision"));
  EXPECT_FALSE(member.paused);
  EXPECT_EQ(after->members.at(person(0).id).admitted_by, founding());
}

TEST(Effects, OneProposalAdmitsSeveral) {
  const auto after = done(network_of(1), {admit(1), admit(2), admit(3)});
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->electors().size(), 4U);
}

TEST(Effects, PartRemovesAndRemembersAndReadmissionForgets) {
  const auto parted = done(network_of(2), {part(1)});
  ASSERT_TRUE(parted.has_value());
  EXPECT_FALSE(parted->members.contains(person(1).id));
  EXPECT_TRUE(parted->parted.contains(person(1).id));

  const auto back = done(*parted, {admit(1)});
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(back->members.contains(person(1).id));
  EXPECT_FALSE(back->parted.contains(person(1).id));
}

TEST(Effects, PauseTakesTheVoteAndTheWitnessingAndResumeGivesBoth) {
  const auto paused = done(network_of(3), {pause(1)});
  ASSERT_TRUE(paused.has_value());
  EXPECT_EQ(paused->members.size(), 3U);
  EXPECT_EQ(paused->electors().size(), 2U);
  EXPECT_EQ(paused->commons_witnesses(person(0).id), std::vector{person(2).id});
  EXPECT_EQ(paused->commons_witnesses(person(1).id).size(), 2U);

  const auto resumed = done(*paused, {resume(1)});
  ASSERT_TRUE(resumed.has_value());
  EXPECT_EQ(resumed->electors().size(), 3U);
}

TEST(Effects, APausedMemberCanBeParted) {
  const auto paused = done(network_of(2), {pause(1)});
  ASSERT_TRUE(paused.has_value());
  EXPECT_TRUE(done(*paused, {part(1)}).has_value());
}

TEST(Effects, ACharterReplacesTheCharter) {
  const auto after = done(network_of(1), {ChangeCharter{charter_named("new")}});
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->charter.name, "new");
}

TEST(Effects, EffectsAreDoneInOrderSoThatALoneMemberCanHandOver) {
  const auto after = done(network_of(1), {admit(1), part(0)});
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->electors(), std::vector{person(1).id});
}

TEST(Effects, AnotherBasisIsVoid) {
  EXPECT_FALSE(apply(network_of(2), test_id("x"), Proposal{test_id("other"), {pause(1)}}));
}

TEST(Effects, NoEffectIsVoid) {
  const NetworkState state = network_of(2);
  EXPECT_FALSE(done(state, {}));
  EXPECT_FALSE(done(state, {ChangeCharter{state.charter}}));
  EXPECT_FALSE(done(state, {resume(1)}));
  EXPECT_FALSE(done(state, {admit(1)}));
  EXPECT_FALSE(done(*done(state, {pause(1)}), {pause(1)}));
}

TEST(Effects, OneIdleEffectMakesAllVoid) {
  EXPECT_FALSE(done(network_of(2), {admit(2), resume(1)}));
}

TEST(Effects, AnUnknownSubjectIsVoid) {
  EXPECT_FALSE(done(network_of(2), {part(9)}));
  EXPECT_FALSE(done(network_of(2), {pause(9)}));
  EXPECT_FALSE(done(network_of(2), {resume(9)}));
}

TEST(Effects, ARepeatedSubjectIsVoid) {
  EXPECT_FALSE(done(network_of(2), {admit(2), admit(2)}));
  EXPECT_FALSE(done(network_of(3), {pause(1), part(1)}));
  EXPECT_FALSE(done(network_of(3), {part(1), admit(1)}));
  EXPECT_FALSE(
      done(network_of(1), {ChangeCharter{charter_named("a")}, ChangeCharter{charter_named("b")}}));
}

TEST(Effects, ACertificateThatFailsIsVoid) {
  Admit forged = admit(1);
  forged.certificate.back() ^= 1;
  EXPECT_FALSE(done(network_of(1), {forged}));
  EXPECT_FALSE(done(network_of(1), {Admit{{}, person(1).profile}}));

  const NetworkId other = NetworkId::from(test_id("another network").view());
  EXPECT_FALSE(done(network_of(1), {Admit{testing::statement_for(1, other), {}}}));
}

TEST(Effects, NoElectorLeftIsVoid) {
  EXPECT_FALSE(done(network_of(1), {part(0)}));
  EXPECT_FALSE(done(network_of(1), {pause(0)}));
  EXPECT_FALSE(done(network_of(2), {part(0), pause(1)}));
  EXPECT_FALSE(done(*done(network_of(2), {pause(1)}), {part(0)}));
}

TEST(Effects, TooManyEffectsAreVoid) {
  std::vector<Effect> effects(limits::effects_max + 1, Effect{pause(1)});
  EXPECT_FALSE(done(network_of(2), effects));
}

TEST(Rules, TheStrictestEffectDecides) {
  Charter charter;
  charter.admit = {Rule::Form::k_of_n, 3};
  charter.part = {Rule::Form::all, 0};
  charter.charter = {Rule::Form::k_of_n, 5};
  const auto strictest = [&](std::vector<Effect> effects) {
    return strictest_rule(charter, Proposal{founding(), std::move(effects)});
  };
  EXPECT_EQ(strictest({pause(1), resume(2)}), Rule{});
  EXPECT_EQ(strictest({pause(1), admit(2)}), charter.admit);
  EXPECT_EQ(strictest({ChangeCharter{}, admit(2)}), charter.charter);
  EXPECT_EQ(strictest({admit(2), ChangeCharter{}}), charter.charter);
  EXPECT_EQ(strictest({part(1), ChangeCharter{}, admit(2)}), charter.part);
}

TEST(Rules, PausingAndResumingNeedAMajorityWhateverTheCharterSays) {
  const Rule all{Rule::Form::all, 0};
  const Charter charter{"", "", all, all, all, all, all};
  EXPECT_EQ(strictest_rule(charter, {founding(), {pause(1), resume(2)}}), Rule{});
}

}  // namespace
}  // namespace kith
