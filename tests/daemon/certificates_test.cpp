#include "daemon/renewal.hpp"
#include "protocol/keys/authors.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/log/leaf.hpp"
#include "tests/daemon/support/own_log.hpp"

/// A member that replaces its keys: its daemon enters the new certificate, and the others follow.
namespace kith::daemon {
namespace {

using Reason = Certificate::Reason;

class Renewed : public OwnLog {
 protected:
  [[nodiscard]] Identity renewed(const Identity& before, Reason reason = Reason::planned) {
    const auto made =
        renew(before, SigningKey(recovery_), {reason, whole_.host.now(), 0}, fill_random);
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }
  /// The certificates in the log, as whoever holds it reads them.
  [[nodiscard]] KeyHistory history(Machine& machine) {
    KeyHistory keys(me_.network, me_.member);
    const auto txn = machine.host.log().read();
    const std::uint64_t size = storage::log_store::head(*txn, log())->size();
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto payload = storage::log_store::payload(*txn, log(), i);
      const auto text = payload ? decode_text(*payload) : fail(Errc::not_found, "");
      const auto* certificate = text ? std::get_if<CertificateText>(&*text) : nullptr;
      if (certificate == nullptr) continue;
      EXPECT_TRUE(keys.add_certificate(i, certificate->statement));
    }
    return keys;
  }
  [[nodiscard]] Bytes leaf(Machine& machine, std::uint64_t index) {
    return *storage::log_store::leaf(*machine.host.log().read(), log(), index);
  }
  /// Its newest checkpoint, as it announces it to somebody who asks.
  [[nodiscard]] peer::Announce announced(Machine& machine) {
    const MemberId somebody{{7}};
    machine.replica->peer_connected({peer, true, somebody, std::nullopt, {}, {}});
    machine.replica->message(peer, peer::encode(peer::Welcome{Hash{{1}}, {}, 0, 0}));
    machine.replica->message(peer, peer::encode(peer::GetCheckpoints{{log()}}));
    machine.host.run();
    std::optional<peer::Announce> found;
    for (const Bytes& bytes : std::exchange(machine.host.sent[peer], {})) {
      const auto message = peer::decode_message(bytes);
      if (const auto* one = std::get_if<peer::Announce>(&*message)) found = *one;
    }
    machine.replica->peer_lost(peer);
    EXPECT_TRUE(found.has_value());
    return found.value_or(peer::Announce{});
  }
  [[nodiscard]] std::uint64_t signed_by(Machine& machine, const Identity& identity) {
    const PublicKey key = SigningKey(identity.log_key).public_key();
    const auto checkpoint = verify_checkpoint(announced(machine).note, log(), key);
    return checkpoint ? checkpoint->size : 0;
  }
};

TEST_F(Renewed, TheNewCertificateIsTheNextEntryAndTheNewKeySignsFromThereOn) {
  const std::uint64_t size = whole_.log_size();
  const Identity next = renewed(me_);
  whole_.start(next);
  EXPECT_EQ(whole_.log_size(), size + 1);
  const KeyHistory keys = history(whole_);
  ASSERT_EQ(keys.certificates().size(), 2U);
  EXPECT_EQ(keys.certificates()[1].first, size);
  EXPECT_EQ(keys.certificates()[1].second.reason, Reason::planned);
  EXPECT_EQ(signed_by(whole_, next), size + 1);
  EXPECT_EQ(signed_by(whole_, me_), 0U);
  EXPECT_TRUE(publishes(whole_));
  EXPECT_EQ(signed_by(whole_, next), size + 2);

  whole_.start(next);
  EXPECT_EQ(whole_.log_size(), size + 2) << "it is entered once";
  const Identity third = renewed(next, Reason::lost);
  whole_.start(third);
  EXPECT_EQ(whole_.log_size(), size + 3);
  EXPECT_EQ(signed_by(whole_, third), size + 3);
}

TEST_F(Renewed, ItIsEnteredAlsoWhereTheViewsWereLost) {
  const std::uint64_t size = whole_.log_size();
  whole_.host.lose_views();
  const Identity next = renewed(me_);
  whole_.start(next);
  EXPECT_EQ(whole_.log_size(), size + 1);
  whole_.host.lose_views();
  whole_.start(next);
  EXPECT_EQ(whole_.log_size(), size + 1);
  EXPECT_EQ(signed_by(whole_, next), size + 1);
}

TEST_F(Renewed, ItIsTheSameEntryWheneverItIsMade) {
  const std::uint64_t size = whole_.log_size();
  const Identity next = renewed(me_);
  Machine copy;
  restore(copy, size);
  copy.host.marks = whole_.host.marks;
  whole_.start(next);
  copy.host.clock += 5'000;
  copy.start(next);
  EXPECT_EQ(leaf(copy, size), leaf(whole_, size)) << "a restored backup makes no second history";
}

TEST_F(Renewed, ARestoredLogTakesItsTailBackBeforeAnythingIsEntered) {
  const std::uint64_t size = whole_.log_size();
  const Identity next = renewed(me_);
  whole_.start(next);
  ASSERT_TRUE(publishes(whole_));
  Machine restored;
  restore(restored, size - 2);
  restored.host.marks = whole_.host.marks;
  restored.start(next);
  EXPECT_EQ(restored.log_size(), size - 2);
  EXPECT_FALSE(publishes(restored));
  meets(restored, whole_);
  EXPECT_EQ(restored.log_size(), size + 3) << "with what was published meanwhile";
  EXPECT_TRUE(publishes(restored));
  EXPECT_EQ(history(restored).certificates().size(), 2U);
}

TEST_F(Renewed, OldKeysSignNothingOnceANewerCertificateIsKnown) {
  const std::uint64_t size = whole_.log_size();
  Machine old;
  restore(old, size);
  old.host.marks = whole_.host.marks;
  old.start(me_);
  ASSERT_TRUE(publishes(old)) << "the control: nobody knows better yet";
  Machine older;
  restore(older, size);
  older.host.marks = whole_.host.marks;
  older.start(me_);
  whole_.start(renewed(me_));
  meets(older, whole_);
  EXPECT_FALSE(publishes(older));
  EXPECT_TRUE(std::ranges::any_of(older.host.lines, [](const std::string& line) {
    return line.find("kithd renew") != std::string::npos;
  })) << "the operator is told what to do";
}

TEST_F(Renewed, WordsOfAnotherMemberChangeNothing) {
  const auto made = renew(me_, SigningKey(Seed{{99}}), {}, fill_random);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::forbidden);
  Identity joining = me_;
  joining.network_secret.reset();
  const auto early = renew(joining, SigningKey(recovery_), {}, fill_random);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::unavailable);
}

TEST_F(Renewed, TheNewestFourReplacedTransportKeysGoOnAnswering) {
  Identity identity = me_;
  std::vector<DhSecret> replaced;
  for (int i = 0; i < 6; ++i) {
    replaced.insert(replaced.begin(), identity.transport_key);
    identity = renewed(identity);
  }
  replaced.resize(4);
  EXPECT_EQ(identity.former_transport_keys, replaced);
  const auto read = decode_identity(encode_identity(identity));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, identity);
}

TEST_F(Renewed, NumbersOnlyGrow) {
  const std::uint64_t first = verify_certificate(me_.certificate)->number;
  const auto made = renew(me_, SigningKey(recovery_), {Reason::lost, 5, first + 40}, fill_random);
  EXPECT_EQ(verify_certificate(made->certificate)->number, first + 41);
  const auto later =
      renew(me_, SigningKey(recovery_), {Reason::lost, first + 90, first + 40}, fill_random);
  EXPECT_EQ(verify_certificate(later->certificate)->number, first + 90);
}

}  // namespace
}  // namespace kith::daemon
