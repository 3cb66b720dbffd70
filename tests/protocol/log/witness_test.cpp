#include "protocol/log/witness.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {
namespace {

template <class Value>
Value counting(std::uint8_t from) {
  Value value;
  for (std::uint8_t& byte : value.bytes) byte = from++;
  return value;
}
MemberId member(std::uint8_t number) { return MemberId::from(Bytes(32, number)); }
DecisionId decision(std::uint8_t number) { return DecisionId::from(Bytes(32, number)); }

const LogId log_id = counting<LogId>(32);
const SigningKey signer(counting<Seed>(0));
const TreeHash root = leaf_hash(view("hello"));

Cosignature known() { return cosign(log_id, 1, root, member(7), 1790000000, signer); }

TEST(Cosignature, IsMadeAsAnotherImplementationMakesIt) {
  const NoteSignature line = to_note_signature(known(), signer.public_key());
  const Note note{encode_checkpoint({log_origin(log_id), 1, root}), {line}};
  // Made with Python (hashlib, cryptography).
  EXPECT_TRUE(encode_note(note).ends_with(
      "\n\n\u2014 kith/witness/0707070707070707070707070707070707070707070707070707070707070707 "
      "rsPefgAAAABqsTuAjuqKQCmrCjJp6z+4eXkNmJmAzxNa14MJ4dJSItNzCiQMN0pLIiXlPVYWecwd6xScEYL/"
      "1mEWVY2EQGzEwkpKCQ==\n"))
      << encode_note(note);
}

TEST(Cosignature, VerifiesAloneAndAsALineOfTheCheckpoint) {
  EXPECT_TRUE(verify_cosignature(known(), signer.public_key()));
  auto note = decode_note(sign_checkpoint(log_id, 1, root, signer));
  ASSERT_TRUE(note);
  note->signatures.push_back(to_note_signature(known(), signer.public_key()));
  const NoteKey witness{witness_name(member(7)), KeyType::cosignature_v1, signer.public_key()};
  EXPECT_EQ(*verify_note(*note, {witness}), (std::vector<NoteKey>{witness}));
  EXPECT_TRUE(verify_checkpoint(encode_note(*note), log_id, signer.public_key()));
}

TEST(Cosignature, CoversEverythingButTheWitnesssName) {
  const PublicKey& key = signer.public_key();
  const auto changed = [](auto change) {
    Cosignature cosignature = known();
    change(cosignature);
    return cosignature;
  };
  EXPECT_FALSE(verify_cosignature(changed([](auto& c) { c.log = counting<LogId>(33); }), key));
  EXPECT_FALSE(verify_cosignature(changed([](auto& c) { ++c.size; }), key));
  EXPECT_FALSE(verify_cosignature(changed([](auto& c) { c.root.bytes[31] ^= 1; }), key));
  EXPECT_FALSE(verify_cosignature(changed([](auto& c) { ++c.time_s; }), key));
  EXPECT_FALSE(verify_cosignature(changed([](auto& c) { c.signature.bytes[0] ^= 1; }), key));
  EXPECT_FALSE(verify_cosignature(known(), SigningKey(counting<Seed>(1)).public_key()));
  // cosignature/v1 does not name its signer: hence one key for one witness.
  EXPECT_TRUE(verify_cosignature(changed([](auto& c) { c.witness = member(8); }), key));
}

TEST(Cosignature, OfWhatNoCheckpointCanSayIsRefused) {
  const auto signed_anyway = [](std::uint64_t size, const TreeHash& hash, std::uint64_t time_s) {
    Cosignature cosignature{log_id, size, hash, member(7), time_s, {}};
    cosignature.signature = signer.sign(
        view(cosigned_message(time_s, encode_checkpoint({log_origin(log_id), size, hash}))));
    return verify_cosignature(cosignature, signer.public_key());
  };
  EXPECT_TRUE(signed_anyway(1, root, 7));
  EXPECT_TRUE(signed_anyway(0, empty_root(), 7));
  EXPECT_FALSE(signed_anyway(0, root, 7));
  EXPECT_TRUE(signed_anyway(limits::tree_size_max, root, cosignature_time_s_max));
  EXPECT_FALSE(signed_anyway(limits::tree_size_max + 1, root, 7));
  EXPECT_FALSE(signed_anyway(1, root, cosignature_time_s_max + 1));
}

TEST(Witnesses, AreThoseOfLowestHashLowestFirst) {
  std::vector<WitnessCandidate> others;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    others.push_back({member(i), decision(static_cast<std::uint8_t>(i + 16))});
  }
  // By Python's hashlib.
  const std::vector<MemberId> expected{member(3), member(4), member(5), member(1), member(2)};
  EXPECT_EQ(witnesses_of(log_id, others), expected);
  std::ranges::reverse(others);
  EXPECT_EQ(witnesses_of(log_id, others), expected);
  EXPECT_NE(witnesses_of(counting<LogId>(33), others), expected);
  others[0].admitted_by = decision(99);
  others[2].admitted_by = decision(98);
  EXPECT_NE(witnesses_of(log_id, others), expected);
  EXPECT_TRUE(witnesses_of(log_id, {}).empty());
}

