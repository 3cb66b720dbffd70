// The verdicts of libsodium on Project Wycheproof's cases, as kith relies on them.
#include <sodium.h>

#include <functional>
#include <optional>

#include "protocol/crypto/crypto.hpp"
#include "protocol/crypto/sha256.hpp"
#include "tests/protocol/crypto/vectors.hpp"

namespace kith {
namespace {

using testing::hex;
using testing::read_vectors;
using Json = nlohmann::json;

void for_each_test(const Json& file, const std::function<void(const Json&, const Json&)>& run) {
  std::size_t seen = 0;
  for (const Json& group : file.at("testGroups")) {
    for (const Json& test : group.at("tests")) {
      SCOPED_TRACE("tcId " + test.at("tcId").dump() + " " + test.at("comment").get<std::string>());
      run(group, test);
      ++seen;
    }
  }
  EXPECT_EQ(seen, file.at("numberOfTests").get<std::size_t>());
}

struct Count {
  int valid = 0;
  int invalid = 0;
  int skipped = 0;

  friend bool operator==(const Count&, const Count&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Count& c) {
    return out << c.valid << " valid, " << c.invalid << " invalid, " << c.skipped << " skipped";
  }
};

/// XChaCha: every nonce of 24 bytes can be asked for.
Count run_xchacha() {
  Count count;
  for_each_test(read_vectors("wycheproof/xchacha20_poly1305_test.json"),
                [&](const Json&, const Json& test) {
                  const Bytes nonce = hex(test, "iv");
                  if (nonce.size() != Nonce24::size) {
                    ++count.skipped;
                    return;
                  }
                  const auto key = Key32::from(hex(test, "key"));
                  const Bytes aad = hex(test, "aad");
                  const Bytes plain = hex(test, "msg");
                  Bytes sealed = hex(test, "ct");
                  append(sealed, hex(test, "tag"));
                  const auto opened = xchacha_open(key, Nonce24::from(nonce), aad, sealed);
                  if (test.at("result") == "valid") {
                    ++count.valid;
                    ASSERT_TRUE(opened.has_value());
                    EXPECT_EQ(*opened, plain);
                    EXPECT_EQ(xchacha_seal(key, Nonce24::from(nonce), aad, plain), sealed);
                  } else {
                    ++count.invalid;
                    EXPECT_FALSE(opened.has_value());
                  }
                });
  return count;
}

/// What libsodium says for a nonce that kith, which counts, cannot ask for.
std::optional<Bytes> open_with_nonce(const Key32& key, const Bytes& nonce, const Bytes& aad,
                                     const Bytes& sealed) {
  Bytes out(sealed.size() - tag_bytes);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(),
                                                sealed.size(), aad.data(), aad.size(), nonce.data(),
                                                key.bytes.data()) != 0) {
    return std::nullopt;
  }
  return out;
}

/// `ours` counts the cases whose nonce has Noise's form, four zeros in front: those run through
/// kith's own functions.
Count run_chacha(int& ours) {
  Count count;
  for_each_test(
      read_vectors("wycheproof/chacha20_poly1305_test.json"), [&](const Json&, const Json& test) {
        const Bytes nonce = hex(test, "iv");
        if (nonce.size() != 12) {
          ++count.skipped;
          return;
        }
        const auto key = Key32::from(hex(test, "key"));
        const Bytes aad = hex(test, "aad");
        const Bytes plain = hex(test, "msg");
        Bytes sealed = hex(test, "ct");
        append(sealed, hex(test, "tag"));
        auto opened = open_with_nonce(key, nonce, aad, sealed);
        if (std::all_of(nonce.begin(), nonce.begin() + 4, [](auto byte) { return byte == 0; })) {
          std::uint64_t counter = 0;
          for (std::size_t i = 12; i-- > 4;) counter = counter << 8 | nonce[i];
          ++ours;
          EXPECT_EQ(chachapoly_open(key, counter, aad, sealed), opened);
          EXPECT_EQ(chachapoly_seal(key, counter, aad, plain) == sealed, opened.has_value());
        }
        ++(opened ? count.valid : count.invalid);
        EXPECT_EQ(opened.has_value(), test.at("result") == "valid");
        EXPECT_TRUE(!opened || *opened == plain);
      });
  return count;
}

