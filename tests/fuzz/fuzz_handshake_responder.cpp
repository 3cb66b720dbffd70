// What a listener does with bytes from anyone. The first byte chooses how much of the handshake is
// honest, so that every part of it meets arbitrary bytes:
//   0  all bytes are arbitrary
//   1  the preamble is right for an arbitrary message 1
//   2  the opening is honest, message 3 is arbitrary
//   3  all is honest but the hello in message 3
// The second chooses how the bytes are cut.
#include <cstdlib>

#include "protocol/base/check.hpp"
#include "protocol/channel/secure_channel.hpp"
#include "protocol/crypto/crypto.hpp"

using namespace kith;
using namespace kith::channel;

namespace {

const auto initiator_static = DhSecret::from(Bytes(32, 1));
const auto responder_static = DhSecret::from(Bytes(32, 2));
const auto network = NetworkId::from(Bytes(32, 3));
const auto psk = Key32::from(Bytes(32, 4));
const auto ephemeral = DhSecret::from(Bytes(32, 5));

Responder make_responder() {
  return Responder({.own_statics = {own_static(responder_static, network)},
                    .network = network,
                    .ephemeral = DhSecret::from(Bytes(32, 6)),
                    .candidates =
                        [](const DhPublic&) {
                          return std::vector<Candidate>{{.psk = Key32{}, .tag = 1},
                                                        {.psk = psk, .tag = 2}};
                        },
                    .admit = [](const DhPublic&, const Candidate&, const Hello&) { return true; }});
}

/// Feeds all of `bytes` in steps; what the responder answered, or nothing if it failed.
std::optional<Bytes> feed(Responder& responder, BytesView bytes, std::size_t step) {
  Bytes answer;
  bool failed = false;
  while (!bytes.empty()) {
    std::size_t consumed = 0;
    const BytesView part = bytes.first(std::min(step, bytes.size()));
    const auto reply = responder.receive(part, consumed);
    KITH_CHECK(consumed <= part.size());
    KITH_CHECK(!failed || !reply);  // Once failed, always failed.
    failed = !reply;
    if (reply) append(answer, *reply);
    bytes = bytes.subspan(part.size());
  }
  KITH_CHECK(answer.empty() || answer.size() == message2_bytes);
  if (failed) return std::nullopt;
  return answer;
}

void with_arbitrary_hello(Responder& responder, BytesView hello, std::size_t step) {
  const auto preamble =
      make_preamble(preamble_key(dh_public(responder_static), network), dh_public(ephemeral));
  Bytes prologue = to_bytes(preamble);
  append(prologue, network.view());
  noise::Handshake handshake(*noise::pattern("XKpsk3"), true, prologue,
                             {.static_secret = initiator_static,
                              .ephemeral_secret = ephemeral,
                              .remote_static = dh_public(responder_static),
                              .psk = psk});
  Bytes opening = to_bytes(preamble);
  append(opening, *handshake.write({}));
  const auto message2 = feed(responder, opening, step);
  KITH_CHECK(message2 && handshake.read(*message2));
  const auto message3 = handshake.write(hello);
  if (!message3) return;
  Bytes framed;
  append_integer(framed, static_cast<std::uint16_t>(message3->size()));
  append(framed, *message3);
  static_cast<void>(feed(responder, framed, step));
  const auto decoded = decode_hello(hello);
  const bool good = decoded && decoded->version_min <= wire_version;
  KITH_CHECK(responder.finished() == good);
  if (good) {
    KITH_CHECK(responder.hello() == *decoded);
    KITH_CHECK(responder.accepted().tag == 2);
    KITH_CHECK(responder.take_channel().handshake_hash() == handshake.handshake_hash());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = data[1] == 0 ? size : data[1];
  const BytesView rest(data + 2, size - 2);
  Responder responder = make_responder();
  Initiator initiator({.own_static = initiator_static,
                       .responder_static = dh_public(responder_static),
                       .network = network,
                       .psk = psk,
                       .ephemeral = ephemeral,
                       .hello = Hello{}});
  switch (data[0] % 4) {
    case 0:
      static_cast<void>(feed(responder, rest, step));
      KITH_CHECK(!responder.finished());
      break;
    case 1: {
      if (rest.size() < DhPublic::size) return 0;
      const auto preamble = make_preamble(preamble_key(dh_public(responder_static), network),
                                          DhPublic::from(rest.first(DhPublic::size)));
      Bytes opening = to_bytes(preamble);
      append(opening, rest);
      static_cast<void>(feed(responder, opening, step));
      KITH_CHECK(!responder.finished());
      KITH_CHECK(responder.known_preamble() == (opening.size() >= opening_bytes));
      break;
    }
    case 2:
      KITH_CHECK(feed(responder, *initiator.start(), step)->size() == message2_bytes);
      static_cast<void>(feed(responder, rest, step));
      KITH_CHECK(!responder.finished());
      break;
    default:
      with_arbitrary_hello(responder, rest, step);
  }
  return 0;
}
