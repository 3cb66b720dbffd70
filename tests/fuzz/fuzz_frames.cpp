// What a channel does with frames. The first byte chooses: 0 the bytes are arbitrary; 1 they are
// the message stream of a peer that holds the keys, cut into frames; 2 they are whole plaintexts,
// padding included, of such a peer. The second byte chooses how bytes are cut.
#include "protocol/base/check.hpp"
#include "protocol/channel/secure_channel.hpp"
#include "protocol/crypto/crypto.hpp"

using namespace kith;
using namespace kith::channel;

namespace {

const auto key = Key32::from(Bytes(32, 1));

noise::Transport transport() {
  return {noise::CipherState(key), noise::CipherState(Key32::from(Bytes(32, 2))), Hash{}};
}

void append_frame(Bytes& wire, std::uint64_t counter, BytesView plaintext) {
  append_integer(wire, static_cast<std::uint16_t>(plaintext.size() + tag_bytes));
  append(wire, chachapoly_seal(key, counter, {}, plaintext));
}

Bytes frames(BytesView stream, std::size_t step, bool pad_them) {
  Bytes wire;
  for (std::uint64_t counter = 0; !stream.empty(); ++counter) {
    Bytes plaintext = to_bytes(stream.first(std::min(pad_them ? step : 64, stream.size())));
    stream = stream.subspan(plaintext.size());
    if (pad_them) pad(plaintext, limits::frame_padding);
    append_frame(wire, counter, plaintext);
  }
  return wire;
}

/// Feeds `wire` in steps and checks what must hold whatever it is. Returns whether all was
/// accepted.
bool feed(SecureChannel& channel, BytesView wire, std::size_t step, std::vector<Bytes>& messages) {
  bool failed = false;
  std::size_t fed = 0;
  while (!wire.empty()) {
    const BytesView part = wire.first(std::min(step, wire.size()));
    const bool accepted = channel.receive(part, messages).has_value();
    KITH_CHECK(!failed || !accepted);  // Once failed, always failed.
    failed = !accepted;
    fed += part.size();
    KITH_CHECK(channel.failed() == failed);
    KITH_CHECK(channel.held_bytes() <= 8 * fed + 1'024);
    wire = wire.subspan(part.size());
  }
  std::size_t bytes = 0;
  for (const Bytes& message : messages) {
    KITH_CHECK(!message.empty() && message.size() <= limits::message_bytes_max);
    bytes += message.size();
  }
  KITH_CHECK(bytes <= fed);
  return !failed;
}

/// What was received, sent again, must arrive as it was.
void check_round_trip(const std::vector<Bytes>& messages, std::size_t step) {
  SecureChannel sender(transport(), true);
  SecureChannel receiver(transport(), false);
  for (const Bytes& message : messages) sender.send(message);
  sender.send_close();
  std::vector<Bytes> again;
  KITH_CHECK(feed(receiver, sender.take_output(std::size_t{1} << 30), step, again));
  KITH_CHECK(again == messages);
  KITH_CHECK(receiver.closed_by_peer() && !receiver.mid_message());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = data[1] == 0 ? 4'096 : data[1];
  const BytesView rest(data + 2, size - 2);
  SecureChannel channel(transport(), false);
  std::vector<Bytes> messages;
  switch (data[0] % 3) {
    case 0:
      static_cast<void>(feed(channel, rest, step, messages));
      break;
    case 1:
      static_cast<void>(feed(channel, frames(rest, step, true), step, messages));
      break;
    default:
      static_cast<void>(feed(channel, frames(rest, step, false), step, messages));
  }
  check_round_trip(messages, step);
  return 0;
}
