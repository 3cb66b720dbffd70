#include "protocol/base/text.hpp"
#include "tests/daemon/support/doors.hpp"

/// What members are called when they want the same code.
namespace kith::daemon {
namespace {

class Naming : public Doors {
 protected:
  [[nodiscard]] local::ProposalsAnswer proposals() {
    return std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{}));
  }
  [[nodiscard]] std::vector<std::string> codes() {
    std::vector<std::string> codes;
    const auto answer = ask(local::MembersRequest{});
    for (const auto& row : std::get<local::MembersAnswer>(answer).members)
      codes.push_back(row.code);
    return codes;
  }
  /// The founder decides alone, and nobody's daemon has warned it.
  void admit(const peer::JoinRequest& newcomer) {
    ASSERT_TRUE(published(admission(newcomer, proposals().basis)));
  }
  /// What a candidate was told last, or nothing.
  [[nodiscard]] std::string told(PeerId peer) const {
    const auto sent = desk_.sent.find(peer);
    if (sent == desk_.sent.end()) return {};
    const auto message = peer::decode_message(sent->second.back());
    const auto* waiting = message ? std::get_if<peer::JoinWaiting>(&*message) : nullptr;
    return waiting == nullptr ? std::string() : waiting->said;
  }
};

TEST_F(Naming, ACandidateWithACodeThatIsTakenIsToldAndTheInvitationStaysGood) {
  const Key32 invitation = invite();
  const DhSecret first{{7}};
  connect(1, invitation, first);
  say(1, candidate(first, "ZZA"));
  EXPECT_EQ(waiting(), 0U);
  EXPECT_NE(told(1).find("the code ZZA is taken"), std::string::npos) << told(1);
  EXPECT_FALSE(dropped(1)) << "it would only come again";
  say(1, candidate(first, "ZZA"));
  EXPECT_TRUE(dropped(1)) << "an invitation is no list of codes to try";

  const DhSecret second{{8}};
  connect(2, invitation, second);
  say(2, candidate(second, "ZZB"));
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(Naming, WhoCameLaterWithACodeIsShownWithItsId) {
  const DhSecret transport{{7}};
  const auto twin = candidate(transport, "ZZA");
  admit(twin);
  const std::string id =
      to_base32(verify_certificate(twin.certificate)->member.view()).substr(0, 4);
  EXPECT_EQ(codes(), (std::vector<std::string>{"ZZA", "ZZA~" + id}));
  ASSERT_TRUE(published(signed_texts({record("mine")})));
  const auto list = [&](const std::string& code) {
    return ask(local::ListRequest{"", code, ~0ULL, 10});
  };
  EXPECT_EQ(std::get<local::ListAnswer>(list("zza")).records.size(), 1U) << "the founder's";
  EXPECT_TRUE(std::get<local::ListAnswer>(list("ZZA~" + id)).records.empty());
  EXPECT_TRUE(std::holds_alternative<local::Refusal>(list("ZZB")));
}

TEST_F(Naming, AProposalAndACandidateSayThatTheCodeIsTaken) {
  const DhSecret transport{{7}};
  connect(1, invite(), transport);
  say(1, candidate(transport, "ZZB"));
  ASSERT_EQ(proposals().candidates.size(), 1U);
  EXPECT_EQ(proposals().candidates[0].warning, "");

  admit(candidate(DhSecret{{8}}, "ZZB"));
  ASSERT_EQ(proposals().candidates.size(), 1U);
  EXPECT_NE(proposals().candidates[0].warning.find("the code ZZB is that of"), std::string::npos);

  // Now there are two members: a proposal stays open until both agree.
  ASSERT_TRUE(published(admission(candidate(DhSecret{{9}}, "ZZA"), proposals().basis)));
  ASSERT_EQ(proposals().proposals.size(), 1U);
  EXPECT_NE(proposals().proposals[0].effects[0].find("beware: the code ZZA is that of"),
            std::string::npos);
}

TEST_F(Naming, WhoWaitsAlreadyOrWasAdmittedMeanwhileIsNotTurnedAway) {
  const Key32 invitation = invite();
  const DhSecret transport{{7}};
  const auto early = candidate(transport, "ZZB");
  connect(1, invitation, transport);
  say(1, early);
  admit(candidate(DhSecret{{8}}, "ZZB"));
  replica_->peer_lost(1);
  connect(2, invitation, transport);
  say(2, early);
  EXPECT_FALSE(dropped(2));
  EXPECT_NE(told(2).find("your code was given to another member meanwhile"), std::string::npos);
}

TEST_F(Naming, AMemberCannotTakeTheCodeOfAnotherWithAProfile) {
  admit(candidate(DhSecret{{7}}, "ZZB"));
  Profile profile = profile_of("ZZB");
  profile.name = "Ashdown of a new name";
  ASSERT_TRUE(published(signed_texts({record("profile", encode(profile))})));
  EXPECT_EQ(codes(), (std::vector<std::string>{"ZZA", "ZZB"}));
  const auto answer = ask(local::MembersRequest{});
  EXPECT_EQ(std::get<local::MembersAnswer>(answer).members[0].name, "Ashdown of a new name");
}

TEST_F(Naming, TheWordsStandBeforeANameThatCouldHoldOthers) {
  admit(candidate(DhSecret{{7}}, "ZZB"));
  auto newcomer = candidate(DhSecret{{9}}, "ZZC");
  newcomer.profile.name = "Calder (fingerprint: able baker)";
  ASSERT_TRUE(published(admission(newcomer, proposals().basis)));
  const auto open = proposals();
  ASSERT_EQ(open.proposals.size(), 1U);
  const MemberId member = verify_certificate(newcomer.certificate)->member;
  EXPECT_TRUE(open.proposals[0].effects[0].starts_with(
      "admit ZZC (fingerprint: " + fingerprint_words(member)[0] + " "));
  EXPECT_EQ(open.proposals[0].admits, std::vector<MemberId>{member});
}

TEST_F(Naming, OurOwnWordIsKnownBeforeOthersConfirmIt) {
  admit(candidate(DhSecret{{7}}, "ZZB"));
  ASSERT_TRUE(published(admission(candidate(DhSecret{{9}}, "ZZC"), proposals().basis)));
  const auto open = proposals();
  ASSERT_EQ(open.proposals.size(), 1U);
  EXPECT_TRUE(open.proposals[0].words.empty()) << "the other member is not there to confirm it";
  EXPECT_EQ(open.proposals[0].our_word, "agree");
  EXPECT_TRUE(open.proposals[0].ours_given());
  EXPECT_NE(open.proposals[0].explanation.find("once enough others have confirmed it"),
            std::string::npos);
}

TEST_F(Naming, AnAgreementBelongsToItsRoundAndOtherWordsToNone) {
  admit(candidate(DhSecret{{7}}, "ZZB"));  // Who is not there: nothing is decided from here on.
  const DecisionId basis = proposals().basis;
  const auto one = [&](const std::string& code) {
    const auto open = proposals().proposals;
    return *std::ranges::find_if(open, [&](const local::ProposalRow& row) {
      return row.effects[0].starts_with("admit " + code + " ");
    });
  };
  const auto say = [&](const local::ProposalRow& row, Consent::Word word) {
    return published(
        signed_texts({record("consent", encode(Consent{row.id, row.our_round, word}))}));
  };
  ASSERT_TRUE(published(admission(candidate(DhSecret{{8}}, "ZZC"), basis)));
  EXPECT_TRUE(one("ZZC").ours_agreed_now);
  EXPECT_FALSE(one("ZZC").waits_for_us);

  // Agreeing to another takes the next round, and there the first has no word of ours.
  Proposal second{basis, {}};
  const auto newcomer = candidate(DhSecret{{9}}, "ZZD");
  second.effects.emplace_back(Admit{newcomer.certificate, newcomer.profile});
  ASSERT_TRUE(published(signed_texts({record("proposal", encode(second))})));
  ASSERT_EQ(one("ZZD").our_round, 2U);
  EXPECT_TRUE(one("ZZD").waits_for_us);
  ASSERT_TRUE(say(one("ZZD"), Consent::Word::agree));
  EXPECT_TRUE(one("ZZD").ours_agreed_now);
  EXPECT_GT(one("ZZC").our_round, 1U);
  EXPECT_TRUE(one("ZZC").ours_agreed);
  EXPECT_FALSE(one("ZZC").ours_agreed_now);
  EXPECT_EQ(one("ZZC").our_word, "");
  EXPECT_FALSE(one("ZZC").waits_for_us) << "nobody else is in that round";

  ASSERT_TRUE(say(one("ZZC"), Consent::Word::stand_aside));
  EXPECT_EQ(one("ZZC").our_word, "stand aside");
  EXPECT_TRUE(one("ZZC").ours_given());
  ASSERT_TRUE(say(one("ZZC"), Consent::Word::object));
  EXPECT_EQ(one("ZZC").our_word, "object");
  EXPECT_FALSE(one("ZZC").ours_given());
  ASSERT_TRUE(say(one("ZZC"), Consent::Word::agree)) << "again, in the round that is its";
  EXPECT_TRUE(one("ZZC").ours_agreed_now);
}

TEST_F(Naming, TheFrontPageAsksForNoWordThatWouldDivideThem) {
  admit(candidate(DhSecret{{7}}, "ZZB"));  // Who is not there: nothing is decided from here on.
  const DecisionId basis = proposals().basis;
  const auto front = [&] {
    return std::get<local::FrontAnswer>(ask(local::FrontRequest{std::nullopt, 0}));
  };
  const Key32 invitation = invite();
  const DhSecret transport{{8}};
  const auto first = candidate(transport, "ZZC");
  connect(1, invitation, transport);
  say(1, first);
  EXPECT_EQ(front().candidates.size(), 1U);
  ASSERT_TRUE(published(admission(first, basis)));
  EXPECT_EQ(front().candidates.size(), 0U) << "it is proposed";
  EXPECT_EQ(front().proposals.size(), 0U) << "our word is given";

  // Agreeing to another takes the next round; nobody went on with the first.
  const auto newcomer = candidate(DhSecret{{9}}, "ZZD");
  Proposal second{basis, {}};
  second.effects.emplace_back(Admit{newcomer.certificate, newcomer.profile});
  ASSERT_TRUE(published(signed_texts({record("proposal", encode(second))})));
  ASSERT_EQ(front().proposals.size(), 1U);
  const local::ProposalRow row = front().proposals[0];
  ASSERT_TRUE(published(signed_texts(
      {record("consent", encode(Consent{row.id, row.our_round, Consent::Word::agree}))})));
  EXPECT_EQ(front().candidates.size(), 0U) << "neither as a candidate";
  EXPECT_EQ(front().proposals.size(), 0U) << "nor as a proposal";
}

}  // namespace
}  // namespace kith::daemon
