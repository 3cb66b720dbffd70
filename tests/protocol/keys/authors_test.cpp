#include "protocol/keys/authors.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/schema/samples.hpp"

namespace kith {
namespace {

constexpr Scopes publish = static_cast<Scopes>(Scope::publish);
constexpr Scopes speak = static_cast<Scopes>(Scope::speak);
constexpr Scopes stewards = static_cast<Scopes>(Scope::steward);

Bytes certificate(std::uint64_t number, std::uint8_t steward = 2, std::uint8_t daemon = 15) {
  Certificate value = samples::certificate();
  value.number = number;
  value.reason = Certificate::Reason::planned;
  value.cut_list = {};
  value.steward = samples::public_key(steward);
  value.daemon_key = samples::public_key(daemon);
  return sign_certificate(value, samples::recovery());
}

Bytes enrolment(std::uint32_t number, std::uint8_t author, Scopes scopes,
                std::uint8_t steward = 2) {
  Enrolment value = samples::enrolment();
  value.number = number;
  value.author = samples::public_key(author);
  value.scopes = scopes;
  value.steward = samples::public_key(steward);
  return sign_enrolment(value, samples::signing_key(steward));
}

KeyHistory empty_history() {
  return {samples::certificate().network, samples::certificate().member};
}

/// A history with one certificate at index 1, whose steward is key 2.
KeyHistory history() {
  KeyHistory keys = empty_history();
  EXPECT_TRUE(keys.add_certificate(1, certificate(100)));
  return keys;
}

void expect_void(const Result<bool>& result, Errc code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().detail;
}

TEST(KeyHistory, NobodyMaySpeakWithoutACertificate) {
  KeyHistory keys = empty_history();
  EXPECT_EQ(keys.certificate_at(100), nullptr);
  EXPECT_EQ(keys.newest_certificate_number(), 0U);
  EXPECT_FALSE(keys.may(samples::public_key(2), publish, 100));
  EXPECT_FALSE(keys.may(samples::public_key(2), 0, 100));
  EXPECT_FALSE(keys.is_daemon(samples::public_key(15), 100));
  expect_void(keys.add_enrolment(1, enrolment(1, 3, publish)), Errc::forbidden);
  EXPECT_TRUE(keys.statements().empty());
}

TEST(KeyHistory, TheFirstStewardHasEveryScopeFromTheCertificateOn) {
  const KeyHistory keys = history();
  EXPECT_FALSE(keys.may(samples::public_key(2), publish, 0));
  EXPECT_TRUE(keys.may(samples::public_key(2), all_scopes, 1));
  EXPECT_TRUE(keys.may(samples::public_key(2), all_scopes, 1'000'000));
  EXPECT_FALSE(keys.may(samples::public_key(3), publish, 5));
}

TEST(KeyHistory, EachScopeGrantsItselfAlone) {
  for (Scopes held = 0; held <= all_scopes; ++held) {
    KeyHistory keys = history();
    ASSERT_TRUE(keys.add_enrolment(2, enrolment(1, 3, held)));
    for (Scopes asked = 1; asked <= all_scopes; ++asked) {
      const bool expected = (held & asked) == asked;
      EXPECT_EQ(keys.may(samples::public_key(3), asked, 3), expected)
          << int{held} << " " << int{asked};
    }
    EXPECT_EQ(keys.may(samples::public_key(3), 0, 3), held != 0);
  }
}

TEST(KeyHistory, AnEnrolmentCountsFromItsIndexOn) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_enrolment(7, enrolment(1, 3, publish)));
  EXPECT_FALSE(keys.may(samples::public_key(3), publish, 6));
  EXPECT_TRUE(keys.may(samples::public_key(3), publish, 8));
}

TEST(KeyHistory, AWithdrawalEndsWhatFollowsAndNothingBefore) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_enrolment(2, enrolment(1, 3, publish)));
  ASSERT_TRUE(keys.add_enrolment(10, enrolment(2, 3, 0)));
  EXPECT_TRUE(keys.may(samples::public_key(3), publish, 9));
  EXPECT_FALSE(keys.may(samples::public_key(3), publish, 11));
  EXPECT_FALSE(keys.may(samples::public_key(3), 0, 11));
  ASSERT_TRUE(keys.add_enrolment(20, enrolment(3, 3, speak)));
  EXPECT_FALSE(keys.may(samples::public_key(3), speak, 19));
  EXPECT_TRUE(keys.may(samples::public_key(3), speak, 21));
  EXPECT_FALSE(keys.may(samples::public_key(3), publish, 21));
}

