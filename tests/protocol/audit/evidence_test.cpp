#include "protocol/audit/evidence.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/witness.hpp"
#include "tests/support/archive.hpp"

namespace kith {
namespace {

using testing::ArchivedMember;

TreeHash numbered(std::uint64_t number, std::uint8_t branch) {
  Bytes entry{branch};
  append_integer(entry, number);
  return leaf_hash(entry);
}

/// A log that has one history up to `shared` and then one for each branch.
struct Branch {
  Branch(std::uint8_t name, std::uint64_t shared, std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) leaves.push_back(numbered(i, i < shared ? 0 : name));
  }
  [[nodiscard]] TreeHash root(std::uint64_t size) const {
    return tree_root(std::span(leaves).first(size));
  }
  [[nodiscard]] Path path(std::uint64_t from, std::uint64_t to) const {
    const MemoryTree tree{std::span(leaves).first(to)};
    return consistency_path(from, to, [&](unsigned height, std::uint64_t index) {
      return tree.subtree(height, index);
    });
  }
  std::vector<TreeHash> leaves;
};

class EvidenceTest : public ::testing::Test {
 protected:
  [[nodiscard]] SignedTree signed_by(const ArchivedMember& member, std::uint64_t size,
                                     const TreeHash& root) const {
    return {size, root, sign_checkpoint(owner.log(), size, root, member.log_key), member.statement};
  }
  [[nodiscard]] SignedTree cosigned(std::uint64_t size, const TreeHash& root,
                                    std::uint64_t time_s = 7) const {
    const Cosignature word =
        cosign(owner.log(), size, root, witness.id(), time_s, witness.witness_key);
    return {size, root, note_of(word, witness.witness_key.public_key()), witness.statement};
  }
  [[nodiscard]] Evidence fork() const {
    return make_evidence(commons, signed_by(owner, 20, second.root(20)),
                         signed_by(owner, 13, first.root(13)), second.root(13),
                         second.path(13, 20));
  }
  static bool proves(const Evidence& evidence) { return verify_evidence(evidence).has_value(); }

  ArchivedMember owner{1, testing::archive_network()};
  ArchivedMember witness{101, testing::archive_network()};
  Branch first{1, 8, 30};
  Branch second{2, 8, 30};
};

TEST_F(EvidenceTest, TwoRootsOfOneSizeProveTwoHistories) {
  const Evidence evidence = make_evidence(commons, signed_by(owner, 13, second.root(13)),
                                          signed_by(owner, 13, first.root(13)), {}, {});
  const auto proven = verify_evidence(evidence);
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->liar, Liar::log_key);
  EXPECT_EQ(proven->member, owner.id());
  EXPECT_EQ(proven->network, testing::archive_network());
  EXPECT_EQ(proven->log, owner.log());
  EXPECT_EQ(proven->said[0].size, 13U);
  EXPECT_LT(proven->said[0].root, proven->said[1].root);
  EXPECT_EQ(evidence.certificates.size(), 1U) << "one key signed both";
  EXPECT_TRUE(evidence == make_evidence(commons, signed_by(owner, 13, first.root(13)),
                                        signed_by(owner, 13, second.root(13)), {}, {}))
      << "of one contradiction there is one encoding";
}

TEST_F(EvidenceTest, ALargerTreeThatDoesNotBeginWithTheSmallerProvesTwoHistories) {
  for (std::uint64_t small = 9; small < 30; ++small) {
    for (std::uint64_t large = small + 1; large <= 30; ++large) {
      const Evidence evidence = make_evidence(commons, signed_by(owner, small, first.root(small)),
                                              signed_by(owner, large, second.root(large)),
                                              second.root(small), second.path(small, large));
      ASSERT_TRUE(proves(evidence)) << small << " and " << large;
      ASSERT_TRUE(decode_evidence(encode_evidence(evidence)) == evidence);
    }
  }
}

TEST_F(EvidenceTest, WhatCanBothBeTrueProvesNothing) {
  for (const std::uint64_t small : {1, 7, 8}) {
    EXPECT_FALSE(proves(make_evidence(commons, signed_by(owner, small, first.root(small)),
                                      signed_by(owner, 20, second.root(20)), second.root(small),
                                      second.path(small, 20))));
  }
  const SignedTree once = signed_by(owner, 13, first.root(13));
  EXPECT_FALSE(proves(make_evidence(commons, once, once, {}, {})));
  EXPECT_FALSE(proves(make_evidence(owner.statement, owner.statement)));
}

