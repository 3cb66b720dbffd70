#include "protocol/crypto/crypto.hpp"

#include <sodium.h>

#include <limits>

#include "protocol/crypto/sha256.hpp"
#include "tests/protocol/crypto/vectors.hpp"

namespace kith {
namespace {

using testing::hex;

template <class T>
T filled(std::uint8_t byte) {
  return T::from(Bytes(T::size, byte));
}

// A point of order 8 on Curve25519.
DhPublic low_order_point() {
  return DhPublic::from(hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"));
}

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(to_hex(sha256({}).view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(view("abc")).view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      to_hex(sha256(view("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"), view("mnopnopq"))
                 .view()),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, AHasherMayBeUsedAgainAndWherePartsMeetDoesNotMatter) {
  Sha256 hasher;
  const TreeHash abc = hasher.digest(view("abc"));
  EXPECT_NE(hasher.digest(view("abd")), abc);
  EXPECT_EQ(hasher.digest(view("a"), view("bc")), abc);
  EXPECT_EQ(hasher.digest({}, view("abc")), abc);
}

TEST(Blake2b, GivesTheSameAsLibsodiumInOnePiece) {
  EXPECT_EQ(to_hex(blake2b({}).view()),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  Hash expected;
  const auto key = filled<Key32>(7);
  crypto_generichash(expected.bytes.data(), 32, view("one two").data(), 7, key.bytes.data(), 32);
  EXPECT_EQ(blake2b_keyed(key.view(), {view("one"), view(" "), {}, view("two")}), expected);
  EXPECT_NE(blake2b({view("one two")}), expected);
}

TEST(Hmac, AcceptsKeysOfAnyLength) {
  EXPECT_EQ(to_hex(hmac_sha256({}, {}).view()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa),
                               {view("Test Using Larger Than Block-Size Key - Hash Key First")})
                       .view()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Signing, FirstExampleOfTheRfc) {
  const SigningKey key(
      Seed::from(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
  EXPECT_EQ(to_hex(key.public_key().view()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(key.sign(BytesView{}).view()),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  EXPECT_EQ(to_hex(key.seed().view()),
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
}

TEST(Signing, HoldsForTheSignedBytesAndKeyAlone) {
  const SigningKey key(filled<Seed>(1));
  const Signature signature = key.sign({view("kith/"), view("test")});
  EXPECT_TRUE(verify(key.public_key(), view("kith/test"), signature));
  EXPECT_TRUE(verify(key.public_key(), {view("kith"), view("/test")}, signature));
  EXPECT_FALSE(verify(key.public_key(), view("kith/tesT"), signature));
  EXPECT_FALSE(verify(SigningKey(filled<Seed>(2)).public_key(), view("kith/test"), signature));
  for (std::size_t bit = 0; bit < 8 * Signature::size; ++bit) {
    Signature flipped = signature;
    flipped.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(verify(key.public_key(), view("kith/test"), flipped)) << bit;
  }
}

TEST(Dh, BothSidesFindTheSameKeyAndLowOrderPointsGiveNone) {
  const auto a = filled<DhSecret>(1);
  const auto b = filled<DhSecret>(2);
  ASSERT_TRUE(dh(a, dh_public(b)).has_value());
  EXPECT_EQ(dh(a, dh_public(b)), dh(b, dh_public(a)));
  EXPECT_FALSE(dh(a, low_order_point()).has_value());
  EXPECT_FALSE(dh(a, DhPublic{}).has_value());
}

TEST(ChaChaPoly, SealsInPlaceAsItDoesInAnotherBuffer) {
  const auto key = filled<Key32>(9);
  const Bytes plain = to_bytes(view("a text to be sealed where it lies"));
  const Bytes sealed = chachapoly_seal(key, 5, view("with this"), plain);
  Bytes place = plain;
  place.resize(plain.size() + tag_bytes);
  chachapoly_seal_into(place, key, 5, view("with this"), BytesView(place).first(plain.size()));
  EXPECT_EQ(place, sealed);
  EXPECT_EQ(chachapoly_open(key, 5, view("with this"), sealed), plain);
}

TEST(ChaChaPoly, RefusesEveryFlippedBitAndOtherKeyCounterOrAssociatedData) {
  const auto key = filled<Key32>(9);
  const Bytes sealed = chachapoly_seal(key, 1, view("aad"), view("text"));
  ASSERT_TRUE(chachapoly_open(key, 1, view("aad"), sealed).has_value());
  EXPECT_FALSE(chachapoly_open(filled<Key32>(8), 1, view("aad"), sealed).has_value());
  EXPECT_FALSE(chachapoly_open(key, 2, view("aad"), sealed).has_value());
  EXPECT_FALSE(chachapoly_open(key, 1, view("aae"), sealed).has_value());
  EXPECT_FALSE(chachapoly_open(key, 1, {}, sealed).has_value());
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Bytes flipped = sealed;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(chachapoly_open(key, 1, view("aad"), flipped).has_value()) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(chachapoly_open(key, 1, view("aad"), BytesView(sealed).first(size)).has_value());
  }
}

TEST(ChaChaPoly, SealsNothingToATagAlone) {
  const auto key = filled<Key32>(3);
  const Bytes sealed = chachapoly_seal(key, 0, {}, {});
  EXPECT_EQ(sealed.size(), tag_bytes);
  EXPECT_EQ(chachapoly_open(key, 0, {}, sealed), Bytes{});
  EXPECT_FALSE(chachapoly_open(key, 1, {}, sealed).has_value());
}

TEST(XChaCha, OpensOnlyWithKeyNonceAndAssociatedData) {
  const auto key = filled<Key32>(1);
  const auto nonce = filled<Nonce24>(2);
  const Bytes sealed = xchacha_seal(key, nonce, view("log"), view("text"));
  EXPECT_EQ(xchacha_open(key, nonce, view("log"), sealed), to_bytes(view("text")));
  EXPECT_FALSE(xchacha_open(filled<Key32>(2), nonce, view("log"), sealed).has_value());
  EXPECT_FALSE(xchacha_open(key, filled<Nonce24>(3), view("log"), sealed).has_value());
  EXPECT_FALSE(xchacha_open(key, nonce, view("gol"), sealed).has_value());
  EXPECT_FALSE(xchacha_open(key, nonce, view("log"), BytesView(sealed).first(15)).has_value());
}

TEST(Box, OpensWithLibsodiumsOwnFunction) {
  const auto secret = filled<DhSecret>(4);
  const DhPublic to = dh_public(secret);
  const Bytes sealed = box_seal(to, view("for one reader"), filled<Seed>(5));
  Bytes opened(sealed.size() - crypto_box_SEALBYTES);
  ASSERT_EQ(crypto_box_seal_open(opened.data(), sealed.data(), sealed.size(), to.bytes.data(),
                                 secret.bytes.data()),
            0);
  EXPECT_EQ(text(opened), "for one reader");
  EXPECT_EQ(box_open(secret, sealed), opened);
}

TEST(Box, OpensWhatLibsodiumSealed) {
  const auto secret = filled<DhSecret>(4);
  Bytes sealed(5 + crypto_box_SEALBYTES);
  ASSERT_EQ(crypto_box_seal(sealed.data(), view("hello").data(), 5, dh_public(secret).bytes.data()),
            0);
  EXPECT_EQ(box_open(secret, sealed), to_bytes(view("hello")));
}

TEST(Box, RefusesOtherKeysCutsAndFlippedBits) {
  const auto secret = filled<DhSecret>(4);
  const Bytes sealed = box_seal(dh_public(secret), view("text"), filled<Seed>(5));
  EXPECT_FALSE(box_open(filled<DhSecret>(6), sealed).has_value());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes flipped = sealed;
    flipped[i] ^= 1;
    EXPECT_FALSE(box_open(secret, flipped).has_value()) << i;
    EXPECT_FALSE(box_open(secret, BytesView(sealed).first(i)).has_value()) << i;
  }
}

TEST(Box, ForALowOrderKeyNothingIsSealedAndNothingStops) {
  for (const DhPublic& bad : {low_order_point(), DhPublic{}}) {
    const Bytes sealed = box_seal(bad, view("text"), filled<Seed>(5));
    EXPECT_EQ(sealed.size(), crypto_box_SEALBYTES + 4);
    EXPECT_EQ(to_bytes(BytesView(sealed).subspan(32)), Bytes(16 + 4, 0));
    EXPECT_FALSE(box_open(filled<DhSecret>(4), sealed).has_value());
  }
  EXPECT_FALSE(box_open(filled<DhSecret>(4), Bytes{}).has_value());
}

TEST(Passphrase, GivesOneKeyForOnePassphraseAndSalt) {
  const Bytes salt(16, 1);
  const Key32 key = passphrase_key("correct horse", salt);
  Key32 expected;
  ASSERT_EQ(crypto_pwhash(expected.bytes.data(), 32, "correct horse", 13, salt.data(),
                          crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                          crypto_pwhash_ALG_ARGON2ID13),
            0);
  EXPECT_EQ(key, expected);
  EXPECT_NE(passphrase_key("correct horsf", salt), key);
  EXPECT_NE(passphrase_key("correct horse", Bytes(16, 2)), key);
  EXPECT_NE(passphrase_key({}, salt), key);
}

TEST(ConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_TRUE(equal_in_constant_time(view("abc"), view("abc")));
  EXPECT_FALSE(equal_in_constant_time(view("abc"), view("abd")));
  EXPECT_FALSE(equal_in_constant_time(view("abc"), view("ab")));
}

TEST(Wipe, LeavesZeros) {
  Bytes secret(40, 0xee);
  wipe(secret);
  EXPECT_EQ(secret, Bytes(40, 0));
  wipe({});
}

TEST(Padding, IsLibsodiumsAndComesOffAgain) {
  for (std::size_t size = 0; size < 200; ++size) {
    Bytes padded(size, 0x80);
    Bytes expected = padded;
    pad(padded, 64);
    std::size_t padded_size = 0;
    expected.resize(size + 64, 0);
    ASSERT_EQ(sodium_pad(&padded_size, expected.data(), size, 64, expected.size()), 0);
    expected.resize(padded_size);
    ASSERT_EQ(padded, expected) << size;
    ASSERT_EQ(*unpadded_size(padded, 64), size);
  }
}

TEST(Padding, RefusesWhatWasNotPadded) {
  Bytes no_mark(64, 0);
  Bytes dirty(64, 0);
  dirty[10] = 0x80;
  dirty[63] = 1;
  Bytes odd(63, 0);
  odd[0] = 0x80;
  // The mark must lie in the last block.
  Bytes far_mark(128, 0);
  far_mark[63] = 0x80;
  for (const Bytes& bad : {Bytes{}, no_mark, dirty, odd, far_mark}) {
    const auto size = unpadded_size(bad, 64);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().code, Errc::malformed);
  }
}

}  // namespace
}  // namespace kith
