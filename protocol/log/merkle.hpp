#pragma once

#include <functional>
#include <span>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// The RFC 6962 Merkle tree with SHA-256 (RFC 9162 section 2.1).
namespace kith {

/// SHA-256(0x00 | entry).
[[nodiscard]] TreeHash leaf_hash(BytesView entry);
/// SHA-256(0x01 | left | right).
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

  /// Appends one leaf. The size stays at most tree_size_max.
  void push(const TreeHash& leaf);
  /// Appends a complete subtree of 2^height leaves; size() must be a multiple of 2^height.
  void push_subtree(unsigned height, const TreeHash& root);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// empty_root() if nothing was pushed.
  [[nodiscard]] TreeHash root() const;
  [[nodiscard]] const std::vector<TreeHash>& nodes() const { return nodes_; }

  friend bool operator==(const CompactRange&, const CompactRange&) = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<TreeHash> nodes_;
};

/// Sibling hashes, leaf side first; at most 63.
using Path = std::vector<TreeHash>;

/// Whether `path` leads from the leaf hash at `index` to `root`. The root alone does not fix the
/// size: take both from one signed checkpoint.
[[nodiscard]] bool verify_inclusion(std::uint64_t index, std::uint64_t size, const TreeHash& leaf,
                                    std::span<const TreeHash> path, const TreeHash& root);
/// Whether the tree of `new_size` begins with the tree of `old_size`.
/// old_size 0 is refused, as a consistency proof with the empty tree says nothing (docs/PROTOCOL).
[[nodiscard]] bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                      std::span<const TreeHash> path, const TreeHash& old_root,
                                      const TreeHash& new_root);

/// The hash of the complete subtree of 2^height leaves that begins at index * 2^height.
using SubtreeReader = std::function<TreeHash(unsigned height, std::uint64_t index)>;
/// The root over leaves [0, size) read through complete subtrees.
[[nodiscard]] TreeHash root_of(std::uint64_t size, const SubtreeReader& subtree);
/// `index` must be below `size`.
[[nodiscard]] Path inclusion_path(std::uint64_t index, std::uint64_t size,
                                  const SubtreeReader& subtree);
/// `old_size` must be at least 1 and at most `new_size`; empty if they are equal.
[[nodiscard]] Path consistency_path(std::uint64_t old_size, std::uint64_t new_size,
                                    const SubtreeReader& subtree);

/// A small tree held in memory (a batch of records), every subtree hashed once: for who needs the
/// paths of many leaves.
class MemoryTree {
 public:
  explicit MemoryTree(std::span<const TreeHash> leaves);

  [[nodiscard]] std::uint64_t size() const { return levels_.front().size(); }
  /// The subtree must be complete within the tree.
  [[nodiscard]] TreeHash subtree(unsigned height, std::uint64_t index) const;
  [[nodiscard]] TreeHash root() const;
  /// `index` must be below size().
  [[nodiscard]] Path inclusion_path(std::uint64_t index) const;

 private:
  std::vector<std::vector<TreeHash>> levels_;  // By height; complete subtrees only.
};
/// The path of one leaf of such a tree.
[[nodiscard]] Path inclusion_path(std::uint64_t index, std::span<const TreeHash> leaves);

}  // namespace kith
