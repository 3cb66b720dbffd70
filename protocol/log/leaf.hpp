#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// A leaf commits to one payload: five ASCII lines, each ended by LF.
namespace kith {

/// What a leaf commits to, as far as anyone may know; the letter in the second line.
enum class LeafClass : char {
  clear = 'c',       ///< Governance in clear; never erased.
  governance = 'g',  ///< All other governance, sealed; never erased.
  record = 'r',      ///< Everything else, sealed, erasable.
};

/// What the five lines say.
struct Leaf {
  LeafClass leaf_class = LeafClass::record;
  Millis time = 0;  ///< When the owner's daemon logged it, by its own clock.
  std::uint64_t payload_bytes = 0;
  Hash payload_hash{};  ///< BLAKE2b-256 of the payload as stored.

  friend bool operator==(const Leaf&, const Leaf&) = default;
};

/// The leaf that commits to `payload`, which is at most payload_bytes_max.
[[nodiscard]] Leaf make_leaf(LeafClass leaf_class, Millis time, BytesView payload);
/// The five lines: the entry of the tree.
[[nodiscard]] std::string encode_leaf(const Leaf& leaf);
/// Strict: exactly one encoding exists for each leaf. malformed otherwise; too_large if the
/// payload would be larger than payload_bytes_max.
[[nodiscard]] Result<Leaf> decode_leaf(std::string_view text);
/// Whether `payload` is what the leaf commits to (length and hash).
[[nodiscard]] bool commits_to(const Leaf& leaf, BytesView payload);

/// An entry bundle (C2SP tlog-tiles): u16 length, leaf, for up to 256 leaves.
void append_to_bundle(Bytes& bundle, BytesView leaf);
/// The leaves of a bundle, as views into it. malformed on a wrong length; too_large if there are
/// more than `max`. Whether each is a leaf is not looked at.
[[nodiscard]] Result<std::vector<BytesView>> split_bundle(BytesView bundle, std::size_t max);

}  // namespace kith
