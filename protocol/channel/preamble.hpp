#pragma once

#include <array>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// The first bytes a dialler sends: magic, version and a MAC that only those can make who know
/// the responder's static key and the network. A stranger costs no Diffie-Hellman.
namespace kith::channel {

inline constexpr std::uint8_t wire_version = 1;
inline constexpr std::size_t preamble_bytes = 25;  ///< 8 magic, 1 version, 16 mac1.
inline constexpr std::size_t message1_bytes = 48;  ///< e, tag of an empty payload.
inline constexpr std::size_t message2_bytes = 48;
inline constexpr std::size_t opening_bytes = preamble_bytes + message1_bytes;

using PreambleKey = Key32;

/// H(`kith/preamble-key/v1` | static | network): computed once for each of a responder's statics.
[[nodiscard]] PreambleKey preamble_key(const DhPublic& responder, const NetworkId& network);
/// `ephemeral` is the e of message 1.
[[nodiscard]] std::array<std::uint8_t, preamble_bytes> make_preamble(const PreambleKey& key,
                                                                     const DhPublic& ephemeral);
/// Whether `opening` (preamble and message 1) carries the MAC of this key. Constant time.
[[nodiscard]] bool preamble_matches(BytesView opening, const PreambleKey& key);

}  // namespace kith::channel
