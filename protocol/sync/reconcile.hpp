#pragma once

#include <map>
#include <span>

#include "protocol/schema/peer_codec.hpp"

/// Which logs differ: digests over what two daemons hold of a space.
namespace kith::sync {

/// H(`kith/digest/v1` | count | for each log in order of id: log, size, root, agreed size, gaps,
/// frozen). Equal digests mean: nothing to say. A frozen log enters with its agreed size and root.
[[nodiscard]] Hash space_digest(const std::map<LogId, peer::LogSummary>& logs);
/// One digest over those of all spaces that both carry, in order of space id.
[[nodiscard]] Hash overall_digest(const std::map<SpaceId, Hash>& spaces);
/// H(`kith/digest/v1` | indices); zeros for no gap.
[[nodiscard]] Hash gaps_hash(std::span<const std::uint64_t> indices);

/// What is remembered of a digest: its first half.
[[nodiscard]] DigestHalf first_half(const Hash& digest);

}  // namespace kith::sync
