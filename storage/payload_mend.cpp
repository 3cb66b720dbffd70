#include "storage/payload_mend.hpp"

#include <array>

#include "storage/packing.hpp"

namespace kith::storage {
namespace {

using Leaves = std::span<const std::optional<Leaf>>;

bool is_right(const std::optional<Leaf>& leaf, const std::optional<BytesView>& payload) {
  return leaf && payload && commits_to(*leaf, *payload);
}

}  // namespace

void PayloadMender::settle_bundle(std::uint64_t first, Leaves leaves) {
  for (std::size_t i = 0; i < bundle_leaves; i += group_payloads) {
    settle_group(first + i, leaves.subspan(i, group_payloads));
  }
}

void PayloadMender::settle_group(std::uint64_t first, Leaves leaves) {
  const Key key = numbered_key(log_, first / group_payloads);
  const auto row = txn_.get(Table::payloads, key);
  const Bytes held = row ? to_bytes(*row) : Bytes();
  const auto own = row ? decode_group(held) : PayloadGroup{};
  const bool all_known = std::ranges::all_of(leaves, [](const auto& leaf) { return !!leaf; });
  if (!own && !all_known) return;  // Its lengths are damaged, and not all leaves can tell them.

  // The lengths stand in the leaves too: a group whose own are damaged loses nothing.
  PayloadGroup by_leaves;
  BytesView rest = BytesView(held).subspan(std::min(held.size(), group_head_bytes));
  for (std::size_t i = 0; all_known && i < group_payloads; ++i) {
    const std::size_t size = leaves[i]->payload_bytes;
    const bool is_here = size <= packed_payload_bytes_max && size <= rest.size() &&
                         !txn_.get(Table::gaps, numbered_key(log_, first + i));
    if (!is_here) continue;
    by_leaves[i] = rest.first(size);
    rest = rest.subspan(size);
  }

  PayloadGroup kept;
  for (std::size_t i = 0; i < group_payloads; ++i) {
    if (own && (!leaves[i] || is_right(leaves[i], (*own)[i]))) {
      kept[i] = (*own)[i];
    } else if (is_right(leaves[i], by_leaves[i])) {
      kept[i] = by_leaves[i];
    }
    settle(first + i, leaves[i], kept[i].has_value());
  }
  Bytes mended;
  encode_group(mended, kept);
  const bool is_empty = std::ranges::none_of(kept, [](const auto& payload) { return !!payload; });
  if (row && is_empty) txn_.erase(Table::payloads, key);
  if (!is_empty && mended != held) txn_.put(Table::payloads, key, mended);
}

void PayloadMender::settle_recent(std::uint64_t index) {
  const auto entry = read_recent(txn_, log_, index);
  if (!entry) return;
  const auto decoded = decode_leaf(text(entry->leaf));
  if (!decoded) return;
  const std::optional<Leaf> leaf(*decoded);
  const bool is_packed = is_right(leaf, entry->payload);
  if (entry->payload && !is_packed) {
    const Key key = numbered_key(log_, index);
    Bytes mended;
    encode_recent(mended, key, {entry->leaf, std::nullopt});
    txn_.put(Table::recent, key, mended);
  }
  settle(index, leaf, is_packed);
}

void PayloadMender::settle(std::uint64_t index, const std::optional<Leaf>& leaf, bool is_packed) {
  const Key key = numbered_key(log_, index);
  bool is_held = is_packed;
  if (const auto large = txn_.get(Table::large, key)) {
    if (leaf && (is_packed || !commits_to(*leaf, *large))) {
      txn_.erase(Table::large, key);
    } else {
      is_held = true;
    }
  }
  const bool is_gap = txn_.get(Table::gaps, key).has_value();
  if (is_held && is_gap && leaf) txn_.erase(Table::gaps, key);
  if (!is_held && !is_gap) {
    txn_.put_new(Table::gaps, key, {});
    new_gaps_.push_back(index);
  }
}

}  // namespace kith::storage
