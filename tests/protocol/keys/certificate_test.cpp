#include "protocol/keys/certificate.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "tests/protocol/schema/samples.hpp"

namespace kith {
namespace {

/// Points of small order, the identity among them, and one that is on no curve.
const char* const bad_keys[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0200000000000000000000000000000000000000000000000000000000000000",
};
/// X25519 points of small order.
const char* const bad_dh_keys[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
};

template <class Key>
Key key_of(const char* hex) {
  return Key::from(*from_hex(hex));
}

void expect_error(const Result<Certificate>& result, Errc code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().detail;
}

TEST(Certificate, ASignedOneVerifies) {
  const Bytes statement = sign_certificate(samples::certificate(), samples::recovery());
  EXPECT_EQ(*verify_certificate(statement, samples::member(1)), samples::certificate());
  EXPECT_EQ(*verify_certificate(statement), samples::certificate());
}

TEST(Certificate, TheSignatureCoversDomainAndSegment) {
  const Bytes segment = encode(samples::certificate());
  const Bytes statement = sign_certificate(samples::certificate(), samples::recovery());
  ASSERT_EQ(statement.size(), segment.size() + 64);
  EXPECT_TRUE(equal(BytesView(statement).first(segment.size()), segment));
  const auto signature = Signature::from(BytesView(statement).subspan(segment.size()));
  EXPECT_TRUE(verify(samples::public_key(1), {view("kith/trust-keys/v1\n"), segment}, signature));
}

TEST(Certificate, AnotherSignerIsRefused) {
  const Bytes statement = sign_certificate(samples::certificate(), samples::signing_key(9));
  expect_error(verify_certificate(statement, samples::member(1)), Errc::bad_signature);
  expect_error(verify_certificate(statement), Errc::bad_signature);
}

TEST(Certificate, AnotherMembersIsRefused) {
  // Signed well by member 9, whose key it does not name.
  const Bytes statement = sign_certificate(samples::certificate(), samples::signing_key(9));
  expect_error(verify_certificate(statement, samples::member(9)), Errc::bad_signature);
  const Bytes own = sign_certificate(samples::certificate(), samples::recovery());
  expect_error(verify_certificate(own, samples::member(9)), Errc::bad_signature);
}

TEST(Certificate, EveryFlippedBitIsRefused) {
  const Bytes statement = sign_certificate(samples::certificate(), samples::recovery());
  for (std::size_t at = 0; at < statement.size(); ++at) {
    Bytes flipped = statement;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1U << (at % 8)));
    EXPECT_FALSE(verify_certificate(flipped, samples::member(1))) << at;
    EXPECT_FALSE(verify_certificate(flipped)) << at;
  }
}

TEST(Certificate, AnEd25519KeyOfSmallOrderIsRefused) {
  for (const char* hex : bad_keys) {
    const auto bad = key_of<PublicKey>(hex);
    for (PublicKey Certificate::* key : {&Certificate::log_key, &Certificate::witness_key,
                                         &Certificate::daemon_key, &Certificate::steward}) {
      Certificate certificate = samples::certificate();
      certificate.*key = bad;
      const Bytes statement = sign_certificate(certificate, samples::recovery());
      expect_error(verify_certificate(statement), Errc::malformed);
    }
  }
}

TEST(Certificate, AnX25519KeyOfSmallOrderIsRefused) {
  for (const char* hex : bad_dh_keys) {
    for (const int which : {0, 1, 2}) {
      Certificate certificate = samples::certificate();
      DhPublic& key = which == 0   ? certificate.transport_key
                      : which == 1 ? certificate.sealing_key
                                   : certificate.relays[1];
      key = key_of<DhPublic>(hex);
      const Bytes statement = sign_certificate(certificate, samples::recovery());
      expect_error(verify_certificate(statement), Errc::malformed);
    }
  }
}

TEST(Certificate, AMemberOfSmallOrderIsRefused) {
  Certificate certificate = samples::certificate();
  certificate.member = key_of<MemberId>(bad_keys[1]);
  EXPECT_FALSE(verify_certificate(sign_certificate(certificate, samples::recovery())));
  // For the identity as key, R = B times s and s verify whatever is said, if small orders pass.
  Bytes statement = encode(certificate);
  append(statement, Bytes(64, 0));
  EXPECT_FALSE(verify_certificate(statement, certificate.member));
}

TEST(Certificate, TheWrongLengthIsRefusedBeforeAnythingElse) {
  expect_error(verify_certificate(Bytes{}), Errc::malformed);
  expect_error(verify_certificate(Bytes(64, 0)), Errc::malformed);
  expect_error(verify_certificate(Bytes(limits::statement_bytes_max + 8, 0)), Errc::too_large);
  expect_error(verify_certificate(Bytes(961, 0), samples::member(1)), Errc::too_large);
}

TEST(Certificate, WithTheMostRelaysItIsStillAStatement) {
  Certificate certificate = samples::certificate();
  certificate.relays = {samples::dh_key(20), samples::dh_key(21), samples::dh_key(22),
                        samples::dh_key(23)};
  const Bytes statement = sign_certificate(certificate, samples::recovery());
  EXPECT_LE(statement.size(), limits::statement_bytes_max);
  EXPECT_TRUE(verify_certificate(statement));
}

TEST(Enrolment, ASignedOneVerifies) {
  const Bytes statement = sign_enrolment(samples::enrolment(), samples::steward());
  EXPECT_EQ(*verify_enrolment(statement), samples::enrolment());
  const Bytes segment = encode(samples::enrolment());
  const auto signature = Signature::from(BytesView(statement).subspan(segment.size()));
  EXPECT_TRUE(verify(samples::public_key(2), {view("kith/enrolment/v1\n"), segment}, signature));
}

TEST(Enrolment, AnotherSignerThanTheOneNamedIsRefused) {
  const auto result =
      verify_enrolment(sign_enrolment(samples::enrolment(), samples::signing_key(9)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::bad_signature);
}

TEST(Enrolment, EveryFlippedBitIsRefused) {
  const Bytes statement = sign_enrolment(samples::enrolment(), samples::steward());
  for (std::size_t at = 0; at < statement.size(); ++at) {
    Bytes flipped = statement;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1U << (at % 8)));
    EXPECT_FALSE(verify_enrolment(flipped)) << at;
  }
}

TEST(Enrolment, AKeyOfSmallOrderIsRefused) {
  for (const char* hex : bad_keys) {
    Enrolment enrolment = samples::enrolment();
    enrolment.author = key_of<PublicKey>(hex);
    const auto result = verify_enrolment(sign_enrolment(enrolment, samples::steward()));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::malformed);
    enrolment = samples::enrolment();
    enrolment.steward = key_of<PublicKey>(hex);
    EXPECT_FALSE(verify_enrolment(sign_enrolment(enrolment, samples::steward())));
  }
}

TEST(Enrolment, ACertificatesSignatureIsNone) {
  // The same segment signed for the other purpose.
  Bytes statement = encode(samples::enrolment());
  append(
      statement,
      samples::steward().sign({view("kith/trust-keys/v1\n"), encode(samples::enrolment())}).view());
  const auto result = verify_enrolment(statement);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::bad_signature);
}

}  // namespace
}  // namespace kith