TEST(Wycheproof, Ed25519VerdictsAgree) {
  KITH_NEEDS_SHARED();
  Count count;
  for_each_test(
      read_vectors("wycheproof/ed25519_test.json"), [&](const Json& group, const Json& test) {
        const Bytes key = hex(group.at("publicKey"), "pk");
        const Bytes signature = hex(test, "sig");
        const Bytes message = hex(test, "msg");
        const bool valid = test.at("result") == "valid";
        ++(valid ? count.valid : count.invalid);
        ASSERT_EQ(key.size(), PublicKey::size);
        // A signature of another length cannot be expressed; the caller refuses it.
        const bool accepted = signature.size() == Signature::size &&
                              verify(PublicKey::from(key), message, Signature::from(signature));
        EXPECT_EQ(accepted, valid);
      });
  EXPECT_EQ(count, (Count{88, 63, 0}));
}

TEST(Wycheproof, X25519AgreesAndRefusesEveryLowOrderPoint) {
  KITH_NEEDS_SHARED();
  int equal_results = 0;
  int refused = 0;
  for_each_test(read_vectors("wycheproof/x25519_test.json"), [&](const Json&, const Json& test) {
    const auto secret = DhSecret::from(hex(test, "private"));
    const auto other = DhPublic::from(hex(test, "public"));
    const auto expected = Key32::from(hex(test, "shared"));
    const auto shared = dh(secret, other);
    EXPECT_NE(test.at("result"), "invalid");
    ASSERT_EQ(shared.has_value(), !expected.is_zero());
    EXPECT_EQ(shared.value_or(Key32{}), expected);
    ++(shared ? equal_results : refused);
  });
  EXPECT_EQ(equal_results, 487);
  EXPECT_EQ(refused, 31);
}

TEST(Wycheproof, ChaChaPolyAgrees) {
  KITH_NEEDS_SHARED();
  int ours = 0;
  EXPECT_EQ(run_chacha(ours), (Count{256, 60, 9}));
  std::printf("chacha20_poly1305: %d of 316 have a nonce that kith can ask for\n", ours);
  EXPECT_GT(ours, 0);
}

TEST(Wycheproof, XChaChaPolyAgrees) {
  KITH_NEEDS_SHARED();
  const Count count = run_xchacha();
  std::printf("xchacha20_poly1305: %d valid, %d invalid, %d with a nonce of another length\n",
              count.valid, count.invalid, count.skipped);
  EXPECT_GT(count.valid, 0);
  EXPECT_GT(count.invalid, 0);
}

TEST(Wycheproof, HmacAgrees) {
  KITH_NEEDS_SHARED();
  Count count;
  for_each_test(
      read_vectors("wycheproof/hmac_sha256_test.json"), [&](const Json& group, const Json& test) {
        const Bytes message = hex(test, "msg");
        const std::size_t half = message.size() / 2;
        const Key32 whole = hmac_sha256(
            hex(test, "key"), {BytesView(message).first(half), BytesView(message).subspan(half)});
        const auto tag = to_bytes(whole.view().first(group.at("tagSize").get<std::size_t>() / 8));
        const bool valid = test.at("result") == "valid";
        EXPECT_EQ(tag == hex(test, "tag"), valid);
        ++(valid ? count.valid : count.invalid);
      });
  std::printf("hmac_sha256: %d valid, %d invalid\n", count.valid, count.invalid);
  EXPECT_GT(count.valid, 0);
  EXPECT_GT(count.invalid, 0);
}

// HKDF as Noise builds it, extract and then expand, from kith's own HMAC.
TEST(Wycheproof, HkdfFromOurHmacAgrees) {
  KITH_NEEDS_SHARED();
  int agreed = 0;
  for_each_test(
      read_vectors("wycheproof/hkdf_sha256_test.json"), [&](const Json&, const Json& test) {
        const auto size = test.at("size").get<std::size_t>();
        if (test.at("result") != "valid") return;
        const Bytes info = hex(test, "info");
        const Key32 extracted = hmac_sha256(hex(test, "salt"), {hex(test, "ikm")});
        Bytes okm;
        Bytes block;
        for (std::uint8_t i = 1; okm.size() < size; ++i) {
          block = to_bytes(hmac_sha256(extracted.view(), {block, info, BytesView(&i, 1)}).view());
          append(okm, block);
        }
        okm.resize(size);
        EXPECT_EQ(okm, hex(test, "okm"));
        ++agreed;
      });
  EXPECT_GT(agreed, 0);
}

}  // namespace
}  // namespace kith