TEST(KeyHistory, OnlyAStewardEnrols) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_enrolment(2, enrolment(1, 3, publish | speak)));
  expect_void(keys.add_enrolment(3, enrolment(2, 4, publish, 3)), Errc::forbidden);
  ASSERT_TRUE(keys.add_enrolment(4, enrolment(2, 5, stewards)));
  EXPECT_TRUE(keys.add_enrolment(5, enrolment(3, 4, publish, 5)));
}

TEST(KeyHistory, AWithdrawnStewardEnrolsNobody) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_enrolment(2, enrolment(1, 5, stewards)));
  ASSERT_TRUE(keys.add_enrolment(3, enrolment(2, 2, 0, 5)));
  expect_void(keys.add_enrolment(4, enrolment(3, 6, publish, 2)), Errc::forbidden);
  EXPECT_TRUE(keys.add_enrolment(4, enrolment(3, 6, publish, 5)));
}

TEST(KeyHistory, AnEnrolmentOutOfTurnIsVoid) {
  KeyHistory keys = history();
  EXPECT_EQ(keys.next_enrolment(), 1U);
  expect_void(keys.add_enrolment(2, enrolment(2, 3, publish)), Errc::conflict);
  ASSERT_TRUE(keys.add_enrolment(2, enrolment(1, 3, publish)));
  expect_void(keys.add_enrolment(3, enrolment(1, 3, publish)), Errc::stale);
  expect_void(keys.add_enrolment(3, enrolment(1, 4, publish)), Errc::stale);
  expect_void(keys.add_enrolment(3, enrolment(3, 4, publish)), Errc::conflict);
  EXPECT_EQ(keys.next_enrolment(), 2U);
  EXPECT_FALSE(keys.may(samples::public_key(4), publish, 5));
  EXPECT_EQ(keys.statements().size(), 2U);
}

TEST(KeyHistory, StatementsForOthersAreVoid) {
  KeyHistory keys = history();
  Enrolment other = samples::enrolment();
  other.network.bytes[0] ^= 1;
  expect_void(keys.add_enrolment(2, sign_enrolment(other, samples::steward())), Errc::forbidden);
  other = samples::enrolment();
  other.member = samples::member(9);
  expect_void(keys.add_enrolment(2, sign_enrolment(other, samples::steward())), Errc::forbidden);

  Certificate certificate = samples::certificate();
  certificate.network.bytes[0] ^= 1;
  expect_void(keys.add_certificate(2, sign_certificate(certificate, samples::recovery())),
              Errc::forbidden);
  certificate = samples::certificate();
  certificate.member = samples::member(9);
  expect_void(keys.add_certificate(2, sign_certificate(certificate, samples::signing_key(9))),
              Errc::bad_signature);
  EXPECT_EQ(keys.statements().size(), 1U);
}

TEST(KeyHistory, ACertificateNeedsAHigherNumber) {
  KeyHistory keys = history();
  expect_void(keys.add_certificate(2, certificate(99)), Errc::stale);
  expect_void(keys.add_certificate(2, certificate(100)), Errc::stale);
  expect_void(keys.add_certificate(2, certificate(100, 3)), Errc::conflict);
  ASSERT_TRUE(keys.add_certificate(2, certificate(101)));
  expect_void(keys.add_certificate(3, certificate(100, 3)), Errc::conflict);
  EXPECT_EQ(keys.newest_certificate_number(), 101U);
}

TEST(KeyHistory, TheCertificateAtASizeIsTheLastAmongItsLeaves) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_certificate(10, certificate(200)));
  EXPECT_EQ(keys.certificate_at(0), nullptr);
  EXPECT_EQ(keys.certificate_at(1), nullptr);
  EXPECT_EQ(keys.certificate_at(2)->number, 100U);
  EXPECT_EQ(keys.certificate_at(10)->number, 100U);
  EXPECT_EQ(keys.certificate_at(11)->number, 200U);
}

TEST(KeyHistory, TheDaemonsKeyIsThatOfTheCertificateInForce) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_certificate(10, certificate(200, 2, 30)));
  EXPECT_FALSE(keys.is_daemon(samples::public_key(15), 0));
  EXPECT_TRUE(keys.is_daemon(samples::public_key(15), 9));
  EXPECT_FALSE(keys.is_daemon(samples::public_key(30), 9));
  EXPECT_FALSE(keys.is_daemon(samples::public_key(15), 11));
  EXPECT_TRUE(keys.is_daemon(samples::public_key(30), 11));
  EXPECT_FALSE(keys.may(samples::public_key(30), publish, 11));
}

