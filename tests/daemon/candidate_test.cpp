#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
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
