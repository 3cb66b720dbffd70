#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kith {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

/// The bytes of a text, without its terminator.
[[nodiscard]] inline BytesView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // May alias all.
}
/// Bytes known to be text (the caller has checked them or does not care).
[[nodiscard]] inline std::string_view text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // May alias all.
}
[[nodiscard]] inline Bytes to_bytes(BytesView bytes) { return {bytes.begin(), bytes.end()}; }
[[nodiscard]] inline bool equal(BytesView a, BytesView b) { return std::ranges::equal(a, b); }
inline void append(Bytes& to, BytesView more) { to.insert(to.end(), more.begin(), more.end()); }

/// N octets with a meaning; two meanings do not mix. Sorts by bytes.
template <class Tag, std::size_t N>
struct Octets {
  static constexpr std::size_t size = N;

  std::array<std::uint8_t, N> bytes{};

  /// `from` must hold exactly N bytes; the caller has checked the length.
  [[nodiscard]] static Octets from(BytesView source) {
    Octets value;
    std::memcpy(value.bytes.data(), source.data(), std::min(N, source.size()));
    return value;
  }
  [[nodiscard]] bool is_zero() const {
    return std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; });
  }
  [[nodiscard]] BytesView view() const { return bytes; }

  friend auto operator<=>(const Octets&, const Octets&) = default;
};

using NetworkId = Octets<struct NetworkIdTag, 32>;  ///< Record id of the Founding record.
using MemberId = Octets<struct MemberIdTag, 32>;    ///< Ed25519 identity (recovery) key.
using SpaceId = Octets<struct SpaceIdTag, 32>;      ///< Zeros: the commons.
using LogId = Octets<struct LogIdTag, 32>;
using RecordId = Octets<struct RecordIdTag, 32>;
using DecisionId = RecordId;  ///< The proposal that was decided, or Founding.

using Hash = Octets<struct HashTag, 32>;          ///< BLAKE2b-256.
using TreeHash = Octets<struct TreeHashTag, 32>;  ///< SHA-256, RFC 6962.
using Key32 = Octets<struct Key32Tag, 32>;        ///< A symmetric key.

using PublicKey = Octets<struct PublicKeyTag, 32>;  ///< Ed25519.
using Seed = Octets<struct SeedTag, 32>;            ///< Ed25519 secret seed.
using Signature = Octets<struct SignatureTag, 64>;  ///< Ed25519.
using DhPublic = Octets<struct DhPublicTag, 32>;    ///< X25519.
using DhSecret = Octets<struct DhSecretTag, 32>;    ///< X25519.

/// Milliseconds since 1970, UTC. The claimed time of a person or a daemon; never used for order.
using Millis = std::uint64_t;

using DigestHalf = Octets<struct DigestHalfTag, 16>;  ///< First half of a sync digest.

inline constexpr SpaceId commons{};

/// Big-endian integers, as every format of kith writes them.
template <class Integer>
void append_integer(Bytes& to, Integer value) {
  for (std::size_t i = sizeof(Integer); i-- > 0;) {
    to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}
/// `from` must hold at least sizeof(Integer) bytes.
template <class Integer>
[[nodiscard]] Integer read_integer(BytesView from) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(static_cast<Integer>(value << 8) | from[i]);
  }
  return value;
}

}  // namespace kith

template <class Tag, std::size_t N>
struct std::hash<kith::Octets<Tag, N>> {
  std::size_t operator()(const kith::Octets<Tag, N>& value) const noexcept {
    std::size_t h = 0;
    std::memcpy(&h, value.bytes.data(), sizeof(h));
    return h;
  }
};
