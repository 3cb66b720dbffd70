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
/// The certificate may have at most limits::statement_bytes_max bytes.
[[nodiscard]] Bytes encode_hello(const Hello& hello);
/// Accepts only what encode_hello() would write for the result.
[[nodiscard]] Result<Hello> decode_hello(BytesView bytes);

/// The two directions after a handshake, cut into frames: u16 length, ciphertext of messages
/// (u32 length, bytes) packed together and padded (sodium_pad) to a multiple of 64.
/// Any failure ends the channel. Not copyable: two copies would use a counter twice.
class SecureChannel {
 public:
  /// The counters of `transport` say how many frames went each way: zero after a handshake.
  SecureChannel(const noise::Transport& transport, bool initiator);
  SecureChannel(SecureChannel&&) = default;
  SecureChannel& operator=(SecureChannel&&) = default;

  /// Queues one message (1..message_bytes_max), not after send_close(). Nothing is encrypted until
  /// take_output().
  void send(BytesView message);
  /// Queues the authenticated end; nothing may be sent after it.
  void send_close();
  /// The frames to write now; at most one frame more than `bytes_max`, so a slow peer bounds
  /// memory. Empty once the channel has failed.
  [[nodiscard]] Bytes take_output(std::size_t bytes_max);
  [[nodiscard]] std::size_t queued_bytes() const { return queued_; }

  /// Feeds received bytes, any cut. Complete messages are appended to `messages`. An error means:
  /// close the connection, say nothing. Messages complete before the error stay valid.
  [[nodiscard]] Result<bool> receive(BytesView bytes, std::vector<Bytes>& messages);
  /// Whether the peer ended with an authenticated close. End of stream without it is a cut.
  [[nodiscard]] bool closed_by_peer() const { return closed_by_peer_; }
  /// Whether a frame or message has begun but is not complete (for the minimum rate).
  [[nodiscard]] bool mid_message() const;
  /// Whether receive() failed or the frames of the sending direction are used up.
  [[nodiscard]] bool failed() const { return failed_; }
  /// Memory held for what has arrived: it follows what came, not what was announced.
  [[nodiscard]] std::size_t held_bytes() const;
  [[nodiscard]] const Hash& handshake_hash() const { return handshake_hash_; }

 private:
  void append_frame(Bytes& out);
  void append_from_queue(Bytes& out, std::size_t size);
  [[nodiscard]] Result<bool> receive_frames(BytesView bytes, std::vector<Bytes>& messages);
  [[nodiscard]] Result<bool> open_frame(BytesView ciphertext, std::vector<Bytes>& messages);
  [[nodiscard]] Result<bool> take_run(BytesView run, std::vector<Bytes>& messages);
  void take_body(BytesView& run, std::vector<Bytes>& messages);

  noise::CipherState sending_;
  noise::CipherState receiving_;
  Hash handshake_hash_;
  std::deque<Bytes> queue_;  // Messages with their length in front.
  std::size_t queued_ = 0;
  std::size_t front_sent_ = 0;
  bool close_queued_ = false;
  bool closed_by_peer_ = false;
  bool failed_ = false;
  Bytes in_;         // Bytes of an incomplete frame.
  Bytes plaintext_;  // Of the frame being read; kept to spare the allocation.
  Bytes head_;       // Length of the message being read.
  Bytes body_;       // The part of it that has arrived.
};

enum class HandshakeState : std::uint8_t { running, finished, failed };

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

  /// Preamble and message 1, 73 bytes to be written at once. Fails if the responder's static, which
  /// may stand in another member's certificate, is a low-order point.
  [[nodiscard]] Result<Bytes> start();
  /// Returns bytes to send (message 3 once message 2 is complete). `consumed` says how many of
  /// `bytes` were used: the rest belongs to the channel. Any error: close in silence.
  [[nodiscard]] Result<Bytes> receive(BytesView bytes, std::size_t& consumed);
  [[nodiscard]] bool finished() const { return state_ == HandshakeState::finished; }
  /// Once only, after finished().
  [[nodiscard]] SecureChannel take_channel();

 private:
  [[nodiscard]] Result<Bytes> answer_message2();

  Config config_;
  HandshakeState state_ = HandshakeState::running;
  std::optional<noise::Handshake> handshake_;
  std::optional<SecureChannel> channel_;
  Bytes in_;
};

/// One static key of a responder, with what a preamble for it is checked against: made once, since
/// finding the public key costs as much as a Diffie-Hellman.
struct OwnStatic {
  DhSecret secret;
  PreambleKey preamble;
};
[[nodiscard]] OwnStatic own_static(const DhSecret& secret, const NetworkId& network);

/// How a responder judged the static key it learnt from message 3.
struct Candidate {
  Key32 psk;
  int tag = 0;  ///< The caller's own meaning (which row or invitation).
  bool certificate_needed =
      false;  ///< Accept only a Hello that names the static (checked by `admit`).
};

/// The listening side. Strangers cost one keyed hash for each own static; no reply before that.
class Responder {
 public:
  struct Config {
    std::vector<OwnStatic> own_statics;  ///< Newest first; replaced ones that still answer.
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
  [[nodiscard]] bool finished() const { return state_ == HandshakeState::finished; }
  /// These three only after finished().
  [[nodiscard]] const DhPublic& remote_static() const { return remote_; }
  [[nodiscard]] const Candidate& accepted() const { return accepted_; }
  [[nodiscard]] const Hello& hello() const { return hello_; }
  /// Once only, after finished().
  [[nodiscard]] SecureChannel take_channel();
  /// Whether the preamble was right: before that nothing may be counted against anyone.
  [[nodiscard]] bool known_preamble() const { return known_preamble_; }

 private:
  [[nodiscard]] Result<Bytes> read(BytesView bytes, std::size_t& consumed);
  [[nodiscard]] Result<Bytes> answer_opening();
  [[nodiscard]] Result<bool> read_message3(BytesView message);
  [[nodiscard]] Result<bool> try_candidate(const noise::Handshake& before, BytesView message,
                                           std::size_t at, const Candidate& candidate);

  Config config_;
  HandshakeState state_ = HandshakeState::running;
  bool known_preamble_ = false;
  std::optional<noise::Handshake> handshake_;
  std::optional<SecureChannel> channel_;
  DhPublic remote_;
  Candidate accepted_;
  Hello hello_;
  Bytes in_;
};

}  // namespace kith::channel
