#include "protocol/records/record.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/keys/space_key.hpp"
#include "tests/protocol/schema/samples.hpp"

namespace kith {
namespace {

const NetworkId network = samples::record().network;
const LogId log_of = samples::record().log;

/// `count` records of key 2 that differ, as encoded.
std::vector<Bytes> records(std::uint32_t count) {
  std::vector<Bytes> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    Record record = samples::record();
    record.nonce.bytes[0] = static_cast<std::uint8_t>(i);
    record.nonce.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    all.push_back(encode(record));
  }
  return all;
}

std::vector<SignedRecord> batch(std::uint32_t count) {
  return sign_batch(network, log_of, records(count), samples::steward());
}

Errc refusal(const SignedRecord& record) {
  BatchVerifier fresh;
  const auto verified = fresh.verify(record, network, log_of);
  EXPECT_FALSE(verified);
  return verified ? Errc::usage : verified.error().code;
}

TreeHash root_of_batch(const SignedRecord& record) {
  return *BatchWalk().root(record, record_id(record.record));
}

TEST(Batch, EveryRecordOfItVerifies) {
  for (const std::uint32_t count : {1U, 2U, 3U, 7U, 8U, 9U, 1000U}) {
    BatchVerifier verifier;
    const auto all = batch(count);
    ASSERT_EQ(all.size(), count);
    for (std::uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(all[i].index, i);
      EXPECT_EQ(all[i].count, count);
      ASSERT_TRUE(verifier.verify(all[i], network, log_of)) << count << " " << i;
    }
    EXPECT_EQ(verifier.verify(all[0], network, log_of)->record.author, samples::public_key(2));
  }
}

TEST(Batch, OneRecordNeedsNoPath) {
  const SignedRecord one = batch(1)[0];
  EXPECT_TRUE(one.path.empty());
  EXPECT_EQ(root_of_batch(one), leaf_hash(record_id(one.record).view()));
}

TEST(Batch, TheSignatureCoversWhatTheFormatSays) {
  const SignedRecord one = batch(1)[0];
  Bytes message = to_bytes(view("kith/records/v1\n"));
  append(message, network.view());
  append(message, log_of.view());
  append(message, Bytes{0, 0, 0, 1});
  append(message, root_of_batch(one).view());
  EXPECT_TRUE(verify(samples::public_key(2), message, one.signature));
}

TEST(Batch, EveryRecordLeadsToTheRootOfRfc6962) {
  for (const std::uint32_t count : {1U, 2U, 3U, 5U, 1000U}) {
    std::vector<TreeHash> leaves;
    for (const Bytes& record : records(count)) {
      leaves.push_back(leaf_hash(record_id(record).view()));
    }
    BatchWalk walk;
    for (const SignedRecord& one : batch(count)) {
      EXPECT_EQ(root_of_batch(one), tree_root(leaves));
      // The same with what is remembered of the neighbour.
      EXPECT_EQ(*walk.root(one, record_id(one.record)), tree_root(leaves));
    }
  }
}

TEST(Batch, EveryWrongPathIsRefused) {
  for (const std::uint32_t count : {2U, 3U, 1000U}) {
    const auto all = batch(count);
    for (const std::uint32_t i : {0U, 1U, count - 1}) {
      for (std::size_t step = 0; step < all[i].path.size(); ++step) {
        SignedRecord wrong = all[i];
        wrong.path[step].bytes[31] ^= 1;
        EXPECT_EQ(refusal(wrong), Errc::bad_signature) << count << " " << i << " " << step;
      }
      SignedRecord wrong = all[i];
      wrong.path.pop_back();
      EXPECT_EQ(refusal(wrong), Errc::bad_proof);
      wrong = all[i];
      wrong.path.push_back(wrong.path.back());
      EXPECT_EQ(refusal(wrong), Errc::bad_proof);
      wrong = all[i];
      std::ranges::reverse(wrong.path);
      if (wrong.path != all[i].path) {
        EXPECT_EQ(refusal(wrong), Errc::bad_signature);
      }
    }
  }
}

TEST(Batch, AnotherPlaceOrCountIsRefused) {
  for (const std::uint32_t count : {2U, 3U, 1000U}) {
    const auto all = batch(count);
    for (std::uint32_t i = 0; i < std::min(count, 10U); ++i) {
      SignedRecord wrong = all[i];
      wrong.index = (i + 1) % count;
      BatchVerifier fresh;
      EXPECT_FALSE(fresh.verify(wrong, network, log_of));
      wrong = all[i];
      wrong.count = count + 1;
      EXPECT_FALSE(fresh.verify(wrong, network, log_of));
      wrong.count = count;
      wrong.index = count;
      EXPECT_EQ(refusal(wrong), Errc::bad_proof);
    }
  }
}

TEST(Batch, ARecordOfAnotherBatchIsRefused) {
  auto all = batch(3);
  Record other = samples::record();
  other.nonce.bytes[5] = 9;
  all[1].record = encode(other);
  EXPECT_EQ(refusal(all[1]), Errc::bad_signature);
}

TEST(Batch, AnotherAuthorIsRefused) {
  // Key 9 signs what says it was key 2.
  const auto all = sign_batch(network, log_of, records(2), samples::signing_key(9));
  EXPECT_EQ(refusal(all[0]), Errc::bad_signature);
}

TEST(Batch, AnotherNetworkOrLogIsRefused) {
  const SignedRecord one = batch(1)[0];
  BatchVerifier verifier;
  ASSERT_TRUE(verifier.verify(one, network, log_of));
  for (const auto& result : {verifier.verify(one, samples::filled<NetworkId>(9), log_of),
                             verifier.verify(one, network, samples::filled<LogId>(9))}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::forbidden);
  }
  // The record names log and network, but another's signature was put to it.
  const auto elsewhere =
      sign_batch(network, samples::filled<LogId>(9), records(1), samples::steward());
  EXPECT_EQ(refusal(elsewhere[0]), Errc::bad_signature);
}

