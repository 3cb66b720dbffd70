#pragma once

#include <optional>
#include <vector>

#include "protocol/channel/secure_channel.hpp"
#include "protocol/crypto/crypto.hpp"

/// Two ends of a channel in memory, for the tests of this folder.
namespace kith::channel::testing {

template <class T>
T filled(std::uint8_t byte) {
  return T::from(Bytes(T::size, byte));
}

inline const auto initiator_static = filled<DhSecret>(0x11);
inline const auto responder_static = filled<DhSecret>(0x22);
inline const auto network = filled<NetworkId>(0x66);
inline const auto psk = filled<Key32>(0x55);

inline Initiator::Config initiator_config() {
  return {.own_static = initiator_static,
          .responder_static = dh_public(responder_static),
          .network = network,
          .psk = psk,
          .ephemeral = filled<DhSecret>(0x33),
          .hello = Hello{}};
}

inline bool admit_all(const DhPublic&, const Candidate&, const Hello&) { return true; }

inline Responder::Config responder_config() {
  return {.own_statics = {own_static(responder_static, network)},
          .network = network,
          .ephemeral = filled<DhSecret>(0x44),
          .candidates =
              [](const DhPublic& remote) {
                std::vector<Candidate> candidates;
                if (remote == dh_public(initiator_static)) candidates.push_back({.psk = psk});
                return candidates;
              },
          .admit = admit_all};
}

/// The three messages of one handshake, as written; those that were never reached are empty.
struct Wire {
  Bytes opening;
  Bytes message2;
  Bytes message3;
};

/// Runs a handshake over a perfect line, as far as both sides go along.
inline Wire run(Initiator& initiator, Responder& responder) {
  Wire wire;
  std::size_t consumed = 0;
  auto opening = initiator.start();
  if (!opening) return wire;
  wire.opening = *opening;
  auto message2 = responder.receive(wire.opening, consumed);
  if (!message2) return wire;
  wire.message2 = *message2;
  auto message3 = initiator.receive(wire.message2, consumed);
  if (!message3) return wire;
  wire.message3 = *message3;
  static_cast<void>(responder.receive(wire.message3, consumed));
  return wire;
}

/// What a finished handshake leaves, with keys that the test knows.
inline noise::Transport known_transport(std::uint64_t counter = 0) {
  noise::Transport transport{noise::CipherState(filled<Key32>(1)),
                             noise::CipherState(filled<Key32>(2)), filled<Hash>(3)};
  transport.initiator_to_responder.set_counter(counter);
  transport.responder_to_initiator.set_counter(counter);
  return transport;
}

struct Channels {
  SecureChannel initiator{known_transport(), true};
  SecureChannel responder{known_transport(), false};
};

inline constexpr std::size_t everything = std::size_t{1} << 40;

/// One frame with this plaintext under the initiator's key: what a peer that holds the keys but
/// keeps no rule can send.
inline Bytes frame_of(BytesView plaintext, std::uint64_t counter) {
  Bytes frame;
  append_integer(frame, static_cast<std::uint16_t>(plaintext.size() + tag_bytes));
  append(frame, chachapoly_seal(filled<Key32>(1), counter, {}, plaintext));
  return frame;
}

/// The same, with the padding done right.
inline Bytes frame_of_run(Bytes run, std::uint64_t counter) {
  pad(run, limits::frame_padding);
  return frame_of(run, counter);
}

}  // namespace kith::channel::testing
