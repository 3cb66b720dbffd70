#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/tile.hpp"
#include "storage/bundle_proof.hpp"
#include "storage/log_mend.hpp"
#include "storage/packing.hpp"

// Everything that changes leaves, tiles and payloads.
namespace kith::storage::log_store {
namespace {

constexpr std::size_t bundle_groups = bundle_leaves / group_payloads;

/// The tree step, whatever the caller checked before. What a payload commits to was checked by
/// whoever could still say where it came from; hashing it a second time would be most of the work.
Result<bool> verify(std::span<const NewEntry> entries, std::uint64_t first) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto at = [&] { return "entry " + std::to_string(first + i); };
    const auto leaf = decode_leaf(text(entries[i].leaf));
    if (!leaf) return fail(Errc::bad_proof, at() + ": " + leaf.error().detail);
    if (entries[i].payload && entries[i].payload->size() != leaf->payload_bytes) {
      return fail(Errc::bad_proof, at() + ": the payload is not of the size in its leaf");
    }
  }
  return true;
}

bool is_packed(const std::optional<BytesView>& payload) {
  return payload && payload->size() <= packed_payload_bytes_max;
}

/// One call of append(): its buffers live as long as the call and serve every bundle of it.
class Appender {
 public:
  Appender(WriteTxn& txn, LogHead head, std::span<const NewEntry> entries)
      : txn_(txn), head_(std::move(head)), first_(head_.size()), entries_(entries) {}

  LogHead run() {
    const std::uint64_t end = first_ + entries_.size();
    note_unpacked_payloads();
    std::uint64_t next = first_ - first_ % bundle_leaves;
    for (; end - next >= bundle_leaves; next += bundle_leaves) pack_bundle(next);
    write_recent(std::max(next, first_), end);
    txn_.put(Table::heads, head_.log.view(), encode_head(head_));
    return std::move(head_);
  }

 private:
  void note_unpacked_payloads() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto& payload = entries_[i].payload;
      if (is_packed(payload)) continue;
      const Key key = numbered_key(head_.log, first_ + i);
      if (payload) {
        txn_.put_new(Table::large, key, *payload);
      } else {
        txn_.put_new(Table::gaps, key, {});
        ++head_.gaps;
      }
    }
  }

  void write_recent(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t index = begin; index < end; ++index) {
      const RecentRow entry = new_entry(index);
      const Key key = numbered_key(head_.log, index);
      encode_recent(row_, key, entry);
      txn_.put_new(Table::recent, key, row_);
      head_.range.push(leaf_hash(entry.leaf));
    }
  }

  [[nodiscard]] RecentRow new_entry(std::uint64_t index) const {
    const NewEntry& entry = entries_[index - first_];
    return {entry.leaf, is_packed(entry.payload) ? entry.payload : std::nullopt};
  }

  [[nodiscard]] RecentRow old_entry(std::uint64_t index) const {
    const auto entry = read_recent(txn_, head_.log, index);
    if (!entry) throw_damaged(head_.log, "leaf " + std::to_string(index));
    return *entry;
  }

  /// Leaves [begin, begin + 256) become one bundle, one tile and four payload groups. Values are
  /// built before anything is written, as views into rows die with the first change.
  void pack_bundle(std::uint64_t begin) {
    bundle_.clear();
    hashes_.clear();
    std::array<bool, bundle_groups> group_used{};
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      PayloadGroup group;
      for (std::size_t i = 0; i < group_payloads; ++i) {
        const std::uint64_t index = begin + g * group_payloads + i;
        const RecentRow entry = index < first_ ? old_entry(index) : new_entry(index);
        append_to_bundle(bundle_, entry.leaf);
        hashes_.push_back(leaf_hash(entry.leaf));
        group[i] = entry.payload;
        group_used[g] = group_used[g] || entry.payload.has_value();
      }
      encode_group(groups_[g], group);
    }
    write_bundle(begin, group_used);
  }

  void write_bundle(std::uint64_t begin, std::span<const bool> group_used) {
    const std::uint64_t n = begin / bundle_leaves;
    for (std::uint64_t index = begin; index < first_; ++index) {
      txn_.erase(Table::recent, numbered_key(head_.log, index));
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (!group_used[g]) continue;
      txn_.put_new(Table::payloads, numbered_key(head_.log, begin / group_payloads + g),
                   groups_[g]);
    }
    txn_.put_new(Table::bundles, numbered_key(head_.log, n), bundle_);
    txn_.put_new(Table::tiles, tile_key(head_.log, 0, n), encode_hashes(hashes_));

    const TreeHash root = tile_root(hashes_);
    if (begin >= first_) {
      head_.range.push_subtree(tile_height, root);
    } else {
      for (std::size_t i = first_ - begin; i < bundle_leaves; ++i) head_.range.push(hashes_[i]);
    }
    extend_tiles(n, root);
  }

  /// Adds the root of complete level-0 tile `n` to the level above, and so on upwards as long as
  /// that completes a tile.
  void extend_tiles(std::uint64_t n, TreeHash root) {
    for (unsigned level = 1;; ++level) {
      const std::size_t at = n % bundle_leaves;
      n /= bundle_leaves;
      const Key key = tile_key(head_.log, level, n);
      const auto held = txn_.get(Table::tiles, key);
      if ((held ? held->size() : 0) != at * TreeHash::size) throw_damaged(head_.log, "a tile");
      Bytes row = held ? to_bytes(*held) : Bytes();
      kith::append(row, root.view());
      txn_.put(Table::tiles, key, row);
      if (at + 1 < bundle_leaves) return;
      root = tile_root(*decode_hashes(row));
    }
  }

  WriteTxn& txn_;
  LogHead head_;
  std::uint64_t first_;
  std::span<const NewEntry> entries_;

  Bytes row_;
  Bytes bundle_;
  std::vector<TreeHash> hashes_;
  std::array<Bytes, bundle_groups> groups_;
};