TEST(Batch, ARecordThatIsNotCanonicalIsRefused) {
  SignedRecord one = batch(1)[0];
  one.record.resize(one.record.size() + 8, 0);
  EXPECT_EQ(refusal(one), Errc::malformed);
}

TEST(BatchVerifier, AKnownBatchStillRefusesWhatIsNotOfIt) {
  BatchVerifier verifier;
  const auto all = batch(3);
  ASSERT_TRUE(verifier.verify(all[0], network, log_of));
  SignedRecord wrong = all[1];
  wrong.signature.bytes[3] ^= 1;
  EXPECT_FALSE(verifier.verify(wrong, network, log_of));
  wrong = all[1];
  wrong.path[0].bytes[3] ^= 1;
  EXPECT_FALSE(verifier.verify(wrong, network, log_of));
  wrong = all[1];
  wrong.record = all[0].record;
  EXPECT_FALSE(verifier.verify(wrong, network, log_of));
}

TEST(BatchVerifier, ARememberedWalkLetsNoWrongPathPass) {
  // Each hash of each path changed, dropped or doubled, right after a good neighbour.
  const auto all = batch(13);
  for (std::size_t i = 1; i < all.size(); ++i) {
    for (std::size_t at = 0; at < all[i].path.size(); ++at) {
      BatchVerifier verifier;
      ASSERT_TRUE(verifier.verify(all[i - 1], network, log_of));
      SignedRecord wrong = all[i];
      wrong.path[at].bytes[0] ^= 1;
      EXPECT_FALSE(verifier.verify(wrong, network, log_of)) << i << " " << at;
      wrong = all[i];
      const auto place = wrong.path.begin() + static_cast<std::ptrdiff_t>(at);
      wrong.path.insert(place, *place);
      EXPECT_FALSE(verifier.verify(wrong, network, log_of)) << i << " " << at;
      wrong = all[i];
      wrong.path.erase(wrong.path.begin() + static_cast<std::ptrdiff_t>(at));
      EXPECT_FALSE(verifier.verify(wrong, network, log_of)) << i << " " << at;
      EXPECT_TRUE(verifier.verify(all[i], network, log_of)) << i << " " << at;
    }
  }
}

TEST(BatchVerifier, ARefusedBatchIsNotRemembered) {
  BatchVerifier verifier;
  SignedRecord wrong = batch(2)[0];
  wrong.signature.bytes[0] ^= 1;
  EXPECT_FALSE(verifier.verify(wrong, network, log_of));
  EXPECT_FALSE(verifier.verify(wrong, network, log_of));
}

