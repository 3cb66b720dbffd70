#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"
#include "protocol/channel/preamble.hpp"
#include "protocol/crypto/noise.hpp"

/// Noise_XKpsk3_25519_ChaChaPoly_SHA256 over any stream of bytes; docs/PROTOCOL, "Channel".
/// State machines without I/O: bytes in, bytes out.
namespace kith::channel {

inline constexpr std::size_t short_hello_bytes = 64;
inline constexpr std::size_t long_hello_bytes = 1'024;

/// The payload of message 3: what an initiator says at once. 64 bytes, or 1,024 with a certificate.
///
///   u8 lowest version | u8 highest version | u16 certificate length | u32 zero |
///   u64 own certificate number | 32 bytes digest | 16 bytes last common digest | certificate |
///   zeros
struct Hello {
  std::uint8_t version_min = wire_version;
  std::uint8_t version_max = wire_version;
  std::uint64_t certificate_number = 0;
  Hash digest{};
  Octets<struct LastCommonTag, 16> last_common{};  ///< First half of the last digest both had.
  Bytes certificate;                               ///< Empty: the short form.

  friend bool operator==(const Hello&, const Hello&) = default;
};
[[nodiscard]] Bytes encode_hello(const Hello& hello);
[[nodiscard]] Result<Hello> decode_hello(BytesView bytes);

/// The two directions after a handshake, cut into frames: u16 length, ciphertext of messages
/// (u32 length, bytes) packed together and padded (sodium_pad) to a multiple of 64.
class SecureChannel {
 public:
  SecureChannel(noise::Transport transport, bool initiator);

  /// Queues one message (1..message_bytes_max). Nothing is encrypted until take_output().
  void send(BytesView message);
  /// Queues the authenticated end; nothing may be sent after it.
  void send_close();
  /// The frames to write now; about `bytes_max` at most, so a slow peer bounds memory.
  [[nodiscard]] Bytes take_output(std::size_t bytes_max);
  [[nodiscard]] std::size_t queued_bytes() const { return queued_; }

  /// Feeds received bytes, any cut. Complete messages are appended to `messages`. An error means:
  /// close the connection, say nothing. Messages complete before the error stay valid.
  [[nodiscard]] Result<bool> receive(BytesView bytes, std::vector<Bytes>& messages);
  /// Whether the peer ended with an authenticated close. End of stream without it is a cut.
  [[nodiscard]] bool closed_by_peer() const { return closed_by_peer_; }
  /// Whether a frame or message has begun but is not complete (for the minimum rate).
  [[nodiscard]] bool mid_message() const;
  [[nodiscard]] const Hash& handshake_hash() const { return handshake_hash_; }

 private:
  [[nodiscard]] Result<bool> open_frame(BytesView ciphertext, std::vector<Bytes>& messages);

  noise::CipherState sending_;
  noise::CipherState receiving_;
  Hash handshake_hash_;
  std::uint64_t frames_sent_ = 0;
  std::uint64_t frames_received_ = 0;
  std::deque<Bytes> queue_;  // Messages with their length in front.
  std::size_t queued_ = 0;
  std::size_t front_sent_ = 0;
  bool close_queued_ = false;
  bool closed_by_peer_ = false;
  Bytes in_;       // Bytes of an incomplete frame.
  Bytes partial_;  // Plaintext of an incomplete message, its length in front.
};

/// The dialling side. Call start(), then feed what arrives until channel() has a value.
class Initiator {
 public:
  struct Config {
    DhSecret own_static;
    DhPublic responder_static;
    NetworkId network;
    Key32 psk;
    DhSecret ephemeral;  ///< Fresh and random.
    Hello hello;
  };
  explicit Initiator(Config config);

  /// Preamble and message 1.
  [[nodiscard]] Bytes start();
  /// Returns bytes to send (message 3 once message 2 is complete). `consumed` says how many of
  /// `bytes` were used: the rest belongs to the channel.
  [[nodiscard]] Result<Bytes> receive(BytesView bytes, std::size_t& consumed);
  [[nodiscard]] bool finished() const { return channel_.has_value(); }
  [[nodiscard]] SecureChannel take_channel();

 private:
  Config config_;
  std::optional<noise::Handshake> handshake_;
  std::optional<SecureChannel> channel_;
  Bytes in_;
};

/// How a responder judged the static key it learnt from message 3.
struct Candidate {
  Key32 psk;
  int tag = 0;                      ///< The caller's own meaning (which row or invitation).
  bool certificate_needed = false;  ///< Accept only a Hello that names the static (checked by `admit`).
};

/// The listening side. Strangers cost one keyed hash for each own static; no reply before that.
class Responder {
 public:
  struct Config {
    std::vector<DhSecret> own_statics;  ///< Newest first; replaced ones that still answer.
    NetworkId network;
    DhSecret ephemeral;  ///< Fresh and random.
    /// The keys to try for this static, in order (table row, network secret, invitations).
    std::function<std::vector<Candidate>(const DhPublic& remote)> candidates;
    /// The last word once a key fitted; false tries the next.
    std::function<bool(const DhPublic& remote, const Candidate& candidate, const Hello& hello)>
        admit;
  };
  explicit Responder(Config config);

  /// Returns bytes to send (message 2). Any error: close in silence.
  [[nodiscard]] Result<Bytes> receive(BytesView bytes, std::size_t& consumed);
  [[nodiscard]] bool finished() const { return channel_.has_value(); }
  [[nodiscard]] const DhPublic& remote_static() const { return remote_; }
  [[nodiscard]] const Candidate& accepted() const { return accepted_; }
  [[nodiscard]] const Hello& hello() const { return hello_; }
  [[nodiscard]] SecureChannel take_channel();
  /// Whether the preamble was right: before that nothing may be counted against anyone.
  [[nodiscard]] bool known_preamble() const { return handshake_.has_value(); }

 private:
  [[nodiscard]] Result<Bytes> read_opening();
  [[nodiscard]] Result<Bytes> read_message3();

  Config config_;
  std::optional<noise::Handshake> handshake_;
  std::optional<SecureChannel> channel_;
  DhPublic remote_;
  Candidate accepted_;
  Hello hello_;
  Bytes in_;
};

}  // namespace kith::channel
