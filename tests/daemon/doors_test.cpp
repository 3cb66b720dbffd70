#include "tests/daemon/support/doors.hpp"

#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "storage/log_store.hpp"

namespace kith::daemon {
namespace {

TEST_F(Doors, WhatWasPublishedIsNotLoggedASecondTime) {
  const auto texts = signed_texts({record("one"), record("two")});
  ASSERT_TRUE(published(texts));
  const std::uint64_t size = log_size();
  EXPECT_EQ(refusal(texts), Errc::conflict);
  EXPECT_EQ(refusal({texts[1]}), Errc::conflict);
  EXPECT_EQ(log_size(), size);
  EXPECT_TRUE(published(signed_texts({record("two")}))) << "the same words in a new record";
}

TEST_F(Doors, AReplayIsRefusedAlsoBeforeTheViewsKnowTheFirst) {
  const auto texts = signed_texts({record("one")});
  desk_.views_wait = true;
  ASSERT_TRUE(published(texts));
  EXPECT_EQ(refusal(texts), Errc::conflict);
  desk_.release_views();
  desk_.run();
  EXPECT_EQ(refusal(texts), Errc::conflict);
}

TEST_F(Doors, TheSameRecordTwiceInOneActIsRefused) {
  const Bytes twice = record("one");
  EXPECT_EQ(refusal(signed_texts({twice, twice})), Errc::conflict);
}

TEST_F(Doors, OnlyWhatPeopleMaySayIsLogged) {
  const auto size = log_size();
  const auto form = [](const std::string& lines) {
    return to_bytes(view("---\n" + lines + "---\n\ntext\n"));
  };
  EXPECT_EQ(refusal(signed_texts({record("practice", form("kind: practice\ntitle: Half\n"))})),
            Errc::malformed)
      << "a form without its fields";
  EXPECT_EQ(refusal(signed_texts({record("practice", to_bytes(view("# A text\n\ntext\n")))})),
            Errc::malformed)
      << "a document of another kind than its record";
  EXPECT_EQ(refusal(signed_texts({record("keygrant", Bytes(8))})), Errc::forbidden)
      << "what only the daemon says";
  EXPECT_EQ(refusal(signed_texts({record("invented", Bytes(8))})), Errc::forbidden);
  auto forged = signed_texts({record("forged")});
  auto parsed = decode_text(forged[0]);
  std::get<SignedRecord>(*parsed).signature.bytes[0] ^= 1;
  EXPECT_EQ(refusal({encode_text(std::move(*parsed))}), Errc::bad_signature);
  EXPECT_EQ(log_size(), size);
}

TEST_F(Doors, WhoPublishesALotIsToldHowFarItIs) {
  std::vector<Bytes> records;
  for (int i = 0; i < 600; ++i) records.push_back(record("entry " + std::to_string(i)));
  std::vector<local::Answer> answers;
  replica_->handle(1, local::PublishRequest{signed_texts(records)},
                   [&](local::Answer said) { answers.push_back(std::move(said)); });
  ASSERT_TRUE(desk_.step());  // They are checked.
  replica_->tick();
  desk_.run();
  replica_->tick();
  ASSERT_EQ(answers.size(), 2U) << "nothing is told any more once it is done";
  const auto* progress = std::get_if<local::Progress>(&answers[0]);
  ASSERT_NE(progress, nullptr);
  EXPECT_EQ(progress->done, 600U);
  EXPECT_EQ(progress->total, 600U);
  EXPECT_TRUE(std::holds_alternative<local::PublishAnswer>(answers[1]));
}

TEST_F(Doors, AnEnrolmentIsAnsweredOnceItCounts) {
  const PublicKey author = SigningKey(Seed{{6}}).public_key();
  const auto enrolment = [&](std::uint32_t number, Scopes scopes) {
    return local::EnrolRequest{sign_enrolment(
        {me_.network, me_.member, number, author, scopes, steward_.public_key()}, steward_)};
  };
  std::optional<local::Answer> first;
  replica_->handle(1, enrolment(1, 1), [&](local::Answer said) { first = std::move(said); });
  // Before the first counts nobody knows which number comes next.
  const auto second = ask(enrolment(1, 0));
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(std::holds_alternative<local::EnrolAnswer>(*first));
  ASSERT_TRUE(std::holds_alternative<local::Refusal>(second));
  EXPECT_EQ(std::get<local::Refusal>(second).code, Errc::unavailable);
  EXPECT_TRUE(std::holds_alternative<local::EnrolAnswer>(ask(enrolment(2, 0))));
  EXPECT_EQ(std::get<local::StatusAnswer>(ask(local::StatusRequest{})).bad, 0U);
}

TEST_F(Doors, WhatIsPublishedBehindAWithdrawalIsJudgedByIt) {
  const SigningKey author(Seed{{6}});
  const auto enrolment = [&](std::uint32_t number, Scopes scopes) {
    return local::EnrolRequest{sign_enrolment(
        {me_.network, me_.member, number, author.public_key(), scopes, steward_.public_key()},
        steward_)};
  };
  ASSERT_TRUE(std::holds_alternative<local::EnrolAnswer>(ask(enrolment(1, 1))));
  Record by_author = *decode_record(record("late"));
  by_author.author = author.public_key();
  const LogId log = log_id(me_.network, me_.member, commons);
  const Bytes text = encode_text(sign_batch(me_.network, log, {encode(by_author)}, author).front());
  const std::uint64_t size = log_size();
  replica_->handle(1, enrolment(2, 0), [](const local::Answer&) {});
  EXPECT_EQ(refusal({text}), Errc::forbidden);
  EXPECT_EQ(log_size(), size + 1) << "the withdrawal alone";
}

TEST_F(Doors, WhoWatchesAndDoesNotReadIsToldTheRestLater) {
  std::size_t told = 0;
  replica_->handle(7, local::WatchRequest{0}, [&](const local::Answer& said) {
    ASSERT_TRUE(std::holds_alternative<local::WatchAnswer>(said));
    if (++told == 3) desk_.behind.insert(7);
  });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(published(signed_texts({record("a")})));
  EXPECT_EQ(told, 3U);
  desk_.behind.clear();
  replica_->client_caught_up(7);
  EXPECT_EQ(told, 10U);
  replica_->client_caught_up(8);  // Nobody.
}

TEST_F(Doors, WhoWatchesIsToldOfTheEnd) {
  std::vector<local::Answer> told;
  replica_->handle(7, local::WatchRequest{0},
                   [&](local::Answer said) { told.push_back(std::move(said)); });
  replica_->end_watches();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(std::get<local::Refusal>(told[0]).code, Errc::unavailable);
  ASSERT_TRUE(published(signed_texts({record("a")})));
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(Doors, AWordIsAnsweredOnceItCounts) {
  const DhSecret transport{{7}};
  const auto basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
  std::optional<local::ProposalsAnswer> seen;
  replica_->handle(1, local::PublishRequest{admission(candidate(transport), basis)},
                   [&](const local::Answer& said) {
                     ASSERT_TRUE(std::holds_alternative<local::PublishAnswer>(said));
                     replica_->handle(2, local::ProposalsRequest{}, [&](const local::Answer& open) {
                       seen = std::get<local::ProposalsAnswer>(open);
                     });
                   });
  desk_.run();
  ASSERT_TRUE(seen.has_value());
  ASSERT_EQ(seen->proposals.size(), 1U) << "whoever asks at once finds it";
  EXPECT_TRUE(seen->proposals[0].ours_given());
  const auto after = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{}));
  EXPECT_TRUE(after.proposals.empty());
  EXPECT_NE(after.basis, basis) << "the founder alone decides";
}

TEST_F(Doors, AnInvitationSaysWhereTheSponsorIs) {
  const auto named = ask(local::InviteRequest{{"other.example:1"}});
  EXPECT_EQ(decode_invitation(std::get<local::InviteAnswer>(named).invitation)->addresses,
            std::vector<std::string>{"other.example:1"});
  const auto own = ask(local::InviteRequest{});
  EXPECT_EQ(decode_invitation(std::get<local::InviteAnswer>(own).invitation)->addresses,
            profile_of("ZZA").addresses);
  for (const char* wrong : {"nowhere", "host:0", "host:99999"}) {
    EXPECT_TRUE(std::holds_alternative<local::Refusal>(ask(local::InviteRequest{{wrong}})))
        << wrong;
  }
}

TEST_F(Doors, WhoWasAdmittedInTimeMayComeForTheKeysLater) {
  const Key32 invitation = invite();
  const DhSecret transport{{7}};
  const auto newcomer = candidate(transport);
  connect(1, invitation, transport);
  say(1, newcomer);
  replica_->peer_lost(1);
  const auto basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
  ASSERT_TRUE(published(admission(newcomer, basis)));
  desk_.clock += limits::invitation_ms + 1;
  replica_->tick();
  desk_.run();
  ASSERT_EQ(replica_->candidates(dh_public(transport)).size(), 3U) << "its invitation is tried";
  connect(2, invitation, transport);
  say(2, newcomer);
  const auto said = peer::decode_message(desk_.sent.at(2).back());
  ASSERT_TRUE(said);
  EXPECT_TRUE(std::holds_alternative<peer::JoinGranted>(*said));

  desk_.clock += limits::invitation_ms;
  EXPECT_EQ(replica_->candidates(dh_public(transport)).size(), 2U) << "but not for ever";
}

/// A daemon that begins anew with its views to rebuild and much of others to judge before.
class Rebuilding : public Doors {
 protected:
  Rebuilding() {
    connect(1, invite(), transport_);
    say(1, newcomer_);
    EXPECT_EQ(waiting(), 1U);
    const auto before = desk_.log().read();
    EXPECT_TRUE(published(admission(
        newcomer_, std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis)));
    EXPECT_EQ(waiting(), 0U);

    // The candidate's row was not erased yet when the machine stopped.
    const auto txn = desk_.disk().write();
    Bytes key;
    while (const auto row = before->at_or_after(storage::Table::waiting, key)) {
      txn->put(storage::Table::waiting, row->key, row->value);
      key = to_bytes(row->key);
      key.push_back(0);
    }
    const LogId others{{0}};
    storage::log_store::create(*txn, others, MemberId{{1}}, commons);
    const Bytes payload(72 + 64);
    const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1, payload));
    const std::vector<storage::NewEntry> entries(4'096, {view(leaf), BytesView(payload)});
    EXPECT_TRUE(storage::log_store::append(*txn, others, 0, entries));
    txn->commit();
  }
  void restart() {
    replica_.reset();
    desk_.lose_views();
    replica_ = std::make_unique<Replica>(me_, Replica::Options{}, desk_.marks, desk_);
  }
  /// What is answered at once, in the middle of whatever is under way.
  template <class Wanted>
  Wanted now(local::Request request) {
    std::optional<local::Answer> answer;
    replica_->handle(1, std::move(request), [&](local::Answer said) { answer = std::move(said); });
    return std::get<Wanted>(*answer);
  }

