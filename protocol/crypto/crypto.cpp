#include "protocol/crypto/crypto.hpp"

#include <sodium.h>

#include "protocol/base/check.hpp"

namespace kith {
namespace {

Bytes join(Parts parts) {
  Bytes all;
  for (const BytesView part : parts) append(all, part);
  return all;
}

std::array<std::uint8_t, 12> noise_nonce(std::uint64_t counter) {
  std::array<std::uint8_t, 12> nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

}  // namespace

void initialise_crypto() { KITH_CHECK(sodium_init() >= 0); }

Hash blake2b(Parts parts) { return blake2b_keyed({}, parts); }

Hash blake2b_keyed(BytesView key, Parts parts) {
  crypto_generichash_state state;
  Hash out;
  KITH_CHECK(crypto_generichash_init(&state, key.data(), key.size(), out.bytes.size()) == 0);
  for (const BytesView part : parts) {
    crypto_generichash_update(&state, part.data(), part.size());
  }
  crypto_generichash_final(&state, out.bytes.data(), out.bytes.size());
  return out;
}

SigningKey::SigningKey(const Seed& seed) {
  crypto_sign_seed_keypair(public_.bytes.data(), secret_.data(), seed.bytes.data());
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

Seed SigningKey::seed() const { return Seed::from(BytesView(secret_).first(32)); }

Signature SigningKey::sign(BytesView message) const {
  Signature signature;
  crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                       secret_.data());
  return signature;
}

Signature SigningKey::sign(Parts parts) const { return sign(join(parts)); }

bool verify(const PublicKey& key, BytesView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

bool verify(const PublicKey& key, Parts parts, const Signature& signature) {
  return verify(key, join(parts), signature);
}

bool is_valid_public_key(const PublicKey& key) {
  return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1;
}

DhPublic dh_public(const DhSecret& secret) {
  DhPublic out;
  crypto_scalarmult_base(out.bytes.data(), secret.bytes.data());
  return out;
}

std::optional<Key32> dh(const DhSecret& secret, const DhPublic& other) {
  Key32 out;
  if (crypto_scalarmult(out.bytes.data(), secret.bytes.data(), other.bytes.data()) != 0) {
    return std::nullopt;
  }
  return out;
}

Bytes chachapoly_seal(const Key32& key, std::uint64_t counter, BytesView associated,
                      BytesView plaintext) {
  Bytes out(plaintext.size() + tag_bytes);
  chachapoly_seal_into(out, key, counter, associated, plaintext);
  return out;
}

std::optional<Bytes> chachapoly_open(const Key32& key, std::uint64_t counter, BytesView associated,
                                     BytesView ciphertext) {
  if (ciphertext.size() < tag_bytes) return std::nullopt;
  Bytes out(ciphertext.size() - tag_bytes);
  if (!chachapoly_open_into(out, key, counter, associated, ciphertext)) return std::nullopt;
  return out;
}

void chachapoly_seal_into(std::span<std::uint8_t> out, const Key32& key, std::uint64_t counter,
                          BytesView associated, BytesView plaintext) {
  static_assert(tag_bytes == crypto_aead_chacha20poly1305_ietf_ABYTES);
  KITH_CHECK(out.size() == plaintext.size() + tag_bytes);
  const auto nonce = noise_nonce(counter);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(),
                                            associated.data(), associated.size(), nullptr,
                                            nonce.data(), key.bytes.data());
}

bool chachapoly_open_into(std::span<std::uint8_t> out, const Key32& key, std::uint64_t counter,
                          BytesView associated, BytesView ciphertext) {
  KITH_CHECK(out.size() + tag_bytes == ciphertext.size());
  const auto nonce = noise_nonce(counter);
  return crypto_aead_chacha20poly1305_ietf_decrypt(
             out.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(), associated.data(),
             associated.size(), nonce.data(), key.bytes.data()) == 0;
}

Bytes xchacha_seal(const Key32& key, const Nonce24& nonce, BytesView associated,
                   BytesView plaintext) {
  Bytes out(plaintext.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(),
                                             plaintext.size(), associated.data(), associated.size(),
                                             nullptr, nonce.bytes.data(), key.bytes.data());
  return out;
}

std::optional<Bytes> xchacha_open(const Key32& key, const Nonce24& nonce, BytesView associated,
                                  BytesView ciphertext) {
  constexpr std::size_t tag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
  if (ciphertext.size() < tag) return std::nullopt;
  Bytes out(ciphertext.size() - tag);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          out.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(), associated.data(),
          associated.size(), nonce.bytes.data(), key.bytes.data()) != 0) {
    return std::nullopt;
  }
  return out;
}

