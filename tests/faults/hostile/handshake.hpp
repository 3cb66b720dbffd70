#pragma once

#include "protocol/channel/secure_channel.hpp"
#include "protocol/crypto/noise.hpp"
#include "tests/faults/hostile/scene.hpp"

/// The dialling side, byte by byte, so that it can be done wrong at every step.
namespace kith::hostile {

/// What a dialler says and with what.
struct Caller {
  DhSecret own_static;
  DhPublic responder;
  NetworkId network;
  Key32 psk;
  channel::Hello hello{};
};
/// With an invitation and a fresh transport key.
[[nodiscard]] Caller caller_with(const Invitation& invitation);
[[nodiscard]] DhSecret fresh_secret();

/// 73 bytes that the responder must answer.
[[nodiscard]] Bytes opening_of(const Caller& caller);

/// What became of a whole handshake.
struct Attempt {
  std::size_t answered = 0;  ///< Bytes that came back before message 3.
  std::size_t after = 0;     ///< Bytes that came back after message 3.
  bool closed = false;       ///< By the other side, without being asked to.
};
/// Up to message 3, then waits for what comes.
/// With `flip`, that bit of message 3 is changed on the way.
[[nodiscard]] Attempt attempt(std::uint16_t port, const Caller& caller,
                              std::optional<std::size_t> flip = {});

/// A channel with its keys in the open: it can send what no honest channel would.
class OpenChannel {
 public:
  /// Nothing if the handshake did not come as far as message 3.
  [[nodiscard]] static std::optional<OpenChannel> open(std::uint16_t port, const Caller& caller);

  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] const Hash& handshake_hash() const { return hash_; }
  /// Everything that was sent so far, for a replay.
  [[nodiscard]] const Bytes& sent() const { return sent_; }
  [[nodiscard]] const Bytes& message2() const { return message2_; }

  bool send_raw(BytesView bytes);
  /// A frame that verifies, with this run in it.
  bool send_run(BytesView run);
  /// A message as it should be.
  bool send_message(BytesView message);
  /// The next message, or nothing at the end or after `patience`.
  [[nodiscard]] std::optional<Bytes> next_message(milliseconds patience);
  /// Whether the other side ends the connection within `patience`.
  [[nodiscard]] bool ended(milliseconds patience);

 private:
  OpenChannel(Socket socket, const noise::Transport& transport, Bytes sent, Bytes message2);

  Socket socket_;
  noise::CipherState sending_;
  channel::SecureChannel receiving_;
  std::vector<Bytes> messages_;
  Hash hash_;
  Bytes sent_;
  Bytes message2_;
};

}  // namespace kith::hostile
