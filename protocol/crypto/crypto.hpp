#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// The only door to libsodium besides random.cpp. Nothing here draws randomness: nonces, seeds and
/// salts are arguments.
namespace kith {

/// Call once in main() before any thread starts. Aborts if libsodium cannot start.
void initialise_crypto();

using Parts = std::initializer_list<BytesView>;

/// BLAKE2b-256 over the parts, one after the other.
[[nodiscard]] Hash blake2b(Parts parts);
/// The same, keyed with 32 bytes.
[[nodiscard]] Hash blake2b_keyed(BytesView key32, Parts parts);

/// An Ed25519 key that signs. Overwritten with zeros when destroyed.
class SigningKey {
 public:
  explicit SigningKey(const Seed& seed);
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;
  ~SigningKey();

  [[nodiscard]] const PublicKey& public_key() const { return public_; }
  [[nodiscard]] Seed seed() const;
  [[nodiscard]] Signature sign(BytesView message) const;
  [[nodiscard]] Signature sign(Parts parts) const;

 private:
  std::array<std::uint8_t, 64> secret_;  // libsodium's form: seed, then public key.
  PublicKey public_;
};

/// Ed25519 as libsodium judges it (docs/PROTOCOL, "Signatures"); no other library verifies.
[[nodiscard]] bool verify(const PublicKey& key, BytesView message, const Signature& signature);
[[nodiscard]] bool verify(const PublicKey& key, Parts parts, const Signature& signature);
/// A canonical point of the prime-order subgroup: required when a key is enrolled or certified.
[[nodiscard]] bool is_valid_public_key(const PublicKey& key);

[[nodiscard]] DhPublic dh_public(const DhSecret& secret);
/// X25519. Nothing if the result would be zero (a low-order point).
[[nodiscard]] std::optional<Key32> dh(const DhSecret& secret, const DhPublic& other);

/// ChaCha20-Poly1305 (IETF) with Noise's nonce: 4 zero bytes, then the counter little-endian.
[[nodiscard]] Bytes chachapoly_seal(const Key32& key, std::uint64_t counter, BytesView associated,
                                    BytesView plaintext);
/// Nothing if the tag does not verify.
[[nodiscard]] std::optional<Bytes> chachapoly_open(const Key32& key, std::uint64_t counter,
                                                   BytesView associated, BytesView ciphertext);
inline constexpr std::size_t tag_bytes = 16;
/// The same without allocating. `out` must be tag_bytes longer than `plaintext`, and may begin
/// where it begins.
void chachapoly_seal_into(std::span<std::uint8_t> out, const Key32& key, std::uint64_t counter,
                          BytesView associated, BytesView plaintext);
/// `out` must be tag_bytes shorter than `ciphertext`. False if the tag does not verify; then `out`
/// holds zeros.
[[nodiscard]] bool chachapoly_open_into(std::span<std::uint8_t> out, const Key32& key,
                                        std::uint64_t counter, BytesView associated,
                                        BytesView ciphertext);

using Nonce24 = Octets<struct Nonce24Tag, 24>;
/// XChaCha20-Poly1305 (IETF): ciphertext, then a tag of 16 bytes.
[[nodiscard]] Bytes xchacha_seal(const Key32& key, const Nonce24& nonce, BytesView associated,
                                 BytesView plaintext);
[[nodiscard]] std::optional<Bytes> xchacha_open(const Key32& key, const Nonce24& nonce,
                                                BytesView associated, BytesView ciphertext);

/// HMAC-SHA-256 with a key of any length.
[[nodiscard]] Key32 hmac_sha256(BytesView key, Parts parts);

/// libsodium's sealed box (crypto_box_seal), with the ephemeral key made from `ephemeral`, which
/// must be fresh and random: opens with crypto_box_seal_open. If `to` is a low-order point, which
/// may stand in another member's certificate, the result has the usual length and nobody can open
/// it.
[[nodiscard]] Bytes box_seal(const DhPublic& to, BytesView message, const Seed& ephemeral);
[[nodiscard]] std::optional<Bytes> box_open(const DhSecret& key, BytesView sealed);

/// Argon2id (libsodium's "interactive" cost, 64 MiB): a key from a person's passphrase.
[[nodiscard]] Key32 passphrase_key(std::string_view passphrase, BytesView salt16);

/// Compares without giving away where they differ.
[[nodiscard]] bool equal_in_constant_time(BytesView a, BytesView b);
/// Overwrites with zeros in a way the compiler keeps.
void wipe(std::span<std::uint8_t> secret);
void wipe(std::string& secret);

/// Appends 0x80 and zeros up to a multiple of `block` (sodium_pad).
void pad(Bytes& text, std::size_t block);
/// Removes such padding. malformed if there is none.
[[nodiscard]] Result<std::size_t> unpadded_size(BytesView text, std::size_t block);

}  // namespace kith
