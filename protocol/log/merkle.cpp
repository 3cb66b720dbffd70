#include "protocol/log/merkle.hpp"

#include <bit>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/crypto/sha256.hpp"

namespace kith {
namespace {

constexpr std::uint8_t leaf_prefix = 0x00;
constexpr std::uint8_t node_prefix = 0x01;

/// Where RFC 9162 splits n > 1 leaves: the largest power of two below n.
std::uint64_t split_of(std::uint64_t n) { return std::bit_floor(n - 1); }

/// The root over leaves [begin, end), where begin is a multiple of bit_ceil(end - begin): so it is
/// for every range that the recursive definition of the tree meets.
TreeHash range_root(std::uint64_t begin, std::uint64_t end, const SubtreeReader& subtree) {
  CompactRange range;
  while (begin < end) {
    const std::uint64_t leaves = std::bit_floor(end - begin);
    const auto height = static_cast<unsigned>(std::countr_zero(leaves));
    range.push_subtree(height, subtree(height, begin >> height));
    begin += leaves;
  }
  return range.root();
}

/// The common walk of both checks: where a node and the right edge of the tree are at one level.
struct Climb {
  std::uint64_t node;
  std::uint64_t last;

  /// Whether the node's sibling is on its left; the sibling of the others is on their right.
  [[nodiscard]] bool is_right_child() const { return (node & 1) != 0 || node == last; }
  /// Goes up to the level where the parent is hashed: an edge without sibling rises unhashed.
  void rise() {
    if ((node & 1) == 0 && node == last) {
      while ((node & 1) == 0 && node != 0) shift();
    }
    shift();
  }
  void shift() {
    node >>= 1;
    last >>= 1;
  }
};

}  // namespace

TreeHash leaf_hash(BytesView entry) { return sha256({&leaf_prefix, 1}, entry); }

TreeHash node_hash(const TreeHash& left, const TreeHash& right) {
  std::array<std::uint8_t, 1 + 2 * TreeHash::size> input;
  input[0] = node_prefix;
  std::memcpy(&input[1], left.bytes.data(), TreeHash::size);
  std::memcpy(&input[1 + TreeHash::size], right.bytes.data(), TreeHash::size);
  return sha256(input);
}

TreeHash empty_root() { return sha256({}); }

TreeHash tree_root(std::span<const TreeHash> leaf_hashes) {
  CompactRange range;
  for (const TreeHash& leaf : leaf_hashes) range.push(leaf);
  return range.root();
}

Result<CompactRange> CompactRange::from(std::uint64_t size, std::vector<TreeHash> nodes) {
  if (size > limits::tree_size_max) return fail(Errc::malformed, "a tree is too large");
  if (nodes.size() != static_cast<std::size_t>(std::popcount(size))) {
    return fail(Errc::malformed, "the right edge of a tree does not fit its size");
  }
  CompactRange range;
  range.size_ = size;
  range.nodes_ = std::move(nodes);
  return range;
}

void CompactRange::push(const TreeHash& leaf) { push_subtree(0, leaf); }

void CompactRange::push_subtree(unsigned height, const TreeHash& root) {
  KITH_CHECK(height <= 62);
  std::uint64_t leaves = std::uint64_t{1} << height;
  KITH_CHECK(size_ % leaves == 0 && leaves <= limits::tree_size_max - size_);
  const std::uint64_t new_size = size_ + leaves;
  TreeHash hash = root;
  // As in binary addition: each complete subtree of the same size is carried into one twice as big.
  for (; (size_ & leaves) != 0; leaves <<= 1) {
    hash = node_hash(nodes_.back(), hash);
    nodes_.pop_back();
  }
  nodes_.push_back(hash);
  size_ = new_size;
}

TreeHash CompactRange::root() const {
  if (nodes_.empty()) return empty_root();
  TreeHash hash = nodes_.back();
  for (std::size_t i = nodes_.size() - 1; i-- > 0;) hash = node_hash(nodes_[i], hash);
  return hash;
}

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const TreeHash& leaf,
                      std::span<const TreeHash> path, const TreeHash& root) {
  if (index >= size) return false;
  Climb at{index, size - 1};
  TreeHash hash = leaf;
  for (const TreeHash& sibling : path) {
    if (at.last == 0) return false;
    hash = at.is_right_child() ? node_hash(sibling, hash) : node_hash(hash, sibling);
    at.rise();
  }
  return at.last == 0 && hash == root;
}

bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                        std::span<const TreeHash> path, const TreeHash& old_root,
                        const TreeHash& new_root) {
  if (old_size == 0 || old_size > new_size) return false;
  if (old_size == new_size) return path.empty() && old_root == new_root;
  if (path.empty()) return false;

  Climb at{old_size - 1, new_size - 1};
  while ((at.node & 1) != 0) at.shift();
  // The walk begins at the last complete subtree of the old tree. If that is the whole old tree,
  // its hash is the old root and not repeated in the path.
  TreeHash old_hash = old_root;
  if (!std::has_single_bit(old_size)) {
    old_hash = path.front();
    path = path.subspan(1);
  }
  TreeHash new_hash = old_hash;
  for (const TreeHash& sibling : path) {
    if (at.last == 0) return false;
    if (at.is_right_child()) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    at.rise();
  }
  return at.last == 0 && old_hash == old_root && new_hash == new_root;
}

TreeHash root_of(std::uint64_t size, const SubtreeReader& subtree) {
  return range_root(0, size, subtree);
}

Path inclusion_path(std::uint64_t index, std::uint64_t size, const SubtreeReader& subtree) {
  KITH_CHECK(index < size && size <= limits::tree_size_max);
  Path path;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  // Down from the root to the leaf, noting the half that the leaf is not in.
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split_of(end - begin);
    if (index < middle) {
      path.push_back(range_root(middle, end, subtree));
      end = middle;
    } else {
      path.push_back(range_root(begin, middle, subtree));
      begin = middle;
    }
  }
  std::ranges::reverse(path);
  return path;
}

Path consistency_path(std::uint64_t old_size, std::uint64_t new_size,
                      const SubtreeReader& subtree) {
  KITH_CHECK(old_size > 0 && old_size <= new_size && new_size <= limits::tree_size_max);
  Path path;
  std::uint64_t begin = 0;
  std::uint64_t end = new_size;
  // Down from the root to the last complete subtree of the old tree.
  while (end != old_size) {
    const std::uint64_t middle = begin + split_of(end - begin);
    if (old_size <= middle) {
      path.push_back(range_root(middle, end, subtree));
      end = middle;
    } else {
      path.push_back(range_root(begin, middle, subtree));
      begin = middle;
    }
  }
  // A verifier knows that subtree already if it is the whole old tree.
  if (begin != 0) path.push_back(range_root(begin, end, subtree));
  std::ranges::reverse(path);
  return path;
}

MemoryTree::MemoryTree(std::span<const TreeHash> leaves) : levels_{{leaves.begin(), leaves.end()}} {
  while (levels_.back().size() > 1) {
    const std::vector<TreeHash>& below = levels_.back();
    std::vector<TreeHash> level;
    level.reserve(below.size() / 2);
    for (std::size_t i = 0; i + 1 < below.size(); i += 2) {
      level.push_back(node_hash(below[i], below[i + 1]));
    }
    levels_.push_back(std::move(level));
  }
}

TreeHash MemoryTree::subtree(unsigned height, std::uint64_t index) const {
  KITH_CHECK(height < levels_.size() && index < levels_[height].size());
  return levels_[height][index];
}

TreeHash MemoryTree::root() const {
  return root_of(size(), [this](unsigned height, std::uint64_t i) { return subtree(height, i); });
}

Path MemoryTree::inclusion_path(std::uint64_t index) const {
  return kith::inclusion_path(
      index, size(), [this](unsigned height, std::uint64_t i) { return subtree(height, i); });
}

Path inclusion_path(std::uint64_t index, std::span<const TreeHash> leaves) {
  return MemoryTree(leaves).inclusion_path(index);
}

}  // namespace kith
