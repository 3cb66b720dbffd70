#include "daemon/renewal.hpp"
#include "protocol/base/text.hpp"
#include "tests/daemon/support/forked.hpp"

/// A member whose own log has two histories, or a tail that counts no more: it cuts the log.
namespace kith::daemon {
namespace {

class OwnCut : public Forked {
 protected:
  OwnCut() { own_ = log_id(me_.network, me_.member, commons); }

  [[nodiscard]] std::uint64_t agreed() {
    return std::get<local::StatusAnswer>(ask(local::StatusRequest{})).agreed_size;
  }
  /// Somebody else signed another history with our log key.
  void fork() {
    const auto tree = [&](const TreeHash& root) {
      return SignedTree{3, root, sign_checkpoint(own_, 3, root, SigningKey(me_.log_key)),
                        me_.certificate};
    };
    say(peer_id, peer::Evidence{encode_evidence(
                     make_evidence(commons, tree(TreeHash{{1}}), tree(TreeHash{{2}}), {}, {}))});
  }
  [[nodiscard]] Result<CutLog> where() {
    const auto txn = desk_.log().read();
    return where_to_cut(*txn, survey(*txn, me_), me_);
  }
  /// What kithd cut does, and kithd run after it.
  void cut() {
    const auto at = where();
    ASSERT_TRUE(at) << at.error().detail;
    Renewal how;
    how.reason = Certificate::Reason::cut;
    how.now = desk_.now();
    how.cut.logs = {*at};
    const auto renewed = renew(me_, SigningKey(own_recovery_), how, fill_random);
    ASSERT_TRUE(renewed) << renewed.error().detail;
    replica_.reset();
    desk_.run();
    me_ = *renewed;
    desk_.marks[own_] = {at->size, at->root};
    start();
  }
  void start() {
    replica_ = std::make_unique<Replica>(me_, at_once(), desk_.marks, desk_);
    desk_.run();
    for (int i = 0; i < 4; ++i) {
      desk_.monotonic += limits::look_again_ms;
      replica_->tick();
      desk_.run();
    }
  }
  /// The class `c` texts of our own log from an index on.
  [[nodiscard]] std::vector<PayloadText> clear_texts(std::uint64_t from) {
    std::vector<PayloadText> texts;
    const auto txn = desk_.log().read();
    const auto leaves = storage::log_store::leaves(*txn, own_, from, from + 20);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i].leaf_class != LeafClass::clear) continue;
      texts.push_back(*decode_text(*storage::log_store::payload(*txn, own_, from + i)));
    }
    return texts;
  }
  [[nodiscard]] bool audits() {
    const auto answer = ask(local::AuditRequest{"ZZA"});
    return std::get<local::AuditAnswer>(answer).logs.at(0).intact;
  }
  /// Published again, or waiting to be.
  [[nodiscard]] bool keeps(const Bytes& record) {
    const auto txn = desk_.log().read();
    for (std::uint64_t number = 1; number < 9; ++number) {
      const Bytes key = waiting_publish_key(number);
      const auto row = txn->get(storage::Table::waiting, key);
      const auto kept = row ? decode_waiting_publish(key, *row) : std::nullopt;
      if (!kept) continue;
      for (const Bytes& bytes : kept->texts) {
        const auto parsed = decode_text(bytes);
        const auto* one = parsed ? std::get_if<SignedRecord>(&*parsed) : nullptr;
        if (one != nullptr && one->record == record) return true;
      }
    }
    return shows(record);
  }
  [[nodiscard]] bool shows(const Bytes& record) {
    const std::string id = to_base32(record_id(record).view());
    return std::holds_alternative<local::ShowAnswer>(ask(local::ShowRequest{id}));
  }

  LogId own_;
};

TEST_F(OwnCut, SetsAForkedLogBackToWhatIsAgreedAndSaysAgainWhatPeopleSaid) {
  const Bytes first = record("First");
  const Bytes second = record("Second");
  const std::uint64_t kept = agreed();
  ASSERT_TRUE(published(signed_texts({first, second})));
  ASSERT_GT(log_size(), kept + 1) << "the other member confirms nothing here";
  ASSERT_EQ(agreed(), kept);
  fork();
  EXPECT_EQ(refusal(signed_texts({record("More")})), Errc::conflict);
  ASSERT_EQ(where()->size, kept);

  cut();
  const auto texts = clear_texts(kept);
  ASSERT_GE(texts.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<CertificateText>(texts[0]));
  EXPECT_TRUE(std::holds_alternative<CutListText>(texts[1]));
  EXPECT_TRUE(keeps(first));
  EXPECT_TRUE(keeps(second));
  EXPECT_TRUE(audits());
  EXPECT_TRUE(published(signed_texts({record("It goes on")})));

  const std::uint64_t size = log_size();
  start();
  EXPECT_EQ(log_size(), size) << "nothing is said a third time";
  EXPECT_TRUE(audits());
}