TEST_F(EvidenceTest, APathThatLeadsElsewhereProvesNothing) {
  // Whoever could choose the root at the smaller size freely could accuse anybody.
  const SignedTree small = signed_by(owner, 13, first.root(13));
  const SignedTree large = signed_by(owner, 20, first.root(20));
  EXPECT_FALSE(proves(make_evidence(commons, small, large, second.root(13), first.path(13, 20))));
  EXPECT_FALSE(proves(make_evidence(commons, small, large, second.root(13), second.path(13, 20))));
  EXPECT_FALSE(proves(make_evidence(commons, small, large, TreeHash{{1}}, {})));
  Evidence cut_short = fork();
  cut_short.path.pop_back();
  EXPECT_FALSE(proves(cut_short));
}

TEST_F(EvidenceTest, TwoKeysOfOneMemberCountAsOne) {
  const SigningKey later(Seed{{77}});
  Certificate certificate = *verify_certificate(owner.statement);
  ++certificate.number;
  certificate.log_key = later.public_key();
  const Bytes statement = sign_certificate(certificate, owner.identity);
  const TreeHash root = second.root(13);
  const SignedTree other{13, root, sign_checkpoint(owner.log(), 13, root, later), statement};
  const Evidence evidence =
      make_evidence(commons, signed_by(owner, 13, first.root(13)), other, {}, {});
  const auto proven = verify_evidence(evidence);
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(evidence.certificates.size(), 2U);
  EXPECT_EQ(proven->number(), certificate.number - 1);

  Evidence swapped = evidence;
  std::swap(swapped.certificates[0], swapped.certificates[1]);
  EXPECT_FALSE(proves(swapped));
  Evidence twice = fork();
  twice.certificates.push_back(twice.certificates[0]);
  EXPECT_FALSE(proves(twice)) << "a certificate that says nothing new";
}

TEST_F(EvidenceTest, WhatAnotherSignedProvesNothing) {
  const ArchivedMember other(2, testing::archive_network());
  const SignedTree theirs{13, second.root(13),
                          sign_checkpoint(owner.log(), 13, second.root(13), other.log_key),
                          owner.statement};
  const SignedTree ours = signed_by(owner, 13, first.root(13));
  EXPECT_FALSE(proves(make_evidence(commons, ours, theirs, {}, {}))) << "a false signature";
  const SignedTree named = signed_by(other, 13, second.root(13));
  EXPECT_FALSE(proves(make_evidence(commons, ours, named, {}, {}))) << "not its log";
  Evidence elsewhere = fork();
  elsewhere.space.bytes[0] = 1;
  EXPECT_FALSE(proves(elsewhere)) << "a log of another space";
}

TEST_F(EvidenceTest, TwoWordsOfAWitnessProveThatItLied) {
  for (const std::uint64_t large : {13, 20}) {
    const Evidence evidence =
        make_evidence(SpaceId{}, cosigned(13, first.root(13)), cosigned(large, second.root(large)),
                      second.root(13), second.path(13, large));
    const auto proven = verify_evidence(evidence);
    ASSERT_TRUE(proven) << proven.error().detail;
    EXPECT_EQ(proven->liar, Liar::witness_key);
    EXPECT_EQ(proven->member, witness.id());
    EXPECT_EQ(proven->log, owner.log());
  }
  EXPECT_FALSE(proves(make_evidence(commons, signed_by(owner, 13, first.root(13)),
                                    cosigned(13, second.root(13)), {}, {})))
      << "an owner and a witness that differ: either may be honest";
}