TEST(Witnesses, AreAtMost31) {
  std::vector<WitnessCandidate> others;
  for (std::uint8_t i = 0; i < 200; ++i) others.push_back({member(i), decision(i)});
  const auto chosen = witnesses_of(log_id, others);
  ASSERT_EQ(chosen.size(), limits::witnesses_max);
  // Who was not chosen may go without a change.
  std::erase_if(others, [&](const WitnessCandidate& other) {
    return std::ranges::find(chosen, other.member) == chosen.end();
  });
  EXPECT_EQ(witnesses_of(log_id, others), chosen);
}

/// The agreed size of a log with as many witnesses as sizes are given; 0 is silence.
std::uint64_t agreed(const std::vector<std::uint64_t>& sizes, std::uint64_t held) {
  std::vector<MemberId> witnesses;
  std::map<MemberId, std::uint64_t> cosigned{{member(200), 1000}};  // Not a witness.
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    witnesses.push_back(member(static_cast<std::uint8_t>(i + 1)));
    if (sizes[i] != 0) cosigned[witnesses.back()] = sizes[i];
  }
  return agreed_size(witnesses, cosigned, held);
}

TEST(Agreed, IsWhatMoreThanHalfCosigned) {
  EXPECT_EQ(agreed({5, 7, 9}, 10), 7U);
  EXPECT_EQ(agreed({9, 0, 7}, 10), 7U);
  EXPECT_EQ(agreed({9, 0, 0}, 10), 0U);
  EXPECT_EQ(agreed({9, 8, 7, 6}, 10), 7U);  // Three of four.
  EXPECT_EQ(agreed({9, 9, 0, 0}, 10), 0U);  // Half is not enough.
  EXPECT_EQ(agreed({1, 2, 3, 4, 5}, 10), 3U);
  EXPECT_EQ(agreed(std::vector<std::uint64_t>(31, 4), 10), 4U);
}

TEST(Agreed, NeedsOneOfTwoOneOfOneAndNobodyOfNone) {
  EXPECT_EQ(agreed({5, 9}, 10), 9U);
  EXPECT_EQ(agreed({0, 9}, 10), 9U);
  EXPECT_EQ(agreed({0, 0}, 10), 0U);
  EXPECT_EQ(agreed({6}, 10), 6U);
  EXPECT_EQ(agreed({0}, 10), 0U);
  EXPECT_EQ(agreed({}, 10), 10U);
}

TEST(Agreed, IsNeverMoreThanIsHeld) {
  EXPECT_EQ(agreed({12, 12, 12}, 10), 10U);
  EXPECT_EQ(agreed({12, 12}, 10), 10U);
  EXPECT_EQ(agreed({}, 0), 0U);
}

}  // namespace
}  // namespace kith
