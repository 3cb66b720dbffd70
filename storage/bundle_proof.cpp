#include "storage/bundle_proof.hpp"

#include <bit>

#include "protocol/base/check.hpp"
#include "protocol/log/tile.hpp"
#include "storage/packing.hpp"

namespace kith::storage {
namespace {

/// Each costs a pass over the roots below one node of the head.
constexpr std::size_t attempts_max = 256;

/// Tries the candidates of bundles [begin, end) until they come to `node`.
class NodeProof {
 public:
  NodeProof(const std::vector<RootCandidates>& candidates, std::size_t begin, std::size_t end)
      : candidates_(candidates), begin_(begin) {
    for (std::size_t n = begin; n < end; ++n) {
      if (candidates[n].roots.empty()) {
        impossible_ = true;
        return;
      }
      roots_.push_back(candidates[n].roots.front());
      if (candidates[n].roots.size() > 1) doubtful_.push_back(n);
    }
  }

  [[nodiscard]] bool reaches(const TreeHash& node) {
    if (impossible_) return false;
    std::vector<std::size_t> choice(doubtful_.size());
    for (std::size_t attempt = 0; attempt < attempts_max; ++attempt) {
      if (tree_root(roots_) == node) return true;
      if (!next(choice)) return false;
    }
    return false;
  }
  [[nodiscard]] const std::vector<TreeHash>& roots() const { return roots_; }

 private:
  /// The next combination; false after the last.
  bool next(std::vector<std::size_t>& choice) {
    for (std::size_t i = 0; i < choice.size(); ++i) {
      const std::size_t n = doubtful_[i];
      choice[i] = (choice[i] + 1) % candidates_[n].roots.size();
      roots_[n - begin_] = candidates_[n].roots[choice[i]];
      if (choice[i] != 0) return true;
    }
    return false;
  }

  const std::vector<RootCandidates>& candidates_;
  std::size_t begin_;
  bool impossible_ = false;
  std::vector<TreeHash> roots_;
  std::vector<std::size_t> doubtful_;
};

}  // namespace

std::optional<std::vector<TreeHash>> stored_tile(const ReadTxn& txn, const LogId& log,
                                                 std::uint64_t n) {
  const auto row = txn.get(Table::tiles, tile_key(log, 0, n));
  auto hashes = row ? decode_hashes(*row) : fail(Errc::not_found, "");
  if (!hashes || hashes->size() != bundle_leaves) return std::nullopt;
  return std::move(*hashes);
}

std::optional<TreeHash> stored_root(const ReadTxn& txn, const LogId& log, std::uint64_t n) {
  const auto row = txn.get(Table::tiles, tile_key(log, 1, n / bundle_leaves));
  const std::size_t at = n % bundle_leaves * TreeHash::size;
  if (!row || row->size() < at + TreeHash::size) return std::nullopt;
  return TreeHash::from(row->subspan(at, TreeHash::size));
}

std::vector<BytesView> readable_leaves(BytesView row) {
  constexpr std::size_t length_bytes = sizeof(std::uint16_t);
  std::vector<BytesView> leaves;
  while (leaves.size() < bundle_leaves && row.size() >= length_bytes) {
    const std::size_t size = read_integer<std::uint16_t>(row);
    if (size > row.size() - length_bytes) break;
    leaves.push_back(row.subspan(length_bytes, size));
    row = row.subspan(length_bytes + size);
  }
  return leaves;
}

std::vector<TreeHash> leaf_hashes(std::span<const BytesView> leaves) {
  std::vector<TreeHash> hashes;
  hashes.reserve(leaves.size());
  for (const BytesView leaf : leaves) hashes.push_back(leaf_hash(leaf));
  return hashes;
}

RootCandidates root_candidates(const ReadTxn& txn, const LogId& log, std::uint64_t n) {
  RootCandidates found;
  const auto add = [&](const TreeHash& root) {
    found.agreed = std::ranges::find(found.roots, root) != found.roots.end();
    if (found.agreed) found.roots.clear();
    found.roots.push_back(root);
    return found.agreed;
  };
  if (const auto above = stored_root(txn, log, n)) add(*above);
  if (const auto tile = stored_tile(txn, log, n); tile && add(tile_root(*tile))) return found;
  const auto row = txn.get(Table::bundles, numbered_key(log, n));
  const auto leaves = readable_leaves(row.value_or(BytesView()));
  if (leaves.size() == bundle_leaves) add(tree_root(leaf_hashes(leaves)));
  return found;
}

std::vector<std::optional<TreeHash>> prove_roots(const CompactRange& head,
                                                 const std::vector<RootCandidates>& candidates) {
  std::vector<std::optional<TreeHash>> proven(candidates.size());
  std::size_t begin = 0;
  std::size_t node = 0;
  for (unsigned height = 64; height-- > tile_height;) {
    if ((head.size() >> height & 1) == 0) continue;
    const std::size_t end = begin + (std::size_t{1} << (height - tile_height));
    KITH_CHECK(end <= candidates.size());
    NodeProof proof(candidates, begin, end);
    if (proof.reaches(head.nodes()[node])) {
      std::ranges::copy(proof.roots(), proven.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    begin = end;
    ++node;
  }
  return proven;
}

CompactRange packed_part(const CompactRange& head) {
  const std::uint64_t size = head.size() - head.size() % bundle_leaves;
  auto nodes = head.nodes();
  nodes.resize(static_cast<std::size_t>(std::popcount(size)));
  auto part = CompactRange::from(size, std::move(nodes));
  KITH_CHECK(part.has_value());
  return std::move(*part);
}

}  // namespace kith::storage