TEST_F(EvidenceTest, AWitnessIsExcusedForWhatWasCutAwayAndForNothingElse) {
  constexpr std::uint64_t cut_s = 1'790'000'000;
  const auto cut_at = [&](std::uint64_t index, Certificate::Reason reason) {
    KeyHistory keys(owner.network, owner.id());
    EXPECT_TRUE(keys.add_certificate(0, owner.statement));
    Certificate certificate = owner.certificate;
    certificate.number += 1'000;
    EXPECT_EQ(certificate.number / 1'000, cut_s + 1);
    certificate.reason = reason;
    if (reason == Certificate::Reason::cut) certificate.cut_list = Hash{{1}};
    EXPECT_TRUE(keys.add_certificate(index, sign_certificate(certificate, owner.identity)));
    return keys;
  };
  const auto excused = [&](std::uint64_t earlier_s, const KeyHistory& keys) {
    const auto proven = verify_evidence(make_evidence(
        SpaceId{}, cosigned(20, first.root(20), earlier_s),
        cosigned(13, second.root(13), cut_s + 1'000'000), first.root(13), first.path(13, 20)));
    EXPECT_TRUE(proven);
    return excused_by_cut(*proven, keys);
  };
  const KeyHistory cut = cut_at(12, Certificate::Reason::cut);
  EXPECT_TRUE(excused(cut_s, cut));
  EXPECT_TRUE(excused(cut_s + 1 + cut_news_s, cut)) << "the news had not come yet";
  EXPECT_FALSE(excused(cut_s + 2 + cut_news_s, cut)) << "it had";
  EXPECT_FALSE(excused(cut_s, cut_at(13, Certificate::Reason::cut)))
      << "both histories have these entries";
  EXPECT_FALSE(excused(cut_s, cut_at(12, Certificate::Reason::lost))) << "nothing was cut";
}

TEST_F(EvidenceTest, TwoCertificatesOfOneNumberProveTwoHistoriesOfKeys) {
  Certificate certificate = *verify_certificate(owner.statement);
  certificate.steward = SigningKey(Seed{{78}}).public_key();
  const Bytes other = sign_certificate(certificate, owner.identity);
  const auto proven = verify_evidence(make_evidence(owner.statement, other));
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->liar, Liar::recovery_key);
  EXPECT_EQ(proven->member, owner.id());
  EXPECT_FALSE(proven->log);
  EXPECT_EQ(proven->number(), certificate.number);
  Evidence turned = make_evidence(owner.statement, other);
  std::swap(turned.certificates[0], turned.certificates[1]);
  EXPECT_FALSE(proves(turned));
  ++certificate.number;
  EXPECT_FALSE(
      proves(make_evidence(owner.statement, sign_certificate(certificate, owner.identity))));
}

TEST_F(EvidenceTest, RefusesEveryFlippedBitAndEveryEndTooEarly) {
  const bool every_bit = std::getenv("KITH_FULL") != nullptr;
  Certificate certificate = *verify_certificate(owner.statement);
  certificate.steward = SigningKey(Seed{{78}}).public_key();
  for (const Evidence& evidence :
       {fork(),
        make_evidence(SpaceId{}, cosigned(13, first.root(13)), cosigned(13, second.root(13)), {},
                      {}),
        make_evidence(owner.statement, sign_certificate(certificate, owner.identity))}) {
    const std::string whole = encode_evidence(evidence);
    ASSERT_LE(whole.size(), limits::evidence_bytes_max);
    const auto holds = [](std::string_view text) {
      const auto decoded = decode_evidence(text);
      return decoded && proves(*decoded);
    };
    ASSERT_TRUE(holds(whole));
    std::string changed = whole;
    for (std::size_t i = 0; i < changed.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (!every_bit && bit != i % 8) continue;
        changed[i] = static_cast<char>(whole[i] ^ (1 << bit));
        ASSERT_FALSE(holds(changed)) << "byte " << i << " bit " << bit;
      }
      changed[i] = whole[i];
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ASSERT_FALSE(holds(std::string_view(whole).substr(0, size))) << size;
    }
    EXPECT_FALSE(holds(whole + "\n"));
    EXPECT_FALSE(holds(whole + "path AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
  }
}

TEST_F(EvidenceTest, IsNeverLongerThanItsLimit) {
  // The longest there is: two certificates of full size, two notes, and a path of 63 hashes.
  Evidence evidence = fork();
  evidence.certificates = {Bytes(limits::statement_bytes_max, 1),
                           Bytes(limits::statement_bytes_max, 2)};
  evidence.path.resize(63);
  EXPECT_LE(encode_evidence(evidence).size(), limits::evidence_bytes_max);
  EXPECT_TRUE(decode_evidence(encode_evidence(evidence)) == evidence);
  EXPECT_EQ(decode_evidence(std::string(limits::evidence_bytes_max + 1, 'x')).error().code,
            Errc::too_large);
}

}  // namespace
}  // namespace kith
