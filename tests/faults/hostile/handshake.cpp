#include "tests/faults/hostile/handshake.hpp"

#include "daemon/random.hpp"
#include "protocol/crypto/crypto.hpp"

namespace kith::hostile {
namespace {

constexpr milliseconds patience{15'000};

noise::Handshake begin(const Caller& caller, Bytes& opening) {
  const DhSecret ephemeral = fresh_secret();
  const auto preamble = channel::make_preamble(
      channel::preamble_key(caller.responder, caller.network), dh_public(ephemeral));
  Bytes prologue = to_bytes(preamble);
  append(prologue, caller.network.view());
  noise::Handshake handshake(*noise::pattern("XKpsk3"), true, prologue,
                             {.static_secret = caller.own_static,
                              .ephemeral_secret = ephemeral,
                              .remote_static = caller.responder,
                              .psk = caller.psk});
  opening = to_bytes(preamble);
  append(opening, *handshake.write({}));
  return handshake;
}

/// Message 3 with its length, or nothing if message 2 did not verify.
std::optional<Bytes> finish(noise::Handshake& handshake, const Caller& caller, BytesView message2) {
  if (!handshake.read(message2)) return std::nullopt;
  const auto message = handshake.write(channel::encode_hello(caller.hello));
  if (!message) return std::nullopt;
  Bytes out;
  append_integer(out, static_cast<std::uint16_t>(message->size()));
  append(out, *message);
  return out;
}

}  // namespace

DhSecret fresh_secret() { return daemon::random_octets<DhSecret>(); }

Caller caller_with(const Invitation& invitation) {
  return {fresh_secret(), invitation.sponsor_transport, invitation.network, invitation.secret};
}

Bytes opening_of(const Caller& caller) {
  Bytes opening;
  (void)begin(caller, opening);
  return opening;
}

Attempt attempt(std::uint16_t port, const Caller& caller, std::optional<std::size_t> flip) {
  Attempt result;
  Socket socket(port);
  Bytes opening;
  noise::Handshake handshake = begin(caller, opening);
  socket.send(opening);
  const Bytes message2 = socket.receive_exactly(channel::message2_bytes, patience);
  result.answered = message2.size();
  if (message2.size() < channel::message2_bytes) {
    result.closed = socket.bytes_until_end(patience).has_value();
    return result;
  }
  auto message3 = finish(handshake, caller, message2);
  if (!message3) give_up("message 2 does not verify");
  if (flip) (*message3)[*flip / 8] ^= static_cast<std::uint8_t>(1U << (*flip % 8));
  socket.send(*message3);
  const auto some = socket.receive(milliseconds(1'500));
  result.closed = some && some->empty();
  result.after = some ? some->size() : 0;
  return result;
}

std::optional<OpenChannel> OpenChannel::open(std::uint16_t port, const Caller& caller) {
  Socket socket(port);
  Bytes sent;
  noise::Handshake handshake = begin(caller, sent);
  socket.send(sent);
  Bytes message2 = socket.receive_exactly(channel::message2_bytes, patience);
  if (message2.size() < channel::message2_bytes) return std::nullopt;
  const auto message3 = finish(handshake, caller, message2);
  if (!message3 || !socket.send(*message3)) return std::nullopt;
  append(sent, *message3);
  return OpenChannel(std::move(socket), handshake.split(), std::move(sent), std::move(message2));
}

OpenChannel::OpenChannel(Socket socket, const noise::Transport& transport, Bytes sent,
                         Bytes message2)
    : socket_(std::move(socket)),
      sending_(transport.initiator_to_responder),
      receiving_(transport, true),
      hash_(transport.handshake_hash),
      sent_(std::move(sent)),
      message2_(std::move(message2)) {}

bool OpenChannel::send_raw(BytesView bytes) {
  append(sent_, bytes);
  return socket_.send(bytes);
}

bool OpenChannel::send_run(BytesView run) {
  Bytes plaintext = to_bytes(run);
  pad(plaintext, limits::frame_padding);
  const auto sealed = sending_.encrypt({}, plaintext);
  Bytes frame;
  append_integer(frame, static_cast<std::uint16_t>(sealed->size()));
  append(frame, *sealed);
  return send_raw(frame);
}

bool OpenChannel::send_message(BytesView message) {
  Bytes stream;
  append_integer(stream, static_cast<std::uint32_t>(message.size()));
  append(stream, message);
  for (BytesView rest = stream; !rest.empty();) {
    const BytesView run = rest.first(std::min<std::size_t>(rest.size(), 16'383));
    if (!send_run(run)) return false;
    rest = rest.subspan(run.size());
  }
  return true;
}

std::optional<Bytes> OpenChannel::next_message(milliseconds how_long) {
  const auto end = Clock::now() + how_long;
  while (messages_.empty()) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    const auto some = socket_.receive(left);
    if (!some || some->empty() || !receiving_.receive(*some, messages_)) return std::nullopt;
  }
  Bytes message = std::move(messages_.front());
  messages_.erase(messages_.begin());
  return message;
}

bool OpenChannel::ended(milliseconds how_long) {
  return socket_.bytes_until_end(how_long).has_value();
}

}  // namespace kith::hostile