TEST_F(OwnCut, WithoutACutNothingIsGivenUp) {
  ASSERT_TRUE(published(signed_texts({record("First")})));
  fork();
  const std::uint64_t size = log_size();
  start();
  EXPECT_EQ(log_size(), size);
  EXPECT_EQ(refusal(signed_texts({record("More")})), Errc::conflict);
}

TEST_F(OwnCut, AnEnrolmentThatIsGivenUpIsEnteredAgainBeforeWhatItsAuthorSaid) {
  const std::uint64_t agreed_before = agreed();
  const SigningKey author(Seed{{61}});
  const auto enrolled = ask(local::EnrolRequest{sign_enrolment(
      {me_.network, me_.member, 1, author.public_key(), 1, steward_.public_key()}, steward_)});
  ASSERT_TRUE(std::holds_alternative<local::EnrolAnswer>(enrolled));
  auto by_author = decode_record(record("Theirs"));
  by_author->author = author.public_key();
  const Bytes theirs = encode(*by_author);
  ASSERT_TRUE(published({encode_text(sign_batch(me_.network, own_, {theirs}, author).front())}));
  fork();
  cut();
  EXPECT_TRUE(keeps(theirs));
  EXPECT_TRUE(std::ranges::any_of(clear_texts(agreed_before), [](const PayloadText& text) {
    return std::holds_alternative<EnrolmentText>(text);
  }));
  EXPECT_TRUE(audits());
}

TEST_F(OwnCut, WhereNothingIsForkedItEndsAtWhatIsHeld) {
  const Bytes first = record("First");
  ASSERT_TRUE(published(signed_texts({first})));
  const std::uint64_t size = log_size();
  ASSERT_EQ(where()->size, size);
  cut();
  EXPECT_EQ(log_size(), size + 2);
  EXPECT_TRUE(shows(first));
  EXPECT_TRUE(audits());
}

TEST_F(OwnCut, ARestoredStoreIsCutAgainAtTheSamePlace) {
  ASSERT_TRUE(published(signed_texts({record("First")})));
  fork();
  const testing::MemoryDatabase before = desk_.disk();
  cut();
  const std::uint64_t kept = me_.cut_list.empty() ? 0 : decode_cut_list(me_.cut_list)->logs[0].size;
  const TreeHash root = storage::log_store::root_at(*desk_.log().read(), own_, kept + 2);
  replica_.reset();
  desk_.run();
  desk_.disk() = before;
  desk_.lose_views();
  start();
  // What was signed since is not here, so nothing is signed; but it is the same history.
  const auto kept_back = ask(local::PublishRequest{signed_texts({record("More")})});
  EXPECT_FALSE(std::get<local::PublishAnswer>(kept_back).waiting.empty());
  const auto head = storage::log_store::head(*desk_.log().read(), own_);
  EXPECT_EQ(head->size(), kept);
  desk_.marks[own_] = {kept, storage::log_store::root_at(*desk_.log().read(), own_, kept)};
  start();
  EXPECT_EQ(storage::log_store::root_at(*desk_.log().read(), own_, kept + 2), root);
}

TEST_F(OwnCut, WhatTheOthersAgreedOnIsFetchedFirst) {
  const std::uint64_t kept = agreed();
  const Bytes ours = record("Ours");
  ASSERT_TRUE(published(signed_texts({ours})));
  // The thief's history goes on elsewhere, and our only witness confirmed that.
  History theirs;
  {
    const auto txn = desk_.log().read();
    for (std::uint64_t i = 0; i < kept; ++i) {
      theirs.add(std::string(text(*storage::log_store::leaf(*txn, own_, i))),
                 *storage::log_store::payload(*txn, own_, i));
    }
  }
  theirs.grow(90, kept + 3);
  fork();
  const TreeHash root = theirs.range.root();
  say(peer_id, peer::Have{{{own_, kept + 3, root, kept + 3, {}, true}}});
  say(peer_id,
      peer::Agreed{
          own_, kept + 3, root, {cosign(own_, kept + 3, root, member_, 7, steward_)}, {{}}});
  EXPECT_FALSE(where()) << "it is not here yet";
  for (int i = 0; i < 4; ++i) {
    desk_.monotonic += limits::look_again_ms;
    replica_->tick();
    desk_.run();
    answer_fetch(theirs);
  }
  const auto at = where();
  ASSERT_TRUE(at) << at.error().detail;
  EXPECT_EQ(at->size, kept + 3);
  EXPECT_EQ(at->root, root);
  cut();
  EXPECT_TRUE(keeps(ours)) << "what was ours is said again behind it";
}

}  // namespace
}  // namespace kith::daemon
