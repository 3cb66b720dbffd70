#include <gtest/gtest.h>

#include "daemon/random.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/records/record.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/plain_host.hpp"

namespace kith::daemon {
namespace {

/// The founder of a network, alone, with one invitation that is out.
struct Sponsor {
  Sponsor() {
    const auto txn = host.disk().write();
    const auto random = [&](std::span<std::uint8_t> out) { host.random(out); };
    Charter charter;
    charter.name = "North";
    charter.aim = "Learn";
    auto made =
        found_network(charter, {"ZZA", "Ashdown", "trust", {"a.example:1"}},
                      SigningKey(Seed::from(Bytes(32, 1))).public_key(), host.now(), random, *txn);
    EXPECT_TRUE(made);
    identity = made->identity;
    host.marks = made->marks;
    txn->commit();
    start();
    replica->handle(1, local::InviteRequest{}, [&](const local::Answer& answer) {
      const auto* invited = std::get_if<local::InviteAnswer>(&answer);
      if (invited == nullptr) return;
      const auto read = decode_invitation(invited->invitation);
      if (read) invitation = *read;
    });
    host.run();
    EXPECT_EQ(invitation.network, identity.network);
  }

  void start() {
    replica.emplace(identity, Replica::Options{}, host.marks, host);
    host.run();
  }

  /// Somebody with this recovery key uses the invitation over a connection of its own.
  void ask(PeerId peer, std::uint8_t recovery, std::uint8_t transport) {
    PeerSession session;
    session.peer = peer;
    session.invitation = invitation.secret;
    session.transport_key = DhPublic::from(Bytes(32, transport));
    replica->peer_connected(session);
    const SigningKey key(Seed::from(Bytes(32, recovery)));
    Certificate certificate;
    certificate.network = identity.network;
    certificate.member = MemberId::from(key.public_key().view());
    certificate.number = 1;
    certificate.log_key = certificate.witness_key = key.public_key();
    certificate.daemon_key = certificate.steward = key.public_key();
    certificate.transport_key = session.transport_key;
    certificate.sealing_key = DhPublic::from(Bytes(32, 9));
    replica->message(peer, peer::encode(peer::JoinRequest{sign_certificate(certificate, key),
                                                          {"ZZB", "Calder", "trust", {}}}));
    host.run();
  }

  std::size_t candidates() {
    std::size_t count = 0;
    replica->handle(2, local::ProposalsRequest{}, [&](const local::Answer& answer) {
      const auto* open = std::get_if<local::ProposalsAnswer>(&answer);
      count = open == nullptr ? ~std::size_t{0} : open->candidates.size();
    });
    host.run();
    return count;
  }

  PlainHost host;
  Identity identity;
  Invitation invitation;
  std::optional<Replica> replica;
};

TEST(Candidate, OneForEachInvitationHoweverManyNamesItTakes) {
  Sponsor sponsor;
  for (std::uint8_t name = 10; name < 30; ++name) sponsor.ask(name, name, 7);
  EXPECT_EQ(sponsor.candidates(), 1U);
  EXPECT_EQ(sponsor.host.dropped.size(), 20U);
}

TEST(Candidate, SaysOnlyWhatACandidateHasToSay) {
  Sponsor sponsor;
  const std::size_t lines = sponsor.host.lines.size();
  PeerId next = 1;
  for (const peer::Message& message :
       {peer::Message(peer::JoinWaiting{"write this into your log"}),
        peer::Message(peer::JoinGranted{}), peer::Message(peer::Pong{})}) {
    PeerSession session;
    session.peer = next++;
    session.invitation = sponsor.invitation.secret;
    sponsor.replica->peer_connected(session);
    sponsor.replica->message(session.peer, peer::encode(message));
    sponsor.host.run();
    EXPECT_EQ(sponsor.host.dropped.at(session.peer).code, Errc::unrequested);
  }
  EXPECT_EQ(sponsor.host.lines.size(), lines);
}

/// Whoever came with that invitation, once it was told that it is admitted.
struct Newcomer {
  explicit Newcomer(Sponsor& host_of) : sponsor(host_of) {
    const auto txn = host.disk().write();
    const auto made = join_network(sponsor.invitation, {"ZZB", "Calder", "trust", {}},
                                   SigningKey(Seed::from(Bytes(32, 2))).public_key(), host.now(),
                                   fill_random, *txn);
    EXPECT_TRUE(made);
    txn->commit();
    replica.emplace(made->identity, Replica::Options{}, made->marks, host);
    host.run();
  }
  void is_given(const SpaceKeys& keys) {
    const auto targets = replica->dial_targets();
    ASSERT_EQ(targets.size(), 1U);
    ASSERT_TRUE(targets[0].joining);
    replica->peer_connected(dialled_session(1, targets[0]));
    replica->message(
        1, peer::encode(peer::JoinGranted{sponsor.identity.decision,
                                          *sponsor.identity.network_secret, keys.g, keys.r}));
    host.run();
    replica->peer_lost(1);
    // The founder's log, from the founder as from any member.
    sponsor.replica->peer_connected({9, false, replica->identity().member, std::nullopt, {}, {}});
    replica->peer_connected({9, true, sponsor.identity.member, std::nullopt, {}, {}});
    for (int i = 0; i < 50; ++i) {
      host.run();
      sponsor.host.run();
      for (const Bytes& said : std::exchange(host.sent[9], {})) sponsor.replica->message(9, said);
      for (const Bytes& said : std::exchange(sponsor.host.sent[9], {})) replica->message(9, said);
    }
  }
  std::string state() {
    std::string detail;
    replica->handle(1, local::StatusRequest{}, [&](const local::Answer& answer) {
      detail = std::get<local::StatusAnswer>(answer).state_detail;
    });
    return detail;
  }

