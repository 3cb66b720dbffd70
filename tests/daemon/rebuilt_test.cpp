#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/doors.hpp"

/// A member whose disk is gone comes back with its recovery words, as the one that invites it sees
/// it.
namespace kith::daemon {
namespace {

constexpr PeerId old_machine = 1;
constexpr PeerId new_machine = 2;

class Rebuilt : public Doors {
 protected:
  Rebuilt() {
    connect(9, invite(), old_transport_);
    const peer::JoinRequest newcomer{statement(0, old_transport_, Certificate::Reason::first),
                                     profile_of("ZZB")};
    say(9, newcomer);
    EXPECT_TRUE(published(admission(
        newcomer, std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis)));
    replica_->peer_lost(9);
  }

  /// A certificate of the member, so many milliseconds after its first.
  [[nodiscard]] Bytes statement(std::uint64_t after, const DhSecret& transport,
                                Certificate::Reason reason = Certificate::Reason::lost) const {
    Certificate certificate = *verify_certificate(certified(recovery_, now_ms + after, transport));
    certificate.reason = reason;
    return sign_certificate(certificate, recovery_);
  }
  [[nodiscard]] MemberId member() const { return MemberId{recovery_.public_key().bytes}; }
  [[nodiscard]] LogId its_log() const { return log_id(me_.network, member(), commons); }
  void asks(PeerId peer, const Key32& invitation, const Bytes& statement,
            const DhSecret& transport) {
    connect(peer, invitation, transport);
    say(peer, peer::JoinRequest{statement, {std::string(rebuilt_code), "A member", "", {}}});
  }
  template <class Message>
  [[nodiscard]] std::optional<Message> told(PeerId peer) const {
    const auto sent = desk_.sent.find(peer);
    if (sent == desk_.sent.end()) return std::nullopt;
    for (const Bytes& bytes : sent->second) {
      const auto message = peer::decode_message(bytes);
      const auto* wanted = message ? std::get_if<Message>(&*message) : nullptr;
      if (wanted != nullptr) return *wanted;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool is_let_in(PeerId peer) const {
    const auto granted = told<peer::JoinGranted>(peer);
    return granted && granted->network_secret == *me_.network_secret;
  }
  /// The KeyGrants in the founder's own log, and who can open them.
  [[nodiscard]] std::size_t grants_to(const DhSecret& sealing_key) {
    std::size_t count = 0;
    const auto txn = desk_.log().read();
    const LogId log = log_id(me_.network, me_.member, commons);
    const std::uint64_t size = storage::log_store::head(*txn, log)->size();
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto text = decode_text(*storage::log_store::payload(*txn, log, i));
      const auto* said = text ? std::get_if<SignedRecord>(&*text) : nullptr;
      const auto record = said != nullptr ? decode_record(said->record) : fail(Errc::usage, "");
      if (!record || record->kind != "keygrant") continue;
      const auto grant = decode_key_grant(record->body);
      const auto keys = open_key_grant(*grant, me_.network, sealing_key);
      count += keys && *keys == *me_.commons_keys ? 1 : 0;
    }
    return count;
  }
  void later() {
    desk_.monotonic += 6'000;
    replica_->tick();
    desk_.run();
  }

  SigningKey recovery_{Seed{{77}}};
  // The lowest three bits of the first byte do not count.
  DhSecret old_transport_{{8}};
  DhSecret new_transport_{{16}};
};

TEST_F(Rebuilt, IsLetInWithACertificateOfAHigherNumber) {
  asks(new_machine, invite(), statement(1, new_transport_), new_transport_);
  EXPECT_TRUE(is_let_in(new_machine));
  EXPECT_EQ(waiting(), 0U) << "it is a member and no candidate";
  later();
  EXPECT_EQ(grants_to(new_transport_), 1U) << "and its keys are granted to it again";
}

TEST_F(Rebuilt, ItsKeysAreGrantedOnceForEachCertificate) {
  const Key32 invitation = invite();
  for (int times = 0; times < 3; ++times) {
    asks(new_machine, invitation, statement(1, new_transport_), new_transport_);
    replica_->peer_lost(new_machine);
    later();
    Replica::Options options;
    options.ask_before_signing = false;
    replica_ = std::make_unique<Replica>(me_, options, desk_.marks, desk_);
    desk_.run();
    later();
  }
  EXPECT_EQ(grants_to(new_transport_), 1U);
  const DhSecret third{{32}};
  asks(3, invite(), statement(2, third), third);
  later();
  EXPECT_TRUE(is_let_in(3)) << "the machine after that died as well";
  EXPECT_EQ(grants_to(third), 1U);
  EXPECT_EQ(grants_to(new_transport_), 1U);
}

TEST_F(Rebuilt, AnInvitationIsWorthOneCertificate) {
  const Key32 invitation = invite();
  for (std::uint64_t after = 1; after < 10; ++after) {
    asks(10 + after, invitation, statement(after, new_transport_), new_transport_);
    EXPECT_EQ(is_let_in(10 + after), after == 1) << after;
    replica_->peer_lost(10 + after);
    later();
  }
  EXPECT_EQ(grants_to(new_transport_), 1U);
}

TEST_F(Rebuilt, MayComeBackForItsKeysAfterACrash) {
  const Key32 invitation = invite();
  asks(new_machine, invitation, statement(1, new_transport_), new_transport_);
  replica_->peer_lost(new_machine);
  asks(3, invitation, statement(1, new_transport_), new_transport_);
  EXPECT_TRUE(is_let_in(3));
}

TEST_F(Rebuilt, ANumberThatIsNotHigherIsRefusedInWordsAndLeavesTheInvitationGood) {
  const Key32 first = invite();
  asks(new_machine, first, statement(5, new_transport_), new_transport_);
  ASSERT_TRUE(is_let_in(new_machine));
  const Key32 second = invite();
  const DhSecret late{{32}};
  for (const std::uint64_t after : {0, 4, 5}) {
    const PeerId peer = 10 + after;
    asks(peer, second, statement(after, late), late);
    EXPECT_FALSE(is_let_in(peer)) << after;
    const auto said = told<peer::JoinWaiting>(peer);
    ASSERT_TRUE(said) << after;
    EXPECT_NE(said->said.find("--above " + std::to_string(now_ms + 5)), std::string::npos)
        << said->said;
    EXPECT_NE(said->said.find("invitation is still good"), std::string::npos);
    replica_->peer_lost(peer);
  }
  asks(20, second, statement(6, late), late);
  EXPECT_TRUE(is_let_in(20));
}

TEST_F(Rebuilt, AStrangerGetsNothing) {
  const auto gets_nothing = [&](PeerId peer, const Bytes& statement, const DhSecret& transport) {
    asks(peer, invite(), statement, transport);
    EXPECT_TRUE(dropped(peer)) << peer;
    EXPECT_FALSE(is_let_in(peer)) << peer;
  };
  // Signed by another key than the member's.
  Certificate certificate = *verify_certificate(statement(1, new_transport_));
  gets_nothing(10, sign_certificate(certificate, SigningKey(Seed{{78}})), new_transport_);
  // The member's own, heard by somebody who has not the transport key that it names.
  gets_nothing(11, statement(1, new_transport_), DhSecret{{32}});
  // Of another network.
  certificate.network.bytes[0] ^= 1;
  gets_nothing(12, sign_certificate(certificate, recovery_), new_transport_);
  // A broken one.
  Bytes broken = statement(1, new_transport_);
  broken.back() ^= 1;
  gets_nothing(13, broken, new_transport_);
  EXPECT_EQ(grants_to(new_transport_), 0U);
}

TEST_F(Rebuilt, WordsOfNoMemberAreNoCandidacy) {
  const SigningKey nobody(Seed{{79}});
  Certificate certificate = *verify_certificate(certified(nobody, now_ms, new_transport_));
  certificate.reason = Certificate::Reason::lost;
  asks(new_machine, invite(), sign_certificate(certificate, nobody), new_transport_);
  EXPECT_FALSE(is_let_in(new_machine));
  const auto said = told<peer::JoinWaiting>(new_machine);
  ASSERT_TRUE(said);
  EXPECT_NE(said->said.find("no member with these recovery words"), std::string::npos)
      << said->said;
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Rebuilt, AnInvitationOfItsOwnRebuildsNobody) {
  // The founder's recovery key is nowhere: found anew with one that is known.
  PlainHost host;
  const auto txn = host.disk().write();
  const auto random = [](std::span<std::uint8_t> out) { fill_random(out); };
  Charter charter;
  charter.name = "Test";
  charter.aim = "To learn.";
  const auto made =
      found_network(charter, profile_of("ZZA"), steward_.public_key(), now_ms, random, *txn);
  ASSERT_TRUE(made);
  txn->commit();
  Replica founder(made->identity, Replica::Options{}, made->marks, host);
  host.run();
  std::optional<local::Answer> answer;
  founder.handle(1, local::InviteRequest{}, [&](local::Answer said) { answer = std::move(said); });
  host.run();
  const auto own = decode_invitation(std::get<local::InviteAnswer>(*answer).invitation);
  const auto again =
      rebuild_member(*own, made->recovery, steward_.public_key(), now_ms + 1, random);
  ASSERT_TRUE(again);
  founder.peer_connected(
      {1, false, std::nullopt, own->secret, dh_public(again->transport_key), {}});
  founder.message(1, peer::encode(peer::JoinRequest{again->certificate, again->profile}));
  host.run();
  ASSERT_EQ(host.sent.at(1).size(), 1U);
  const auto said = peer::decode_message(host.sent.at(1).front());
  EXPECT_NE(std::get<peer::JoinWaiting>(*said).said.find("very member"), std::string::npos);
}

TEST_F(Rebuilt, TheOldMachineIsToldAndLeftAlone) {
  const DhPublic old_key = dh_public(old_transport_);
  replica_->peer_connected({old_machine, false, member(), std::nullopt, old_key, {}});
  desk_.run();
  const auto by_table = replica_->candidates(old_key).front();
  EXPECT_TRUE(replica_->admit(old_key, by_table, {})) << "it is a member's";

  asks(new_machine, invite(), statement(1, new_transport_), new_transport_);
  const auto announced = told<peer::Announce>(old_machine);
  ASSERT_TRUE(announced);
  EXPECT_EQ(announced->log, its_log());
  EXPECT_EQ(announced->certificates.back(), statement(1, new_transport_));
  later();
  EXPECT_TRUE(dropped(old_machine));
  EXPECT_FALSE(replica_->admit(old_key, by_table, {})) << "nor does it come in again";
  channel::Hello hello;
  hello.certificate = statement(0, old_transport_, Certificate::Reason::first);
  EXPECT_FALSE(replica_->admit(old_key, replica_->candidates(old_key)[1], hello));
}

TEST_F(Rebuilt, ItsConnectionIsKeptBesideOneThatIsLeftOfTheOldMachine) {
  // What was dialled by the one with the lower id would be kept, were both of one machine.
  for (const bool we_dialled : {false, true}) {
    const PeerId left = we_dialled ? 20 : 30;
    replica_->peer_connected(
        {left, we_dialled, member(), std::nullopt, dh_public(old_transport_), {}});
    const DhSecret transport = we_dialled ? DhSecret{{32}} : new_transport_;
    asks(new_machine, invite(), statement(we_dialled ? 2 : 1, transport), transport);
    replica_->peer_lost(new_machine);
    replica_->peer_connected(
        {left + 1, !we_dialled, member(), std::nullopt, dh_public(transport), {}});
    desk_.run();
    EXPECT_TRUE(dropped(left));
    EXPECT_FALSE(dropped(left + 1));
    replica_->peer_lost(left);
    replica_->peer_lost(left + 1);
  }
}

/// The daemon that had the member before, as it hears of the other.
TEST_F(Rebuilt, AnOldMachineThatHearsOfTheNewOneSignsNothingMore) {
  ASSERT_TRUE(published(signed_texts({record("Before")})));
  // The founder itself, for once: the recovery key is the test's.
  PlainHost host;
  Identity identity = me_;
  const SigningKey recovery(Seed{{80}});
  identity.member = MemberId{recovery.public_key().bytes};
  const auto certificate = [&](std::uint64_t number) {
    Certificate made = *verify_certificate(certified(recovery, number, DhSecret{{3}}));
    made.reason = Certificate::Reason::lost;
    return sign_certificate(made, recovery);
  };
  identity.certificate = certificate(now_ms);
  Replica replica(identity, Replica::Options{},
                  {{log_id(me_.network, identity.member, commons), {}}}, host);
  host.run();
  replica.peer_connected({1, true, me_.member, std::nullopt, {}, {}});
  const LogId log = log_id(me_.network, identity.member, commons);
  const auto detail = [&] {
    std::string said;
    replica.handle(1, local::StatusRequest{}, [&](const local::Answer& answer) {
      said = std::get<local::StatusAnswer>(answer).state_detail;
    });
    return said;
  };
  replica.message(1, peer::encode(peer::Announce{log, {}, {certificate(now_ms)}, {}}));
  host.run();
  EXPECT_EQ(detail().find("earlier certificate"), std::string::npos) << "its own is no other's";
  replica.message(1, peer::encode(peer::Announce{log, {}, {certificate(now_ms + 1)}, {}}));
  host.run();
  EXPECT_NE(detail().find("keys of an earlier certificate"), std::string::npos) << detail();
}

}  // namespace
}  // namespace kith::daemon