TEST(BatchVerifier, ItGoesOnWhenItsMemoryIsFull) {
  BatchVerifier verifier;
  const auto all = records(600);
  for (int round = 0; round < 2; ++round) {
    for (const Bytes& record : all) {
      const auto one = sign_batch(network, log_of, {record}, samples::steward());
      ASSERT_TRUE(verifier.verify(one[0], network, log_of));
    }
  }
}

TEST(PayloadText, EveryFormComesBackAsItWas) {
  for (const PayloadText& text :
       {PayloadText(batch(3)[2]), PayloadText(batch(1)[0]),
        PayloadText(CertificateText{Bytes(200, 1)}), PayloadText(EnrolmentText{Bytes(960, 2)}),
        PayloadText(CutListText{Bytes(90, 3)}), PayloadText(CutListText{})}) {
    EXPECT_EQ(*decode_text(encode_text(text)), text);
  }
}

TEST(PayloadText, ItBeginsAsTheFormatSays) {
  const Bytes bytes = encode_text(batch(3)[1]);
  const Bytes head(bytes.begin(), bytes.begin() + 10);
  EXPECT_EQ(head, (Bytes{1, 0, 0, 0, 3, 0, 0, 0, 1, 2}));
  EXPECT_EQ(bytes.size(), 10 + 2 * 32 + 64 + batch(3)[1].record.size());
  EXPECT_EQ(encode_text(CertificateText{{7}}), (Bytes{2, 7}));
  EXPECT_EQ(encode_text(EnrolmentText{{7}}), (Bytes{3, 7}));
  EXPECT_EQ(encode_text(CutListText{{7}}), (Bytes{4, 7}));
}

TEST(PayloadText, NoTruncationOrBitFlipDecodesToOtherBytes) {
  const Bytes bytes = encode_text(batch(3)[1]);
  const std::size_t head = 10 + 2 * 32 + 64;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto text = decode_text(BytesView(bytes).first(size));
    EXPECT_EQ(text.has_value(), size > head) << size;
    if (text) {
      EXPECT_TRUE(equal(encode_text(*text), BytesView(bytes).first(size)));
    }
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    const auto text = decode_text(flipped);
    if (text) {
      EXPECT_EQ(encode_text(*text), flipped) << bit;
    }
  }
}

TEST(PayloadText, WhatHasNoPlaceInABatchIsRefused) {
  const auto refused = [](auto change, Errc code) {
    SignedRecord one = batch(1)[0];
    change(one);
    const auto text = decode_text(encode_text(one));
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, code);
  };
  refused([](SignedRecord& one) { one.count = 0; }, Errc::malformed);
  refused([](SignedRecord& one) { one.index = 1; }, Errc::malformed);
  refused([](SignedRecord& one) { one.record.clear(); }, Errc::malformed);
  refused([](SignedRecord& one) { one.count = limits::batch_records_max + 1; }, Errc::too_large);
  refused([](SignedRecord& one) { one.record.resize(limits::payload_bytes_max); }, Errc::too_large);
}

TEST(PayloadText, OtherFormsAndLengthsAreRefused) {
  const auto code = [](const Bytes& bytes) {
    const auto text = decode_text(bytes);
    EXPECT_FALSE(text);
    return text.error().code;
  };
  EXPECT_EQ(code({}), Errc::malformed);
  Bytes bytes(200, 0);
  EXPECT_EQ(code(bytes), Errc::malformed);
  bytes[0] = 5;
  EXPECT_EQ(code(bytes), Errc::malformed);
  bytes[0] = 4;
  bytes.resize(limits::cut_list_bytes_max + 2);
  EXPECT_EQ(code(bytes), Errc::too_large);
  for (const std::uint8_t form : Bytes{2, 3}) {
    bytes.assign(65, 0);
    bytes[0] = form;
    EXPECT_EQ(code(bytes), Errc::malformed);
    bytes.resize(limits::statement_bytes_max + 2);
    EXPECT_EQ(code(bytes), Errc::too_large);
  }
  bytes.assign(300, 0);
  bytes[0] = 1;
  bytes[4] = 1;
  bytes[9] = 17;  // Hashes of a path that no batch can have.
  EXPECT_EQ(code(bytes), Errc::too_large);
}

}  // namespace
}  // namespace kith