  DhSecret transport_{{7}};
  peer::JoinRequest newcomer_ = candidate(transport_);
};

TEST_F(Rebuilding, WhoIsAMemberIsNoCandidateHoweverMuchIsStillToBeJudged) {
  restart();
  while (now<local::StatusAnswer>(local::StatusRequest{}).members < 2) ASSERT_TRUE(desk_.step());
  EXPECT_EQ(now<local::ProposalsAnswer>(local::ProposalsRequest{}).candidates.size(), 0U);
}

TEST_F(Rebuilding, NobodyIsForgottenBeforeItIsKnownWhoWasAdmitted) {
  desk_.clock += limits::invitation_ms + 1;
  restart();
  replica_->tick();
  desk_.run();
  EXPECT_EQ(replica_->candidates(dh_public(transport_)).size(), 3U)
      << "it was admitted in time and may come for its keys";
}

TEST_F(Doors, OneInvitationBringsOneCandidateHoweverManyCertificatesCome) {
  const Key32 invitation = invite();
  const DhSecret transport{{7}};
  connect(1, invitation, transport);
  const auto first = candidate(transport);
  say(1, first);
  say(1, first);
  EXPECT_FALSE(dropped(1)) << "the same request again is no offence";
  say(1, candidate(transport));
  EXPECT_TRUE(dropped(1));
  replica_->peer_lost(1);
  connect(2, invitation, transport);
  say(2, candidate(transport));
  EXPECT_TRUE(dropped(2)) << "nor on another connection";
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(Doors, AnInvitationThatSomebodyUsedServesNobodyElse) {
  const Key32 invitation = invite();
  const DhSecret transport{{7}};
  connect(1, invitation, transport);
  say(1, candidate(transport));
  ASSERT_EQ(replica_->candidates(dh_public(transport)).size(), 3U);
  EXPECT_EQ(replica_->candidates(dh_public(DhSecret{{8}})).size(), 2U)
      << "its key is not tried for another static";
}

TEST_F(Doors, ACandidateShowsTheCertificateOfItsOwnConnection) {
  connect(1, invite(), DhSecret{{7}});
  say(1, candidate(DhSecret{{8}}));
  EXPECT_TRUE(dropped(1));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Doors, InvitationsAreBoundedAndExpiredOnesGiveWay) {
  for (std::size_t i = 0; i < limits::invitations_max; ++i) (void)invite();
  EXPECT_TRUE(std::holds_alternative<local::Refusal>(ask(local::InviteRequest{})));
  desk_.clock += limits::invitation_ms + 1;
  EXPECT_TRUE(std::holds_alternative<local::InviteAnswer>(ask(local::InviteRequest{})));
}

TEST_F(Doors, AMemberWithANewKeyShowsANewerCertificateForIt) {
  const SigningKey identity(Seed{{9}});
  const DhSecret before{{7}};
  const DhSecret now{{8}};
  const auto basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
  ASSERT_TRUE(published(admission({certified(identity, 100, before), profile_of("ZZB")}, basis)));
  const auto admitted = [&](const DhSecret& transport, const Bytes& certificate) {
    channel::Hello hello;
    hello.certificate = certificate;
    const auto tried = replica_->candidates(dh_public(transport));
    return std::ranges::any_of(tried, [&](const channel::Candidate& candidate) {
      return replica_->admit(dh_public(transport), candidate, hello);
    });
  };
  EXPECT_TRUE(admitted(before, {})) << "as it was admitted";
  EXPECT_FALSE(admitted(now, {}));
  EXPECT_FALSE(admitted(now, certified(identity, 101, before))) << "a certificate of another key";
  EXPECT_FALSE(admitted(now, certified(identity, 99, now))) << "an older one";
  EXPECT_TRUE(admitted(now, certified(identity, 101, now)));
  EXPECT_TRUE(admitted(now, {})) << "it is known from then on";
  EXPECT_FALSE(admitted(before, certified(identity, 100, before)))
      << "and the older one is replaced";
}

TEST_F(Doors, OneInvitationHoldsOneConnection) {
  const Key32 invitation = invite();
  for (PeerId peer = 1; peer <= 5; ++peer) {
    connect(peer, invitation, DhSecret{{static_cast<std::uint8_t>(peer)}});
    EXPECT_FALSE(dropped(peer));
    EXPECT_EQ(dropped(peer - 1), peer > 1);
  }
  const Key32 another = invite();
  connect(6, another, DhSecret{{6}});
  EXPECT_FALSE(dropped(5)) << "the conversations of two invitations do not meet";
}

}  // namespace
}  // namespace kith::daemon
