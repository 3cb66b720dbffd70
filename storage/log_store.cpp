#include "storage/log_store.hpp"

#include "protocol/base/check.hpp"
#include "protocol/log/tile.hpp"
#include "storage/log_mend.hpp"
#include "storage/packing.hpp"

// Heads, and reading what append() packed. A damaged leaf or payload row reads as if it were not
// there, as a peer can give it again; what decisions rest on (heads, tree hashes) throws instead.
namespace kith::storage::log_store {
namespace {

/// Calls `each(index, leaf)` for [first, last) in order. False if a row is missing or damaged.
bool each_leaf(const ReadTxn& txn, const LogId& log, std::uint64_t first, std::uint64_t last,
               const std::function<void(std::uint64_t, BytesView)>& each) {
  while (first < last) {
    const std::uint64_t begin = first - first % bundle_leaves;
    const auto packed = txn.get(Table::bundles, numbered_key(log, begin / bundle_leaves));
    if (!packed) {
      const auto entry = read_recent(txn, log, first);
      if (!entry) return false;
      each(first++, entry->leaf);
      continue;
    }
    const auto leaves = split_bundle(*packed, bundle_leaves);
    if (!leaves || leaves->size() != bundle_leaves) return false;
    const std::uint64_t end = std::min<std::uint64_t>(last, begin + bundle_leaves);
    for (; first < end; ++first) each(first, (*leaves)[first - begin]);
  }
  return true;
}

/// `count` hashes of a level, beginning at `first`; all must lie in one tile. Nothing if they are
/// not stored.
std::optional<std::vector<TreeHash>> hashes(const ReadTxn& txn, const LogId& log, unsigned level,
                                            std::uint64_t first, std::size_t count) {
  std::vector<TreeHash> found;
  found.reserve(count);
  const std::size_t skip = first % bundle_leaves;
  KITH_CHECK(skip + count <= bundle_leaves);
  const auto row = txn.get(Table::tiles, tile_key(log, level, first / bundle_leaves));
  if (!row && level == 0) {
    // After the last complete bundle the leaves themselves are all there is.
    const bool whole =
        each_leaf(txn, log, first, first + count,
                  [&](std::uint64_t, BytesView leaf) { found.push_back(leaf_hash(leaf)); });
    return whole ? std::optional(std::move(found)) : std::nullopt;
  }
  if (!row || row->size() < (skip + count) * TreeHash::size) return std::nullopt;
  for (std::size_t i = skip; i < skip + count; ++i) {
    found.push_back(TreeHash::from(row->subspan(i * TreeHash::size, TreeHash::size)));
  }
  return found;
}

}  // namespace

std::vector<LogHead> heads(const ReadTxn& txn) {
  std::vector<LogHead> all;
  auto row = txn.at_or_after(Table::heads, {});
  while (row) {
    const LogId log = LogId::from(row->key);
    auto found = decode_head(log, row->value);
    if (!found || row->key.size() != LogId::size) throw_damaged(log, "its head");
    all.push_back(std::move(*found));
    row = txn.at_or_after(Table::heads, successor(row->key));
  }
  return all;
}

std::optional<LogHead> head(const ReadTxn& txn, const LogId& log) {
  const auto row = txn.get(Table::heads, log.view());
  if (!row) return std::nullopt;
  auto found = decode_head(log, *row);
  if (!found) throw_damaged(log, "its head");
  return found;
}

void create(WriteTxn& txn, const LogId& log, const MemberId& member, const SpaceId& space) {
  if (const auto held = head(txn, log)) {
    KITH_CHECK(held->member == member && held->space == space);
    return;
  }
  txn.put_new(Table::heads, log.view(), encode_head({log, member, space, {}, 0}));
}

std::optional<Bytes> leaf(const ReadTxn& txn, const LogId& log, std::uint64_t index) {
  std::optional<Bytes> found;
  // A bundle row that is damaged reads as nothing, and so does an index beyond the end.
  const bool whole = each_leaf(txn, log, index, index + 1,
                               [&](std::uint64_t, BytesView bytes) { found = to_bytes(bytes); });
  return whole ? found : std::nullopt;
}

Bytes bundle(const ReadTxn& txn, const LogId& log, std::uint64_t first, std::uint64_t last) {
  const auto held = head(txn, log);
  Bytes packed;
  last = std::min(last, held ? held->size() : 0);
  // Whoever asks may have it from somebody else.
  if (first < last && is_wanted(txn, log, first / bundle_leaves)) return packed;
  // What most peers ask for is exactly one row.
  if (first % bundle_leaves == 0 && last == first + bundle_leaves) {
    const auto row = txn.get(Table::bundles, numbered_key(log, first / bundle_leaves));
    return row ? to_bytes(*row) : packed;
  }
  const bool whole = each_leaf(txn, log, first, last, [&](std::uint64_t, BytesView bytes) {
    append_to_bundle(packed, bytes);
  });
  if (!whole) packed.clear();
  return packed;
}

std::vector<Leaf> leaves(const ReadTxn& txn, const LogId& log, std::uint64_t first,
                         std::uint64_t last) {
  std::vector<Leaf> found;
  bool sound = true;
  each_leaf(txn, log, first, last, [&](std::uint64_t, BytesView bytes) {
    const auto leaf = decode_leaf(text(bytes));
    sound = sound && leaf.has_value();
    if (sound) found.push_back(*leaf);
  });
  return found;
}

std::optional<Bytes> payload(const ReadTxn& txn, const LogId& log, std::uint64_t index) {
  std::optional<Bytes> found;
  each_payload(txn, log, index, index + 1, [&](std::uint64_t, std::optional<BytesView> bytes) {
    if (bytes) found = to_bytes(*bytes);
    return true;
  });
  return found;
}

void each_payload(const ReadTxn& txn, const LogId& log, std::uint64_t first, std::uint64_t last,
                  const std::function<bool(std::uint64_t, std::optional<BytesView>)>& each) {
  const auto held = head(txn, log);
  last = std::min(last, held ? held->size() : 0);
  const std::uint64_t packed_end = last == 0 ? 0 : held->size() - held->size() % bundle_leaves;
  PayloadGroup group;
  std::uint64_t group_held = ~std::uint64_t{0};
  for (std::uint64_t index = first; index < last; ++index) {
    std::optional<BytesView> found;
    if (index < packed_end) {
      if (const std::uint64_t n = index / group_payloads; n != group_held) {
        const auto row = txn.get(Table::payloads, numbered_key(log, n));
        group = (row ? decode_group(*row) : std::nullopt).value_or(PayloadGroup{});
        group_held = n;
      }
      found = group[index % group_payloads];
    } else if (const auto entry = read_recent(txn, log, index)) {
      found = entry->payload;
    }
    if (!found) found = txn.get(Table::large, numbered_key(log, index));
    if (!each(index, found)) return;
  }
}

std::vector<std::uint64_t> gaps(const ReadTxn& txn, const LogId& log, std::uint64_t from,
                                std::size_t max) {
  std::vector<std::uint64_t> found;
  auto row = txn.at_or_after(Table::gaps, numbered_key(log, from));
  while (row && found.size() < max && begins_with(row->key, log.view()) &&
         row->key.size() == LogId::size + sizeof(std::uint64_t)) {
    found.push_back(read_integer<std::uint64_t>(row->key.subspan(LogId::size)));
    row = txn.at_or_after(Table::gaps, successor(row->key));
  }
  return found;
}

Result<std::vector<TreeHash>> tile(const ReadTxn& txn, const LogId& log, std::uint64_t size,
                                   unsigned level, std::uint64_t index) {
  const auto held = head(txn, log);
  if (!held) return fail(Errc::not_found, "the log is not held");
  if (size > held->size()) return fail(Errc::not_found, "the log is shorter here");
  const unsigned width = tile_width(size, level, index);
  if (width == 0) return fail(Errc::not_found, "a tree of this size has no such tile");
  auto found = hashes(txn, log, level, index * bundle_leaves, width);
  if (!found) return fail(Errc::io, "the tile is damaged; run: kithd check");
  return std::move(*found);
}

SubtreeReader subtrees(const ReadTxn& txn, const LogId& log) {
  return [&txn, log](unsigned height, std::uint64_t index) {
    const unsigned level = height / tile_height;
    const unsigned below = height % tile_height;
    const auto found = hashes(txn, log, level, index << below, std::size_t{1} << below);
    if (!found) throw_damaged(log, "a tile");
    return tree_root(*found);
  };
}

TreeHash root_at(const ReadTxn& txn, const LogId& log, std::uint64_t size) {
  const auto held = head(txn, log);
  KITH_CHECK(size <= (held ? held->size() : 0));
  if (held && size == held->size()) return held->range.root();
  return root_of(size, subtrees(txn, log));
}

}  // namespace kith::storage::log_store
