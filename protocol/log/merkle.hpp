#pragma once

#include <functional>
#include <span>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// The RFC 6962 Merkle tree with SHA-256 (RFC 9162 section 2.1).
namespace kith {

[[nodiscard]] TreeHash leaf_hash(BytesView entry);
[[nodiscard]] TreeHash node_hash(const TreeHash& left, const TreeHash& right);
/// SHA-256 of nothing: the root of a tree of size 0.
[[nodiscard]] TreeHash empty_root();
/// The root over all leaf hashes given.
[[nodiscard]] TreeHash tree_root(std::span<const TreeHash> leaf_hashes);

/// The right edge of a tree: one root for each complete subtree, largest first. Grows by leaves
/// (or by complete subtrees) and gives the root; enough to append without anything else.
class CompactRange {
 public:
  CompactRange() = default;
  /// `nodes` must hold one hash for each bit set in `size`. malformed otherwise.
  [[nodiscard]] static Result<CompactRange> from(std::uint64_t size, std::vector<TreeHash> nodes);

  void push(const TreeHash& leaf);
  /// Appends a complete subtree of 2^height leaves; size() must be a multiple of 2^height.
  void push_subtree(unsigned height, const TreeHash& root);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] TreeHash root() const;
  [[nodiscard]] const std::vector<TreeHash>& nodes() const { return nodes_; }

  friend bool operator==(const CompactRange&, const CompactRange&) = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<TreeHash> nodes_;
};

/// Sibling hashes, leaf side first; at most 63.
using Path = std::vector<TreeHash>;

[[nodiscard]] bool verify_inclusion(std::uint64_t index, std::uint64_t size, const TreeHash& leaf,
                                    std::span<const TreeHash> path, const TreeHash& root);
/// old_size 0 is refused, as a consistency proof with the empty tree says nothing (docs/PROTOCOL).
[[nodiscard]] bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                      std::span<const TreeHash> path, const TreeHash& old_root,
                                      const TreeHash& new_root);

/// The hash of the complete subtree of 2^height leaves that begins at index * 2^height.
using SubtreeReader = std::function<TreeHash(unsigned height, std::uint64_t index)>;
/// The root over leaves [0, size) read through complete subtrees.
[[nodiscard]] TreeHash root_of(std::uint64_t size, const SubtreeReader& subtree);
[[nodiscard]] Path inclusion_path(std::uint64_t index, std::uint64_t size,
                                  const SubtreeReader& subtree);
[[nodiscard]] Path consistency_path(std::uint64_t old_size, std::uint64_t new_size,
                                    const SubtreeReader& subtree);
/// The same for a small tree held in memory (a batch of records).
[[nodiscard]] Path inclusion_path(std::uint64_t index, std::span<const TreeHash> leaves);

}  // namespace kith