TEST(KeyHistory, ACertificateThatNamesAnotherStewardGivesItEveryScope) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_certificate(10, certificate(200, 7)));
  EXPECT_FALSE(keys.may(samples::public_key(7), publish, 9));
  EXPECT_TRUE(keys.may(samples::public_key(7), all_scopes, 10));
  EXPECT_TRUE(keys.add_enrolment(11, enrolment(1, 2, 0, 7)));
  EXPECT_FALSE(keys.may(samples::public_key(2), publish, 12));
}

TEST(KeyHistory, ACertificateThatNamesTheSameStewardUndoesNoWithdrawal) {
  KeyHistory keys = history();
  ASSERT_TRUE(keys.add_enrolment(2, enrolment(1, 5, stewards)));
  ASSERT_TRUE(keys.add_enrolment(3, enrolment(2, 2, 0, 5)));
  ASSERT_TRUE(keys.add_certificate(4, certificate(200, 2)));
  EXPECT_FALSE(keys.may(samples::public_key(2), publish, 5));
}

TEST(KeyHistory, AuthorsAndStatementsAreListed) {
  KeyHistory keys = history();
  const Bytes first = enrolment(1, 3, publish);
  ASSERT_TRUE(keys.add_enrolment(2, first));
  ASSERT_TRUE(keys.add_enrolment(5, enrolment(2, 3, 0)));
  const std::map<PublicKey, Scopes> expected = {{samples::public_key(2), all_scopes},
                                                {samples::public_key(3), 0}};
  EXPECT_EQ(keys.authors(), expected);
  ASSERT_EQ(keys.statements().size(), 3U);
  EXPECT_TRUE(keys.statements()[0].is_certificate);
  EXPECT_EQ(keys.statements()[1].index, 2U);
  EXPECT_FALSE(keys.statements()[1].is_certificate);
  EXPECT_EQ(keys.statements()[1].statement, first);
}

// ---- cuts ----

const LogId cut_log{{0x4C}};
const TreeHash cut_root{{0x52}};

Bytes cut_list(std::uint64_t size, const LogId& log = cut_log, const TreeHash& root = cut_root) {
  return encode(CutList{{{log, size, root}}});
}

Bytes cutting(std::uint64_t number, const Bytes& list) {
  Certificate value = samples::certificate();
  value.number = number;
  value.reason = Certificate::Reason::cut;
  value.cut_list = cut_list_hash(list);
  return sign_certificate(value, samples::recovery());
}

TEST(KeyHistory, ACutStandsWhereItsListSays) {
  KeyHistory keys = history();
  const Bytes list = cut_list(7);
  ASSERT_TRUE(keys.add_certificate(7, cutting(200, list)));
  EXPECT_EQ(keys.cut_without_list(), 7U);
  EXPECT_TRUE(keys.add_cut_list(8, list, cut_log, cut_root));
  EXPECT_EQ(keys.cut_without_list(), std::nullopt);
  expect_void(keys.add_cut_list(9, list, cut_log, cut_root), Errc::unrequested);
}

TEST(KeyHistory, ACutListOfOtherLogsSaysNothingOfThisOne) {
  KeyHistory keys = history();
  const Bytes list = cut_list(99, LogId{{1}});
  ASSERT_TRUE(keys.add_certificate(7, cutting(200, list)));
  EXPECT_TRUE(keys.add_cut_list(8, list, cut_log, cut_root));
}

TEST(KeyHistory, ACutListThatDoesNotFitIsVoid) {
  const auto refused = [](const Bytes& named, const Bytes& given, std::uint64_t at,
                          const TreeHash& root, Errc code) {
    KeyHistory keys = history();
    ASSERT_TRUE(keys.add_certificate(7, cutting(200, named)));
    expect_void(keys.add_cut_list(at, given, cut_log, root), code);
    EXPECT_EQ(keys.cut_without_list(), 7U);
  };
  const Bytes list = cut_list(7);
  refused(list, cut_list(6), 8, cut_root, Errc::bad_proof);
  refused(list, list, 9, cut_root, Errc::unrequested);
  refused(list, list, 8, TreeHash{{1}}, Errc::bad_proof);
  refused(cut_list(6), cut_list(6), 8, cut_root, Errc::bad_proof);
  refused({1, 2, 3}, {1, 2, 3}, 8, cut_root, Errc::malformed);
}

TEST(KeyHistory, OnlyACertificateThatCutsHasAList) {
  KeyHistory keys = history();
  expect_void(keys.add_cut_list(2, cut_list(1), cut_log, cut_root), Errc::unrequested);
  EXPECT_EQ(keys.cut_without_list(), std::nullopt);
}

}  // namespace
}  // namespace kith
