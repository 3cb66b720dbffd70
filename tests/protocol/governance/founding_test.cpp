#include <gtest/gtest.h>

#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"
#include "tests/protocol/governance/builders.hpp"

namespace kith {
namespace {

Seed seed_of(std::uint8_t value) {
  Seed seed;
  seed.bytes.fill(value);
  return seed;
}

/// Everything that a network begins with, to be spoilt one thing at a time.
class FoundingFold : public ::testing::Test {
 protected:
  FoundingFold() {
    founding.profile.code = "ASH";
    founding.profile.name = "Ashdown";
    founding.profile.role = "trust";
    founding.charter.name = "Harbour";
    founding.charter.aim = "To learn from one another.";
    founding.charter.admit = {Rule::Form::all, 0};
    record.kind = "founding";
    record.author = recovery.public_key();
    record.time = 1'700'000'000'000;
    record.nonce.bytes[0] = 1;

    certificate.member = MemberId::from(recovery.public_key().view());
    certificate.number = 1'700'000'000'000;
    certificate.log_key = SigningKey(seed_of(2)).public_key();
    certificate.witness_key = SigningKey(seed_of(3)).public_key();
    certificate.transport_key = dh_public(DhSecret::from(seed_of(4).view()));
    certificate.sealing_key = dh_public(DhSecret::from(seed_of(5).view()));
    certificate.daemon_key = SigningKey(seed_of(6)).public_key();
    certificate.steward = SigningKey(seed_of(7)).public_key();
  }

  /// The text of leaf 0 and the network it makes.
  Bytes text() {
    record.body = encode(founding);
    const Bytes bytes = encode(record);
    network = NetworkId::from(record_id(bytes).view());
    return encode_text(sign_batch(record.network, record.log, {bytes}, signer).at(0));
  }
  Result<GovernanceFold> begin() {
    const Bytes founding_text = text();
    if (certificate.network.is_zero()) certificate.network = network;
    return GovernanceFold::begin(founding_text, sign_certificate(certificate, certifier));
  }

  SigningKey recovery{seed_of(1)};
  SigningKey signer = recovery;
  SigningKey certifier = recovery;
  Founding founding;
  Record record;
  Certificate certificate;
  NetworkId network;
};

TEST_F(FoundingFold, MakesANetworkOfTheFounderAlone) {
  const auto fold = begin();
  ASSERT_TRUE(fold.has_value()) << fold.error().detail;
  const NetworkState& state = fold->state();
  EXPECT_EQ(state.network, network);
  EXPECT_EQ(state.decision, DecisionId::from(network.view()));
  EXPECT_EQ(state.charter, founding.charter);
  EXPECT_EQ(fold->founder(), certificate.member);
  ASSERT_EQ(state.electors(), std::vector{certificate.member});
  const MemberState& member = state.members.at(certificate.member);
  EXPECT_EQ(member.profile, founding.profile);
  EXPECT_EQ(member.certificate, certificate);
  EXPECT_EQ(verify_certificate(member.certificate_statement)->member, certificate.member);
  EXPECT_EQ(member.admitted_by, state.decision);
  EXPECT_TRUE(state.commons_witnesses(certificate.member).empty());
}

TEST_F(FoundingFold, TheFounderAdmitsFromThere) {
  auto fold = begin();
  ASSERT_TRUE(fold.has_value());
  const DecisionId basis = fold->state().decision;
  const RecordId proposal = testing::test_id("admission");
  GovernanceLog log;
  log.member = certificate.member;
  log.complete = 5;
  log.entries = {{2, proposal, Proposal{basis, {Admit{testing::statement_for(2, network), {}}}}},
                 {3, testing::test_id("word"), Consent{proposal, 1, Consent::Word::agree}},
                 {4, testing::test_id("seen"), Seen{proposal, 1}}};
  EXPECT_EQ(fold->advance({{certificate.member, log}}), 1U);
  EXPECT_EQ(fold->state().electors().size(), 2U);
}

TEST_F(FoundingFold, RefusesAnotherKind) {
  record.kind = "profile";
  EXPECT_EQ(begin().error().code, Errc::malformed);
}

TEST_F(FoundingFold, RefusesARecordThatNamesANetworkOrALog) {
  record.network.bytes[0] = 1;
  EXPECT_FALSE(begin().has_value());
  record.network = {};
  record.log.bytes[0] = 1;
  EXPECT_FALSE(begin().has_value());
}

TEST_F(FoundingFold, RefusesASignatureByAnotherKey) {
  signer = SigningKey(seed_of(9));
  EXPECT_EQ(begin().error().code, Errc::bad_signature);
}

TEST_F(FoundingFold, RefusesTheCertificateOfAnotherMember) {
  certifier = SigningKey(seed_of(9));
  certificate.member = MemberId::from(certifier.public_key().view());
  EXPECT_FALSE(begin().has_value());
}

TEST_F(FoundingFold, RefusesACertificateSignedByAnother) {
  certifier = SigningKey(seed_of(9));
  EXPECT_EQ(begin().error().code, Errc::bad_signature);
}

TEST_F(FoundingFold, RefusesACertificateForAnotherNetwork) {
  certificate.network.bytes[0] = 1;
  EXPECT_EQ(begin().error().code, Errc::conflict);
}

TEST_F(FoundingFold, RefusesBytesThatAreNoRecord) {
  const Bytes statement = sign_certificate(certificate, recovery);
  EXPECT_FALSE(GovernanceFold::begin({}, statement).has_value());
  const Bytes other = encode_text(CertificateText{statement});
  EXPECT_EQ(GovernanceFold::begin(other, statement).error().code, Errc::malformed);
  Bytes spoilt = text();
  spoilt.back() ^= 1;
  EXPECT_FALSE(GovernanceFold::begin(spoilt, statement).has_value());
}

}  // namespace
}  // namespace kith
