#pragma once

#include <optional>
#include <vector>

#include "protocol/log/merkle.hpp"
#include "storage/database.hpp"

/// Which root of each complete bundle is the right one, when rows that should say the same differ.
namespace kith::storage {

/// The whole hashes of complete tile `n` of level 0, as stored; nothing if it is not of 256.
[[nodiscard]] std::optional<std::vector<TreeHash>> stored_tile(const ReadTxn& txn, const LogId& log,
                                                               std::uint64_t n);
/// The root of bundle `n` as the tile above says it.
[[nodiscard]] std::optional<TreeHash> stored_root(const ReadTxn& txn, const LogId& log,
                                                  std::uint64_t n);
/// The leaves of a bundle's row up to where it can be read, at most 256; views into it.
[[nodiscard]] std::vector<BytesView> readable_leaves(BytesView row);
[[nodiscard]] std::vector<TreeHash> leaf_hashes(std::span<const BytesView> leaves);

/// What the root of a bundle may be.
struct RootCandidates {
  std::vector<TreeHash> roots;  ///< Likeliest first.
  bool agreed = false;          ///< Two of the places that hold it say the one that is left.
};
/// As the tile above, the bundle's own tile and its leaves say it.
[[nodiscard]] RootCandidates root_candidates(const ReadTxn& txn, const LogId& log, std::uint64_t n);

/// For each bundle its root, where candidates come to the head's node above it; nothing where they
/// do not. `head` covers at least all of them. Few bundles that are in doubt are tried in every
/// combination, many are not.
[[nodiscard]] std::vector<std::optional<TreeHash>> prove_roots(
    const CompactRange& head, const std::vector<RootCandidates>& candidates);

/// The part of a head that covers complete bundles.
[[nodiscard]] CompactRange packed_part(const CompactRange& head);

}  // namespace kith::storage