/// Puts a payload into the place where append() would have put it.
void store_payload(WriteTxn& txn, const LogId& log, std::uint64_t index, bool is_in_bundle,
                   BytesView payload) {
  const Key key = numbered_key(log, index);
  if (!is_packed(payload)) {
    txn.put_new(Table::large, key, payload);
    return;
  }
  Bytes changed;
  if (!is_in_bundle) {
    const auto entry = read_recent(txn, log, index);
    if (!entry) throw_damaged(log, "leaf " + std::to_string(index));
    encode_recent(changed, key, {entry->leaf, payload});
    txn.put(Table::recent, key, changed);
    return;
  }
  const Key group_key = numbered_key(log, index / group_payloads);
  const auto row = txn.get(Table::payloads, group_key);
  auto group = row ? decode_group(*row) : PayloadGroup{};
  // Writing over a damaged group would lose what can still be mended.
  if (!group) throw_damaged(log, "a group of payloads");
  (*group)[index % group_payloads] = payload;
  encode_group(changed, *group);
  txn.put(Table::payloads, group_key, changed);
}

/// Whether a leaf is the one that its tile was made of. Single leaves have a checksum instead.
bool fits_tile(const ReadTxn& txn, const LogId& log, std::uint64_t index, BytesView leaf) {
  const auto tile = stored_tile(txn, log, index / bundle_leaves);
  return !tile || (*tile)[index % bundle_leaves] == leaf_hash(leaf);
}

}  // namespace

Result<LogHead> append(WriteTxn& txn, const LogId& log, std::uint64_t first,
                       std::span<const NewEntry> entries) {
  auto held = head(txn, log);
  if (!held) return fail(Errc::not_found, "the log is not held");
  if (first != held->size()) {
    return fail(Errc::conflict, "the log has " + std::to_string(held->size()) +
                                    " leaves, so entry " + std::to_string(first) +
                                    " is not the next");
  }
  if (entries.size() > limits::tree_size_max - first) return fail(Errc::too_large, "a log is full");
  const auto verified = verify(entries, first);
  if (!verified) return verified.error();
  if (entries.empty()) return std::move(*held);
  const bool completes = first / bundle_leaves != (first + entries.size()) / bundle_leaves;
  if (completes && is_wanted(txn, log, first / bundle_leaves)) {
    return fail(Errc::unavailable, "leaves before these are damaged and come from peers first");
  }
  return Appender(txn, std::move(*held), entries).run();
}

Result<bool> put_payload(WriteTxn& txn, const LogId& log, std::uint64_t index, BytesView payload) {
  auto held = head(txn, log);
  if (!held || index >= held->size()) return fail(Errc::not_found, "the log has no such leaf");
  const auto bytes = leaf(txn, log, index);
  const auto decoded = bytes ? decode_leaf(text(*bytes)) : fail(Errc::io, "cannot be read");
  if (!decoded) return fail(Errc::io, "leaf " + std::to_string(index) + " is damaged");
  if (!commits_to(*decoded, payload)) {
    if (!fits_tile(txn, log, index, *bytes)) {
      return fail(Errc::io, "leaf " + std::to_string(index) + " is damaged");
    }
    return fail(Errc::bad_proof,
                "the payload is not what leaf " + std::to_string(index) + " commits to");
  }
  const Key key = numbered_key(log, index);
  if (!txn.get(Table::gaps, key)) return false;

  const bool is_in_bundle = index < held->size() - held->size() % bundle_leaves;
  store_payload(txn, log, index, is_in_bundle, payload);
  txn.erase(Table::gaps, key);
  --held->gaps;
  txn.put(Table::heads, log.view(), encode_head(*held));
  return true;
}

}  // namespace kith::storage::log_store