  Sponsor& sponsor;
  PlainHost host;
  std::optional<Replica> replica;
};

TEST(Newcomer, TakesOnlyTheKeysThatTheFoundersLogNames) {
  Sponsor sponsor;
  Newcomer fooled(sponsor);
  SpaceKeys keys = *sponsor.identity.commons_keys;
  keys.r.bytes[0] ^= 1;
  fooled.is_given(keys);
  EXPECT_NE(fooled.state().find("keys that are not this network's"), std::string::npos)
      << fooled.state();

  Newcomer honest(sponsor);
  honest.is_given(*sponsor.identity.commons_keys);
  EXPECT_EQ(honest.state().find("keys"), std::string::npos) << honest.state();
  EXPECT_FALSE(honest.host.dropped.contains(9));
}

TEST(Newcomer, NoLaterGrantOfTheFounderMakesItsKeysFalse) {
  Sponsor sponsor;
  const Identity& me = sponsor.identity;
  const LogId log = log_id(me.network, me.member, commons);
  Record record;
  record.kind = "keygrant";
  const Seed ephemeral{{3}};
  record.body = encode(make_key_grant(me.network, commons, DecisionId::from(me.network.view()),
                                      SpaceKeys{Key32{{1}}, Key32{{2}}},
                                      {{me.member, dh_public(me.sealing_key)}}, {&ephemeral, 1}));
  record.network = me.network;
  record.log = log;
  const SigningKey daemon_key(me.daemon_key);
  record.author = daemon_key.public_key();
  const Bytes payload =
      encode_text(sign_batch(me.network, log, {encode(record)}, daemon_key).front());
  const std::string leaf = encode_leaf(make_leaf(LeafClass::clear, 1, payload));
  const storage::NewEntry entry{view(leaf), BytesView(payload)};
  const auto txn = sponsor.host.disk().write();
  const std::uint64_t size = storage::log_store::head(*txn, log)->size();
  ASSERT_TRUE(storage::log_store::append(*txn, log, size, {&entry, 1}));
  txn->commit();
  sponsor.start();

  std::optional<local::StatusAnswer> status;
  sponsor.replica->handle(1, local::StatusRequest{}, [&](const local::Answer& answer) {
    status = std::get<local::StatusAnswer>(answer);
  });
  ASSERT_TRUE(status);
  EXPECT_EQ(status->log_size, size + 1);
  EXPECT_EQ(status->bad, 0U) << "it is admissible";
  EXPECT_EQ(status->state_detail, "");
}

TEST(Candidate, IsRememberedAcrossARestart) {
  Sponsor sponsor;
  sponsor.ask(1, 10, 7);
  sponsor.start();
  EXPECT_EQ(sponsor.candidates(), 1U);
  // Nobody else may come with its invitation.
  sponsor.ask(2, 11, 8);
  EXPECT_EQ(sponsor.candidates(), 1U);
  EXPECT_EQ(sponsor.host.dropped.at(2).code, Errc::stale);
}

TEST(Candidate, IsForgottenWithItsInvitation) {
  Sponsor sponsor;
  sponsor.ask(1, 10, 7);
  ASSERT_EQ(sponsor.candidates(), 1U);
  sponsor.host.clock += limits::invitation_ms;
  sponsor.replica->handle(1, local::InviteRequest{}, [](const local::Answer&) {});
  sponsor.host.run();
  EXPECT_EQ(sponsor.candidates(), 0U);
  sponsor.start();
  EXPECT_EQ(sponsor.candidates(), 0U) << "nor does a restart bring it back";
}

}  // namespace
}  // namespace kith::daemon
