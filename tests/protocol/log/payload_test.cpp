#include "protocol/log/payload.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"

namespace kith {
namespace {

template <class Value>
Value counting(std::uint8_t from) {
  Value value;
  for (std::uint8_t& byte : value.bytes) byte = from++;
  return value;
}

const Key32 space_key = counting<Key32>(0);
const LogId log_id = counting<LogId>(32);
const Nonce24 nonce = counting<Nonce24>(64);
const Key32 k_log = log_key(space_key, log_id);
const Key32 other_key = log_key(space_key, counting<LogId>(33));

Bytes sealed(std::string_view said) {
  auto payload = seal_payload(k_log, log_id, nonce, view(said));
  EXPECT_TRUE(payload);
  return *payload;
}

// Keys, commitment and ciphertext were computed with Python (hashlib, cryptography and HChaCha20
// written out).
TEST(Payload, IsSealedAsAnotherImplementationSealsIt) {
  EXPECT_EQ(to_hex(k_log.view()),
            "824c7175ddd506d3ae955eb4b7f0cb375736f9655b0c65ed71fd60074fda7388");
  EXPECT_EQ(to_hex(payload_key(k_log, nonce).view()),
            "0abd73243fc249c6b80752bf0ad213797185bbd20cfc1e27dc51a96c127a28ae");
  EXPECT_EQ(to_hex(sealed("hello")),
            "404142434445464748494a4b4c4d4e4f5051525354555657087a91f1b0ce87a4ec6604f7942fb9f5"
            "3e10379f60bbd53dcd604e4bf9ecae181356a134dbf89b31e2d2e27a6f679443a80f66223a7dea23"
            "d9beac6073ba13c7a0d274643bc619e68bfd846778fa1d9abb3326cfd2267886b09de9b9c1ad69cb"
            "d0cf5f52e330c9ec7cd6c7b4420d666b");
}

TEST(Payload, OpensToTheTextOfAnyLength) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 127U, 1000U, 100'000U}) {
    const std::string said(size, 'x');
    const Bytes payload = sealed(said);
    EXPECT_EQ((payload.size() - seal_overhead_bytes) % 64, 0U);
    EXPECT_GT(payload.size() - seal_overhead_bytes, size);
    EXPECT_LE(payload.size() - seal_overhead_bytes, size + 64);
    const auto opened = open_payload(k_log, log_id, payload);
    ASSERT_TRUE(opened);
    EXPECT_EQ(text(*opened), said);
  }
}

TEST(Payload, DoesNotOpenWithAnotherKeyOrForAnotherLog) {
  const Bytes payload = sealed("hello");
  EXPECT_EQ(open_payload(other_key, log_id, payload).error().code, Errc::bad_signature);
  EXPECT_EQ(open_payload(space_key, log_id, payload).error().code, Errc::bad_signature);
  // The right key, but the log id is authenticated too.
  EXPECT_EQ(open_payload(k_log, counting<LogId>(33), payload).error().code, Errc::bad_signature);
}

TEST(Payload, IsFoundByTheCommitmentAmongManyKeys) {
  const Bytes payload = sealed("hello");
  const std::vector<Key32> keys{other_key, space_key, k_log};
  ASSERT_TRUE(open_payload(keys, log_id, payload));
  EXPECT_EQ(text(*open_payload(keys, log_id, payload)), "hello");
  EXPECT_EQ(open_payload(std::vector<Key32>{other_key, space_key}, log_id, payload).error().code,
            Errc::not_found);
  EXPECT_EQ(open_payload(std::vector<Key32>{}, log_id, payload).error().code, Errc::not_found);
}

TEST(Payload, WhoseCommitmentFitsButWhoseTagDoesNotIsForged) {
  Bytes payload = sealed("hello");
  payload.back() ^= 1;
  EXPECT_EQ(open_payload(std::vector<Key32>{k_log, other_key}, log_id, payload).error().code,
            Errc::bad_signature);
}

TEST(Payload, EverySingleBitFlipIsRefused) {
  const Bytes payload = sealed("hello");
  for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
    Bytes flipped = payload;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto opened = open_payload(k_log, log_id, flipped);
    ASSERT_FALSE(opened) << bit;
    EXPECT_EQ(opened.error().code, Errc::bad_signature);
  }
}

TEST(Payload, OfAnImpossibleLengthIsMalformed) {
  const Bytes payload = sealed("hello");
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto opened = open_payload(k_log, log_id, BytesView(payload).first(size));
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code, Errc::malformed);
  }
  Bytes longer = payload;
  longer.push_back(0);
  EXPECT_EQ(open_payload(k_log, log_id, longer).error().code, Errc::malformed);
}

TEST(Payload, WithoutProperPaddingIsMalformed) {
  // Sealed by someone who does not pad: it authenticates, and is refused all the same.
  const Key32 key = payload_key(k_log, nonce);
  Bytes payload = to_bytes(nonce.view());
  append(payload, blake2b_keyed(key.view(), {view("kith/commit/v1\n")}).view());
  append(payload, xchacha_seal(key, nonce, log_id.view(), Bytes(64, 'x')));
  EXPECT_EQ(open_payload(k_log, log_id, payload).error().code, Errc::malformed);
}

TEST(Payload, KeepsToTheLimit) {
  const std::size_t room = limits::payload_bytes_max - seal_overhead_bytes;
  const std::size_t largest = room / 64 * 64 - 1;
  const auto fits = seal_payload(k_log, log_id, nonce, Bytes(largest, 'x'));
  ASSERT_TRUE(fits);
  EXPECT_LE(fits->size(), limits::payload_bytes_max);
  EXPECT_EQ(open_payload(k_log, log_id, *fits)->size(), largest);
  const auto too_large = seal_payload(k_log, log_id, nonce, Bytes(largest + 1, 'x'));
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, Errc::too_large);
  EXPECT_EQ(open_payload(k_log, log_id, Bytes(limits::payload_bytes_max + 1)).error().code,
            Errc::too_large);
}

}  // namespace
}  // namespace kith