Key32 hmac_sha256(BytesView key, Parts parts) {
  crypto_auth_hmacsha256_state state;
  // An empty view may point nowhere, and libsodium asks for a pointer.
  const std::uint8_t none = 0;
  crypto_auth_hmacsha256_init(&state, key.empty() ? &none : key.data(), key.size());
  for (const BytesView part : parts) {
    crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  }
  Key32 out;
  crypto_auth_hmacsha256_final(&state, out.bytes.data());
  return out;
}

Bytes box_seal(const DhPublic& to, BytesView message, const Seed& ephemeral) {
  std::array<std::uint8_t, crypto_box_PUBLICKEYBYTES> public_key;
  std::array<std::uint8_t, crypto_box_SECRETKEYBYTES> secret_key;
  crypto_box_seed_keypair(public_key.data(), secret_key.data(), ephemeral.bytes.data());

  // The nonce of a sealed box is BLAKE2b-192 over both public keys.
  std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, nonce.size());
  crypto_generichash_update(&state, public_key.data(), public_key.size());
  crypto_generichash_update(&state, to.bytes.data(), to.bytes.size());
  crypto_generichash_final(&state, nonce.data(), nonce.size());

  Bytes out(public_key.size() + crypto_box_MACBYTES + message.size());
  std::ranges::copy(public_key, out.begin());
  // The recipient's key comes from others: a low-order point must neither stop the process nor
  // change the length of what many receivers share.
  if (crypto_box_easy(out.data() + public_key.size(), message.data(), message.size(), nonce.data(),
                      to.bytes.data(), secret_key.data()) != 0) {
    std::fill(out.begin() + public_key.size(), out.end(), std::uint8_t{0});
  }
  sodium_memzero(secret_key.data(), secret_key.size());
  return out;
}

std::optional<Bytes> box_open(const DhSecret& key, BytesView sealed) {
  if (sealed.size() < crypto_box_SEALBYTES) return std::nullopt;
  const DhPublic own = dh_public(key);
  Bytes out(sealed.size() - crypto_box_SEALBYTES);
  if (crypto_box_seal_open(out.data(), sealed.data(), sealed.size(), own.bytes.data(),
                           key.bytes.data()) != 0) {
    return std::nullopt;
  }
  return out;
}

Key32 passphrase_key(std::string_view passphrase, BytesView salt16) {
  KITH_CHECK(salt16.size() == crypto_pwhash_SALTBYTES);
  Key32 out;
  const char* const characters = passphrase.empty() ? "" : passphrase.data();
  // Fails only if 64 MiB cannot be had.
  if (crypto_pwhash(out.bytes.data(), out.bytes.size(), characters, passphrase.size(),
                    salt16.data(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                    crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc();
  }
  return out;
}

bool equal_in_constant_time(BytesView a, BytesView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::uint8_t> secret) { sodium_memzero(secret.data(), secret.size()); }
void wipe(std::string& secret) { sodium_memzero(secret.data(), secret.size()); }

void pad(Bytes& text, std::size_t block) {
  const std::size_t padded = (text.size() / block + 1) * block;
  text.push_back(0x80);
  text.resize(padded, 0);
}

Result<std::size_t> unpadded_size(BytesView text, std::size_t block) {
  std::size_t size = 0;
  if (text.empty() || text.size() % block != 0 ||
      sodium_unpad(&size, text.data(), text.size(), block) != 0) {
    return fail(Errc::malformed, "the padding is wrong");
  }
  return size;
}

}  // namespace kith
