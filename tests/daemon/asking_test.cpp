#include "daemon/waiting_rows.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/log/tile.hpp"
#include "protocol/log/witness.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/doors.hpp"

/// What happens before most of the others have said what they hold of our own log.
namespace kith::daemon {
namespace {

constexpr PeerId first_peer = 1;

class Asking : public Doors {
 protected:
  Asking() {
    for (std::uint8_t i = 0; i < 3; ++i) {
      const DhSecret transport{{static_cast<std::uint8_t>(16 * (i + 1))}};
      const auto newcomer = candidate(transport, "ZZ" + std::string(1, static_cast<char>('B' + i)));
      const auto basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
      EXPECT_TRUE(published(admission(newcomer, basis)));
      others_.push_back(*read_member(newcomer.certificate));
    }
    own_ = log_id(me_.network, me_.member, commons);
    // Whoever is admitted must have agreed before the next is: here the founder alone decides.
    EXPECT_EQ(std::get<local::MembersAnswer>(ask(local::MembersRequest{})).members.size(), 2U);
    others_.resize(1);
  }

  void restart(std::vector<std::string> not_asked = {}) {
    Replica::Options options;
    options.not_asked = std::move(not_asked);
    replica_ = std::make_unique<Replica>(me_, options, desk_.marks, desk_);
    desk_.sent.clear();
    desk_.run();
  }
  [[nodiscard]] local::PublishAnswer publish(const std::string& title) {
    const auto answer = ask(local::PublishRequest{signed_texts({record(title)})});
    const auto* published = std::get_if<local::PublishAnswer>(&answer);
    EXPECT_NE(published, nullptr);
    return published == nullptr ? local::PublishAnswer() : *published;
  }
  [[nodiscard]] bool signs() { return publish("Does it sign?").waiting.empty(); }
  [[nodiscard]] std::string state() {
    return std::get<local::StatusAnswer>(ask(local::StatusRequest{})).state_detail;
  }
  void connect_member(std::size_t other) {
    replica_->peer_connected({first_peer + other, false, others_[other], std::nullopt, {}, {}});
    desk_.run();
  }
  /// The other member says that it holds so many entries of our log, all of them ours.
  void answers(std::size_t other, std::uint64_t size) {
    const TreeHash root = storage::log_store::root_at(*desk_.log().read(), own_, size);
    say(first_peer + other, peer::Have{{{own_, size, root, 0, {}, false}}});
  }
  /// And shows the checkpoint that we signed.
  void announces(std::size_t other, std::uint64_t size) {
    const TreeHash root = storage::log_store::root_at(*desk_.log().read(), own_, size);
    say(first_peer + other,
        peer::Announce{own_, sign_checkpoint(own_, size, root, SigningKey(me_.log_key)), {}, {}});
  }
  /// The log of another, as its owner gives it.
  void push_one_entry(const LogId& theirs) {
    const Bytes payload(72 + 64, 1);
    const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1, payload));
    Bytes leaves;
    Bytes payloads;
    append_to_bundle(leaves, view(leaf));
    peer::append_payload(payloads, payload);
    CompactRange range;
    range.push(leaf_hash(view(leaf)));
    // Every key in the certificate of a candidate here is that of the steward.
    const std::string note = sign_checkpoint(theirs, 1, range.root(), steward_);
    say(first_peer, peer::Push{theirs, note, 0, leaves, payloads});
  }
  void tick() { wait(6'000); }
  void be_patient() { wait(limits::asking_patience_ms); }
  void wait(std::uint64_t ms) {
    desk_.monotonic += ms;
    desk_.clock += ms;
    replica_->tick();
    desk_.run();
  }

  std::vector<MemberId> others_;
  LogId own_;
};

TEST_F(Asking, WhatIsPublishedMeanwhileGoesOutOnceTheOthersHaveAnswered) {
  restart();
  const std::uint64_t size = log_size();
  const auto kept = publish("Kept");
  EXPECT_NE(kept.waiting.find("0 of 1 have answered"), std::string::npos) << kept.waiting;
  EXPECT_EQ(kept.size, 0U);
  EXPECT_EQ(log_size(), size);
  EXPECT_NE(state().find("1 act of publishing waits"), std::string::npos) << state();
  EXPECT_EQ(refusal(signed_texts({record("Kept")})), Errc::usage) << "another record may wait too";

  connect_member(0);
  EXPECT_EQ(log_size(), size) << "that it is there is no answer";
  answers(0, size);
  tick();
  EXPECT_EQ(log_size(), size + 2);
  EXPECT_TRUE(signs());
  EXPECT_EQ(state(), "");
}

TEST_F(Asking, WhatWaitsIsKeptAcrossRestartsAndPublishedOnce) {
  restart();
  const std::uint64_t size = log_size();
  const auto texts = signed_texts({record("Kept")});
  const auto answer = ask(local::PublishRequest{texts});
  EXPECT_FALSE(std::get<local::PublishAnswer>(answer).waiting.empty());
  EXPECT_EQ(refusal(texts), Errc::conflict) << "it waits already";
  restart();
  EXPECT_EQ(refusal(texts), Errc::conflict) << "and does so after a restart";
  connect_member(0);
  answers(0, size);
  tick();
  EXPECT_EQ(log_size(), size + 1);
  restart();
  connect_member(0);
  answers(0, size + 1);
  tick();
  EXPECT_EQ(log_size(), size + 1);
  EXPECT_EQ(state(), "");
}

TEST_F(Asking, WhatIsInTheLogAlreadyDoesNotWaitForEver) {
  // A backup of the database may bring back an act that was published since.
  restart();
  const auto texts = signed_texts({record("Kept")});
  EXPECT_FALSE(std::get<local::PublishAnswer>(ask(local::PublishRequest{texts})).waiting.empty());
  const auto row = desk_.log().read()->at_or_after(storage::Table::waiting, to_bytes(view("pub")));
  ASSERT_TRUE(row);
  const Bytes key = to_bytes(row->key);
  const Bytes value = to_bytes(row->value);
  const std::uint64_t size = log_size();
  connect_member(0);
  answers(0, size);
  tick();
  EXPECT_EQ(log_size(), size + 1);
  {
    const auto txn = desk_.disk().write();
    txn->put(storage::Table::waiting, key, value);
    txn->commit();
  }
  restart();
  EXPECT_NE(state().find("waits"), std::string::npos);
  connect_member(0);
  answers(0, size + 1);
  tick();
  EXPECT_EQ(log_size(), size + 1);
  EXPECT_EQ(state(), "");
  EXPECT_FALSE(desk_.log().read()->get(storage::Table::waiting, key));
}

TEST_F(Asking, ADamagedActIsPassedOverAndSaid) {
  restart();
  (void)publish("Kept");
  const auto row = desk_.log().read()->at_or_after(storage::Table::waiting, to_bytes(view("pub")));
  Bytes value = to_bytes(row->value);
  value[value.size() / 2] ^= 1;
  {
    const Bytes key = to_bytes(row->key);
    const auto txn = desk_.disk().write();
    txn->put(storage::Table::waiting, key, value);
    txn->commit();
  }
  const std::uint64_t size = log_size();
  restart();
  EXPECT_TRUE(std::ranges::any_of(desk_.lines, [](const std::string& line) {
    return line.find("damaged and is passed over") != std::string::npos;
  }));
  connect_member(0);
  answers(0, size);
  tick();
  EXPECT_EQ(log_size(), size);
  EXPECT_TRUE(signs());
}

TEST_F(Asking, KeepsNoMoreThanItsLimit) {
  restart();
  for (std::size_t i = 0; i < limits::waiting_acts_max; ++i) {
    ASSERT_FALSE(publish("Act " + std::to_string(i)).waiting.empty());
  }
  const auto answer = ask(local::PublishRequest{signed_texts({record("One too many")})});
  const auto* refused = std::get_if<local::Refusal>(&answer);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->code, Errc::unavailable);
  EXPECT_NE(refused->said.find("no more is kept"), std::string::npos);
}

TEST_F(Asking, MayBeOverruledByTheOperatorWhichIsNotedAndTold) {
  restart({"ZZC"});
  EXPECT_FALSE(signs()) << "that is somebody else";
  EXPECT_TRUE(desk_.trail.empty());
  restart({"ZZB"});
  be_patient();
  EXPECT_TRUE(signs());
  ASSERT_EQ(desk_.trail.size(), 1U);
  EXPECT_EQ(desk_.trail[0].first, "signing_unasked");
  EXPECT_EQ(desk_.trail[0].second, (TrailFields{{"not_waited_for", "ZZB"}}));
  connect_member(0);
  std::size_t told = 0;
  for (const Bytes& bytes : desk_.sent[first_peer]) {
    const auto message = peer::decode_message(bytes);
    const auto* unasked = std::get_if<peer::Unasked>(&*message);
    if (unasked == nullptr) continue;
    EXPECT_EQ(unasked->members, others_);
    ++told;
  }
  EXPECT_EQ(told, 1U);
  const auto members = std::get<local::MembersAnswer>(ask(local::MembersRequest{})).members;
  const auto own = std::ranges::find(members, true, &local::MemberRow::self);
  EXPECT_EQ(own->unasked, std::vector<std::string>{"ZZB"});
}

TEST_F(Asking, IsNotOverruledWhereThatCannotBeWrittenDown) {
  desk_.trail_fails = true;
  restart({"ZZB"});
  be_patient();
  EXPECT_FALSE(signs());
  desk_.trail_fails = false;
  be_patient();
  EXPECT_TRUE(signs());
}

TEST_F(Asking, ShowsWhomAnotherDidNotAsk) {
  connect_member(0);
  say(first_peer, peer::Unasked{{me_.member}});
  const auto members = std::get<local::MembersAnswer>(ask(local::MembersRequest{})).members;
  const auto other = std::ranges::find(members, others_[0], &local::MemberRow::member);
  EXPECT_EQ(other->unasked, std::vector<std::string>{"ZZA"});
}

TEST_F(Asking, BeginsAgainWhenTheClockJumpsAhead) {
  connect_member(0);
  tick();
  desk_.clock += 59'000;
  tick();
  EXPECT_TRUE(signs()) << "clocks are put right now and then";
  EXPECT_FALSE(dropped(first_peer));
  desk_.clock += 60'000;
  const std::uint64_t size = log_size();
  EXPECT_FALSE(signs()) << "without waiting for a tick";
  EXPECT_EQ(log_size(), size);
  EXPECT_TRUE(dropped(first_peer)) << "everybody is asked anew";
  replica_->peer_lost(first_peer);
  connect_member(0);
  answers(0, size);
  tick();
  EXPECT_TRUE(signs());
}

TEST_F(Asking, WaitsForWhoMayComeIntoReachThoughTheOperatorNamedItButNotForEver) {
  restart({"ZZB"});
  EXPECT_FALSE(signs());
  connect_member(0);
  wait(limits::asking_patience_ms - 1);
  EXPECT_FALSE(signs()) << "it is there, and silent";
  wait(1);
  EXPECT_TRUE(signs());
}

TEST_F(Asking, ConfirmsNothingForOthersMeanwhile) {
  restart();
  const LogId theirs = log_id(me_.network, others_[0], commons);
  connect_member(0);
  push_one_entry(theirs);
  const auto confirmed = [&] {
    return storage::log_store::cosignatures(*desk_.log().read(), theirs).contains(me_.member);
  };
  ASSERT_EQ(storage::log_store::checkpoint(*desk_.log().read(), theirs)->size, 1U);
  EXPECT_FALSE(confirmed());
  answers(0, log_size());
  tick();
  EXPECT_TRUE(confirmed());
}

TEST_F(Asking, ABackupIsBoundByWhatItConfirmedSinceItWasMade) {
  restart();
  const LogId theirs = log_id(me_.network, others_[0], commons);
  connect_member(0);
  // We confirmed one tree of it before we forgot, and are shown another.
  const Cosignature before =
      cosign(theirs, 1, TreeHash{{9}}, me_.member, now_ms / 1000, SigningKey(me_.witness_key));
  say(first_peer, peer::Cosigned{before});
  push_one_entry(theirs);
  answers(0, log_size());
  tick();
  EXPECT_TRUE(signs());
  EXPECT_FALSE(storage::log_store::cosignatures(*desk_.log().read(), theirs).contains(me_.member));
}

TEST_F(Asking, AClaimThatNothingSignedProvesHoldsNobodyUpForEver) {
  restart();
  connect_member(0);
  say(first_peer, peer::Have{{{own_, 1'000'000, TreeHash{{1}}, 0, {}, false}}});
  tick();
  EXPECT_FALSE(signs()) << "it may be true";
  for (std::uint64_t waited = 0; waited < limits::asking_patience_ms; waited += 6'000) {
    tick();
    say(first_peer, peer::Have{{{own_, 1'000'000, TreeHash{{1}}, 0, {}, false}}});
  }
  EXPECT_TRUE(signs());
}

TEST_F(Asking, WhatCannotBeLetInKeepsNothingElseFromGoingOut) {
  restart();
  const std::uint64_t size = log_size();
  const auto texts = signed_texts({record("One"), record("Two"), record("Three")});
  // A row of several acts: one is by somebody who may not publish, one stands there twice.
  Record by_other = *decode_record(record("Theirs"));
  const SigningKey stranger(Seed{{77}});
  by_other.author = stranger.public_key();
  std::vector<Bytes> row{
      texts[0], texts[0], texts[1],
      encode_text(sign_batch(me_.network, own_, {encode(by_other)}, stranger).front()), texts[2]};
  {
    const auto txn = desk_.disk().write();
    txn->put(storage::Table::waiting, waiting_publish_key(1), encode_waiting_publish(1, row));
    txn->commit();
  }
  restart();
  connect_member(0);
  answers(0, size);
  for (int i = 0; i < 6; ++i) tick();
  EXPECT_EQ(log_size(), size + 3);
  EXPECT_TRUE(desk_.log().read()->get(storage::Table::waiting, waiting_publish_key(1)))
      << "what could not be let in is not thrown away";
}

TEST_F(Asking, WithoutAMarkTheOperatorAloneIsNotEnough) {
  desk_.marks.clear();
  restart({"ZZB"});
  be_patient();
  EXPECT_FALSE(signs());
  const std::uint64_t size = log_size();
  connect_member(0);
  answers(0, size);
  EXPECT_FALSE(signs()) << "what it holds may be larger than it said";
  announces(0, size);
  tick();
  EXPECT_TRUE(signs());
  EXPECT_GT(desk_.marks.at(own_).size, size);
}

}  // namespace
}  // namespace kith::daemon
