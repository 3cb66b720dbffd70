#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/crypto/crypto.hpp"

/// The bytes of key files and invitations, and the words people copy by hand.
namespace kith {

/// An author's key file (`.kith-key`): text, first line "kith-key v1". The seed is in clear or
/// under a passphrase (Argon2id, XChaCha20-Poly1305), which must not be empty.
[[nodiscard]] std::string encode_key_file(const SigningKey& key);
[[nodiscard]] std::string encode_key_file(const SigningKey& key, std::string_view passphrase,
                                          BytesView salt16, const Nonce24& nonce);
struct KeyFile {
  PublicKey public_key;
  bool needs_passphrase = false;
};
/// What can be read without the passphrase. malformed.
[[nodiscard]] Result<KeyFile> inspect_key_file(std::string_view text);
/// forbidden if the passphrase is wrong or missing.
[[nodiscard]] Result<SigningKey> open_key_file(std::string_view text, std::string_view passphrase);

/// A public key as people pass it on: "kith-author-" and base32.
[[nodiscard]] std::string encode_author(const PublicKey& key);
[[nodiscard]] Result<PublicKey> decode_author(std::string_view text);

/// 24 words of the BIP-39 English list for 32 bytes (with its checksum).
[[nodiscard]] std::vector<std::string> recovery_words(const Seed& seed);
inline constexpr std::size_t recovery_word_count = 24;  // 256 bits of seed, 8 of checksum.
/// Words between white space, whatever they are.
[[nodiscard]] std::size_t count_words(std::string_view text);
/// malformed names the word that is wrong, or says that the checksum fails.
[[nodiscard]] Result<Seed> seed_from_words(std::string_view words);
/// 8 words (88 bits) of a member id, for reading aloud.
[[nodiscard]] std::vector<std::string> fingerprint_words(const MemberId& member);

/// What a sponsor hands to a candidate (`.kith-invite`): text, first line "kith-invite v1".
struct Invitation {
  NetworkId network;
  std::string network_name;
  MemberId sponsor;
  DhPublic sponsor_transport;
  std::vector<std::string> addresses;  ///< "host:port" of the sponsor.
  Key32 secret;                        ///< The psk of the join conversation; random, used once.
  Millis expires = 0;
  DecisionId decision;  ///< The newest the sponsor knew.
  MemberId founder;     ///< Whose commons begins with Founding.
  friend bool operator==(const Invitation&, const Invitation&) = default;
};
[[nodiscard]] std::string encode_invitation(const Invitation& invitation);
[[nodiscard]] Result<Invitation> decode_invitation(std::string_view text);

}  // namespace kith
