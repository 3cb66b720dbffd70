#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// Noise Protocol Framework, revision 34, with 25519, ChaChaPoly and SHA256 only.
namespace kith::noise {

/// One direction's cipher after the handshake (or during it). Its key is overwritten with zeros
/// when it is destroyed.
class CipherState {
 public:
  CipherState() = default;
  explicit CipherState(const Key32& key) : key_(key), has_key_(true) {}
  CipherState(const CipherState&) = default;
  CipherState& operator=(const CipherState&) = default;
  ~CipherState();

  /// `associated` is empty in transport. Fails with too_large when the counter is used up. Without
  /// a key the text passes through unchanged, as Noise asks before the first key agreement.
  [[nodiscard]] Result<Bytes> encrypt(BytesView associated, BytesView plaintext);
  /// A failure changes nothing, not even the counter.
  [[nodiscard]] Result<Bytes> decrypt(BytesView associated, BytesView ciphertext);
  /// The same without associated data and without allocating, for frames; there must be a key.
  /// `out` holds exactly the plaintext and the tag, and may begin where `plaintext` begins.
  [[nodiscard]] Result<bool> encrypt_into(std::span<std::uint8_t> out, BytesView plaintext);
  /// `out` holds exactly the plaintext; after a failure it holds zeros.
  [[nodiscard]] Result<bool> decrypt_into(std::span<std::uint8_t> out, BytesView ciphertext);
  /// Noise REKEY: a new key from the old one; the counter goes on.
  void rekey();

  [[nodiscard]] bool has_key() const { return has_key_; }
  [[nodiscard]] std::uint64_t counter() const { return counter_; }
  void set_counter(std::uint64_t value) { counter_ = value; }

 private:
  Key32 key_{};
  std::uint64_t counter_ = 0;
  bool has_key_ = false;
};

enum class Token : std::uint8_t { e, s, ee, es, se, ss, psk };

/// A handshake pattern: its name as Noise spells it (with modifiers) and its messages.
struct Pattern {
  std::string_view name;  ///< For instance "XKpsk3".
  std::vector<Token> initiator_pre;
  std::vector<Token> responder_pre;
  std::vector<std::vector<Token>> messages;  ///< The initiator writes the first.
};

/// Looks up one of the patterns that have public vectors: XX IK XK KK NK IX XXpsk3 IKpsk1 IKpsk2
/// XKpsk3. kith itself uses XKpsk3 alone. not_found for others.
[[nodiscard]] Result<Pattern> pattern(std::string_view name);

/// What a finished handshake leaves: one cipher for each direction, and the channel binding.
struct Transport {
  CipherState initiator_to_responder;
  CipherState responder_to_initiator;
  Hash handshake_hash;  ///< SHA-256 here: the channel binding.
};

/// What one side puts in. Absent parts that a token needs make the step fail.
struct Keys {
  std::optional<DhSecret> static_secret{};
  std::optional<DhSecret> ephemeral_secret{};  ///< Fresh and random for each handshake.
  std::optional<DhPublic> remote_static{};
  std::optional<Key32> psk{};
};

/// Reads and writes the messages of one handshake. Copyable, so a responder can try several
/// pre-shared keys on one message. Any failure ends the handshake: throw the object away. Its
/// secrets are overwritten with zeros when it is destroyed.
class Handshake {
 public:
  /// `keys` must hold the static keys that the pattern's pre-messages name.
  Handshake(const Pattern& pattern, bool initiator, BytesView prologue, const Keys& keys);
  Handshake(const Handshake&) = default;
  Handshake& operator=(const Handshake&) = default;
  ~Handshake();

  /// The next message, if it is this side's turn. Noise allows at most 65,535 bytes.
  [[nodiscard]] Result<Bytes> write(BytesView payload);
  /// The payload of the other side's next message.
  [[nodiscard]] Result<Bytes> read(BytesView message);

  /// For psk3: processes the tokens of `message` up to `psk` (so remote_static() is known) and
  /// leaves the rest for read_rest(), which may be tried on copies with different keys.
  [[nodiscard]] Result<std::size_t> read_before_psk(BytesView message);
  [[nodiscard]] Result<Bytes> read_rest(BytesView message, std::size_t consumed, const Key32& psk);

  [[nodiscard]] bool finished() const { return next_ == pattern_.messages.size(); }
  /// The other side's static key, once it is known.
  [[nodiscard]] const std::optional<DhPublic>& remote_static() const { return keys_.remote_static; }
  /// Only after finished().
  [[nodiscard]] Transport split() const;
  /// SHA-256 over all that both sides have seen so far.
  [[nodiscard]] const Hash& handshake_hash() const { return hash_; }

 private:
  void mix_hash(BytesView data);
  void mix_key(BytesView input);
  void mix_key_and_hash(BytesView input);
  [[nodiscard]] Result<Bytes> encrypt_and_hash(BytesView plaintext);
  [[nodiscard]] Result<Bytes> decrypt_and_hash(BytesView ciphertext);
  [[nodiscard]] Result<bool> mix_dh(Token token);
  [[nodiscard]] Result<bool> mix_psk();
  void mix_ephemeral(const DhPublic& ephemeral);
  void mix_pre_messages();
  [[nodiscard]] Result<bool> my_turn(bool writing) const;
  [[nodiscard]] Result<bool> write_token(Token token, Bytes& message);
  /// How many bytes of `rest` the token took.
  [[nodiscard]] Result<std::size_t> read_token(Token token, BytesView rest);
  /// Reads tokens from number `first` on, to the end or to `psk` if `stop_at_psk`.
  [[nodiscard]] Result<std::size_t> read_tokens(BytesView message, std::size_t first,
                                                bool stop_at_psk);

  Pattern pattern_;
  bool initiator_;
  bool has_psk_;  // The pattern has a psk token: then e is mixed into the key as well.
  Keys keys_;
  std::optional<DhPublic> remote_ephemeral_;
  CipherState cipher_;
  Hash chaining_key_;
  Hash hash_;
  std::size_t next_ = 0;
};

}  // namespace kith::noise
