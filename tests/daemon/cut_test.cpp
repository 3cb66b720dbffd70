#include "daemon/renewal.hpp"
#include "protocol/log/payload.hpp"
#include "tests/daemon/support/forked.hpp"

/// A member that cuts its log, as another daemon meets it.
namespace kith::daemon {
namespace {

using Reason = Certificate::Reason;

class Cut : public Forked {
 protected:
  explicit Cut(std::size_t more = 0) : Forked(more) {}

  /// Its certificate with another log key, later than `before`.
  [[nodiscard]] Bytes renewed(Reason reason, std::uint64_t later, std::uint8_t key,
                              const Bytes& list = {}) const {
    Certificate certificate = *verify_certificate(other_.certificate);
    certificate.number += later;
    certificate.reason = reason;
    certificate.log_key = SigningKey(Seed{{key}}).public_key();
    if (reason == Reason::cut) certificate.cut_list = cut_list_hash(list);
    return sign_certificate(certificate, SigningKey(recovery_));
  }
  /// A history that goes on from the beginning of another, with a cut; its certificate is kept.
  [[nodiscard]] History cut_from(const History& before, std::size_t size, std::size_t grown) {
    History next = before.beginning(size);
    const Bytes list = encode(CutList{{{log_, size, next.range.root()}}});
    cut_ = renewed(Reason::cut, 1'000, new_key, list);
    next.add(LeafClass::clear, encode_text(CertificateText{cut_}));
    next.add(LeafClass::clear, encode_text(CutListText{list}));
    next.grow(51, grown);
    return next;
  }
  [[nodiscard]] std::string new_note(const History& history, std::uint8_t key = new_key) const {
    return sign_checkpoint(log_, history.range.size(), history.range.root(),
                           SigningKey(Seed{{key}}));
  }
  void announce_new(const History& history) {
    say(peer_id, peer::Announce{log_, new_note(history), {cut_}, {}});
    serve(history);
  }
  /// Whoever looks again for what it lacks asks, and is answered.
  void serve(const History& history, std::uint8_t key = new_key) {
    for (int i = 0; i < 4; ++i) {
      bool is_asked = false;
      for (const auto& asked : said_to<peer::GetCheckpoints>(peer_id)) {
        is_asked = is_asked || std::ranges::count(asked.logs, log_) > 0;
      }
      answer_fetch(history);
      if (is_asked) say(peer_id, peer::Announce{log_, new_note(history, key), {cut_}, {}});
      answer_fetch(history);
      tick();
    }
  }
  void tick() {
    desk_.monotonic += limits::look_again_ms;
    replica_->tick();
    desk_.run();
  }
  [[nodiscard]] std::uint64_t bad() {
    return std::get<local::StatusAnswer>(ask(local::StatusRequest{})).bad;
  }
  [[nodiscard]] bool told(const std::string& words) const {
    return std::ranges::any_of(desk_.lines, [&](const std::string& line) {
      return line.find(words) != std::string::npos;
    });
  }

  static constexpr std::uint8_t new_key = 77;
  Bytes cut_;
};

TEST_F(Cut, HealsALogOfTwoHistories) {
  const History first(other_.certificate, 1, 3);
  push(first);
  say(peer_id, peer::Announce{log_, note(History(other_.certificate, 101, 3)), {}, {}});
  ASSERT_TRUE(row().frozen);

  const History next = cut_from(first, 3, 7);
  announce_new(next);
  EXPECT_FALSE(row().frozen);
  EXPECT_EQ(row().held_size, 7U);
  EXPECT_EQ(row().agreed_size, 7U);
  EXPECT_FALSE(told("the cut list")) << "it is as it must be";
  EXPECT_EQ(cosigned(), 7U);
  EXPECT_FALSE(dropped(peer_id));

  replica_ = std::make_unique<Replica>(me_, Replica::Options{}, desk_.marks, desk_);
  desk_.run();
  EXPECT_FALSE(row().frozen) << "the log itself tells of the cut";
  EXPECT_EQ(row().held_size, 7U);
}

TEST_F(Cut, ACertificateThatOnlyReplacesKeysHealsNothing) {
  const History first(other_.certificate, 1, 3);
  push(first);
  say(peer_id, peer::Announce{log_, note(History(other_.certificate, 101, 3)), {}, {}});
  say(peer_id, peer::Announce{log_, "", {renewed(Reason::lost, 1'000, new_key)}, {}});
  EXPECT_TRUE(row().frozen);
}

TEST_F(Cut, WhatTheCutKeySignsAfterwardsFreezesNothing) {
  const History first(other_.certificate, 1, 3);
  push(first);
  const History next = cut_from(first, 3, 7);
  announce_new(next);
  ASSERT_EQ(row().held_size, 7U);

  for (const std::size_t size : {3, 7, 9}) {
    const History second(other_.certificate, 101, size);
    say(peer_id, peer::Announce{log_, note(second), {}, {}});
    EXPECT_FALSE(said_to<peer::Announce>(peer_id).empty()) << "who offers it is told of the cut";
    answer_fetch(second);
  }
  const History one(other_.certificate, 1, 4);
  const History other(other_.certificate, 101, 4);
  const Evidence evidence =
      make_evidence(commons, {4, one.range.root(), note(one), other_.certificate},
                    {4, other.range.root(), note(other), other_.certificate}, {}, {});
  say(peer_id, peer::Evidence{encode_evidence(evidence)});
  EXPECT_FALSE(row().frozen);
  EXPECT_EQ(row().held_size, 7U);
  EXPECT_FALSE(dropped(peer_id)) << "nobody lies who passes it on";
  EXPECT_TRUE(told("nothing follows from them"));
}

TEST_F(Cut, WhatTheNewKeySignsTwiceFreezesAsEver) {
  const History first(other_.certificate, 1, 3);
  push(first);
  const History next = cut_from(first, 3, 7);
  announce_new(next);
  History another = next.beginning(5);
  another.grow(151, 7);
  say(peer_id, peer::Announce{log_, new_note(another), {}, {}});
  EXPECT_TRUE(row().frozen);
}

TEST_F(Cut, BelowWhatIsAgreedItIsRefusedAndSaidOnce) {
  const History first(other_.certificate, 1, 5);
  push(first);
  ASSERT_EQ(row().agreed_size, 5U);
  const History next = cut_from(first, 3, 9);
  announce_new(next);
  EXPECT_EQ(row().held_size, 5U);
  EXPECT_EQ(row().agreed_size, 5U);
  EXPECT_FALSE(row().frozen);
  EXPECT_FALSE(dropped(peer_id));
  EXPECT_EQ(std::ranges::count_if(desk_.lines,
                                  [](const std::string& line) {
                                    return line.find("was cut below 5") != std::string::npos;
                                  }),
            1);
}

TEST_F(Cut, ALaterCertificateDoesNotHideIt) {
  const History first(other_.certificate, 1, 3);
  push(first);
  say(peer_id, peer::Announce{log_, note(History(other_.certificate, 101, 3)), {}, {}});
  ASSERT_TRUE(row().frozen);
  History next = cut_from(first, 3, 7);
  const Bytes later = renewed(Reason::planned, 2'000, 78);
  next.add(LeafClass::clear, encode_text(CertificateText{later}));
  say(peer_id, peer::Announce{log_, new_note(next, 78), {cut_, later}, {}});
  serve(next, 78);
  EXPECT_FALSE(row().frozen);
  EXPECT_EQ(row().held_size, 8U);
  // Whoever asks this daemon is told both as well.
  say(peer_id, peer::GetCheckpoints{{log_}});
  const auto said = said_to<peer::Announce>(peer_id);
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.back().certificates, (std::vector<Bytes>{later, cut_}));
}

TEST_F(Cut, ACutWithoutItsListCountsForNothingAndIsSaidSo) {
  const History first(other_.certificate, 1, 3);
  push(first);
  History next = first;
  const Bytes list = encode(CutList{{{log_, 2, first.root(2)}}});
  cut_ = renewed(Reason::cut, 1'000, new_key, list);
  next.add(LeafClass::clear, encode_text(CertificateText{cut_}));
  next.add(LeafClass::clear, encode_text(CutListText{list}));
  announce_new(next);
  EXPECT_EQ(row().held_size, 5U);
  EXPECT_TRUE(told("another history of this log"));
}

TEST_F(Cut, AWordByAKeyThatIsNotKnownYetIsPassedOver) {
  const LogId ours = log_id(me_.network, me_.member, commons);
  const std::uint64_t size = log_size();
  const TreeHash root = storage::log_store::root_at(*desk_.log().read(), ours, size);
  Certificate certificate = *verify_certificate(other_.certificate);
  certificate.number += 500;
  certificate.reason = Reason::planned;
  const SigningKey witness_key(Seed{{91}});
  certificate.witness_key = witness_key.public_key();
  const peer::Cosigned word{cosign(ours, size, root, member_, 7, witness_key)};
  const auto is_kept = [&] {
    return storage::log_store::cosignatures(*desk_.log().read(), ours).contains(member_);
  };
  say(peer_id, word);
  EXPECT_FALSE(dropped(peer_id)) << "whoever passes it on may know more";
  EXPECT_FALSE(is_kept());
  say(peer_id,
      peer::Announce{log_, "", {sign_certificate(certificate, SigningKey(recovery_))}, {}});
  say(peer_id, word);
  EXPECT_TRUE(is_kept());

  const peer::Cosigned unknown{cosign(ours, size + 1, root, member_, 9, SigningKey(Seed{{92}}))};
  for (std::size_t i = 0; i <= limits::unknown_words_max && !dropped(peer_id); ++i) {
    say(peer_id, unknown);
  }
  EXPECT_TRUE(dropped(peer_id)) << "but not for ever";
}

TEST_F(Cut, AWitnessWhoseNewCertificateIsNotInItsLogConfirmsNothing) {
  // Without a mark of what was signed, nothing can be appended.
  const auto renewed =
      renew(me_, SigningKey(own_recovery_), {Reason::lost, now_ms, 0}, fill_random);
  ASSERT_TRUE(renewed);
  const storage::HighWaterMarks marks = std::exchange(desk_.marks, {});
  me_ = *renewed;
  replica_ = std::make_unique<Replica>(me_, at_once(), desk_.marks, desk_);
  desk_.run();
  meet();
  push(History(other_.certificate, 1, 3));
  ASSERT_EQ(row().held_size, 3U);
  EXPECT_EQ(cosigned(), 0U);

  desk_.marks = marks;
  replica_ = std::make_unique<Replica>(me_, at_once(), desk_.marks, desk_);
  desk_.run();
  EXPECT_EQ(cosigned(), 3U) << "the control";
}

/// Three others are witnesses too, so that two words agree nothing.
class CutAmongMany : public Cut {
 protected:
  CutAmongMany() : Cut(3) {}

  /// We, and two others.
  void agree(const History& history) {
    push(history);
    for (const std::size_t witness : {0, 2}) {
      say(peer_id, peer::Cosigned{word_of(witness, history, 7)});
    }
    ASSERT_EQ(row().agreed_size, history.range.size());
  }

  [[nodiscard]] Cosignature word_of(std::size_t witness, const History& history,
                                    std::uint64_t time_s) const {
    return cosign(log_, history.range.size(), history.range.root(),
                  *read_member(others_[witness].certificate), time_s, steward_);
  }
  void expect_given_up(std::size_t grown) {
    const History shared(other_.certificate, 1, 3);
    agree(shared);
    History tail = shared;
    tail.grow(101, 6);
    push(shared, tail);
    ASSERT_EQ(row().held_size, 6U);
    ASSERT_EQ(row().agreed_size, 3U);
    ASSERT_EQ(cosigned(), 6U);
    const History next = cut_from(shared, 3, grown);
    announce_new(next);
    EXPECT_EQ(row().held_size, grown);
    EXPECT_EQ(row().agreed_size, 3U);
    EXPECT_FALSE(row().frozen);
    EXPECT_EQ(cosigned(), grown) << "our word is for what counts now";
    EXPECT_FALSE(dropped(peer_id));
  }
  [[nodiscard]] std::size_t confirmed_by(std::size_t witness) {
    const auto said = storage::log_store::cosignatures(*desk_.log().read(), log_);
    const auto word = said.find(*read_member(others_[witness].certificate));
    return word == said.end() ? 0 : word->second.size;
  }
};

TEST_F(CutAmongMany, ATailThatWasNotAgreedIsGivenUpForAShorterHistory) { expect_given_up(5); }
TEST_F(CutAmongMany, ATailThatWasNotAgreedIsGivenUpForOneAsLong) { expect_given_up(6); }
TEST_F(CutAmongMany, ATailThatWasNotAgreedIsGivenUpForALongerOne) { expect_given_up(12); }

TEST_F(CutAmongMany, AWitnessThatConfirmedTheTailAndThenWhatTookItsPlaceDidNotLie) {
  const History shared(other_.certificate, 1, 3);
  agree(shared);
  History tail = shared;
  tail.grow(101, 8);
  push(shared, tail);
  say(peer_id, peer::Cosigned{word_of(1, tail, 8)});
  const History next = cut_from(shared, 3, 7);
  say(peer_id, peer::Cosigned{word_of(1, next, 9)});
  ASSERT_EQ(proof()->liar, Liar::witness_key) << "nobody here knows of the cut yet";

  announce_new(next);
  ASSERT_EQ(row().held_size, 7U);
  say(peer_id, peer::Cosigned{word_of(1, next, 9)});
  EXPECT_EQ(confirmed_by(1), 7U) << "its word counts";
}

TEST_F(CutAmongMany, AWitnessThatLiedAboutWhatStaysLied) {
  const History shared(other_.certificate, 1, 3);
  push(shared);
  say(peer_id, peer::Cosigned{word_of(1, shared, 7)});
  say(peer_id, peer::Cosigned{word_of(1, History(other_.certificate, 61, 3), 8)});
  ASSERT_EQ(proof()->liar, Liar::witness_key);
  const History next = cut_from(shared, 3, 7);
  announce_new(next);
  ASSERT_EQ(row().held_size, 7U);
  say(peer_id, peer::Cosigned{word_of(1, next, 9)});
  EXPECT_LT(confirmed_by(1), 7U) << "its word counts no more";
}

/// A whole life of keys: one replaced in time, an author who came and went, one stolen.
class KeysOverTime : public Cut {
 protected:
  [[nodiscard]] History life(bool speaks_after_withdrawal) {
    const SigningKey author(Seed{{61}});
    History history(other_.certificate, 1, 1);
    const auto says = [&](const SigningKey& who) {
      Record record;
      fill_random(record.nonce.bytes);
      record.kind = "document";
      record.body = to_bytes(view("# Title\n\ntext\n"));
      record.author = who.public_key();
      record.time = now_ms;
      record.network = me_.network;
      record.log = log_;
      const auto batch = sign_batch(me_.network, log_, {encode(record)}, who);
      Nonce24 nonce;
      fill_random(nonce.bytes);
      history.add(LeafClass::record, *seal_payload(log_key(me_.commons_keys->r, log_), log_, nonce,
                                                   encode_text(batch.front())));
    };
    const auto enrols = [&](std::uint32_t number, Scopes scopes) {
      history.add(
          LeafClass::clear,
          encode_text(EnrolmentText{sign_enrolment(
              {me_.network, member_, number, author.public_key(), scopes, steward_.public_key()},
              steward_)}));
    };
    enrols(1, 1);
    says(author);
    history.add(LeafClass::clear, encode_text(CertificateText{renewed(Reason::planned, 500, 78)}));
    says(author);
    enrols(2, 0);
    if (speaks_after_withdrawal) says(author);
    History cut = cut_from(history, history.payloads.size(), 0);
    std::swap(history, cut);
    says(steward_);
    return history;
  }
  [[nodiscard]] local::AuditRow audited() {
    const auto answer = ask(local::AuditRequest{"ZZB"});
    return std::get<local::AuditAnswer>(answer).logs.at(0);
  }
};

TEST_F(KeysOverTime, AuditCleanFromTheFirstEntryOn) {
  const History history = life(false);
  announce_new(history);
  EXPECT_EQ(row().held_size, history.range.size());
  EXPECT_EQ(row().records, 3U);
  const local::AuditRow found = audited();
  EXPECT_TRUE(found.intact) << (found.faults.empty() ? "" : found.faults[0].what);
  EXPECT_EQ(found.certificates, 3U);
}

TEST_F(KeysOverTime, WhatIsSignedAfterAWithdrawalCountsForNothing) {
  const History history = life(true);
  announce_new(history);
  EXPECT_EQ(row().held_size, history.range.size()) << "its leaf is kept";
  EXPECT_EQ(row().records, 3U);
  EXPECT_EQ(bad(), 1U);
  EXPECT_TRUE(told("its author may not publish there"));
  EXPECT_FALSE(audited().intact);
}

TEST_F(KeysOverTime, AReplacedKeySignsNothingMoreOnceItWasCut) {
  const History history = life(false);
  announce_new(history);
  History more = history;
  more.grow(9, history.range.size() + 1);
  say(peer_id, peer::Announce{log_, new_note(more, 78), {}, {}});
  EXPECT_EQ(row().held_size, history.range.size()) << "it was cut";
}

}  // namespace
}  // namespace kith::daemon
