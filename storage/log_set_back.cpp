#include "protocol/base/check.hpp"
#include "protocol/log/tile.hpp"
#include "storage/log_mend.hpp"
#include "storage/log_store.hpp"
#include "storage/packing.hpp"

// Back to an earlier size: what follows the last bundle that stays complete is taken out and
// appended again, so that no other code knows of a log that became shorter.
namespace kith::storage::log_store {
namespace {

struct Kept {
  Bytes leaf;
  std::optional<Bytes> payload;
};

std::vector<Kept> read_tail(const ReadTxn& txn, const LogId& log, std::uint64_t first,
                            std::uint64_t last) {
  std::vector<Kept> tail;
  for (std::uint64_t index = first; index < last; ++index) {
    auto bytes = leaf(txn, log, index);
    if (!bytes) throw_damaged(log, "leaf " + std::to_string(index));
    tail.push_back({std::move(*bytes), payload(txn, log, index)});
  }
  return tail;
}

/// Leaves the tiles of a tree of `size` leaves, which end with a bundle.
void set_tiles_back(WriteTxn& txn, const LogId& log, std::uint64_t size) {
  for (unsigned level = 0; level < levels_max; ++level) {
    const std::uint64_t hashes = size >> (tile_height * level);
    const std::uint64_t whole = hashes / bundle_leaves;
    const std::size_t edge_bytes = hashes % bundle_leaves * TreeHash::size;
    if (edge_bytes > 0) {
      const Key edge = tile_key(log, level, whole);
      const auto row = txn.get(Table::tiles, edge);
      if (!row || row->size() < edge_bytes) throw_damaged(log, "a tile");
      txn.put(Table::tiles, edge, to_bytes(row->first(edge_bytes)));
    }
    erase_from(txn, Table::tiles, Key(log.view()).add(static_cast<std::uint8_t>(level)),
               whole + (edge_bytes > 0 ? 1 : 0));
  }
}

/// Forgets what was signed of a larger tree.
void set_words_back(WriteTxn& txn, const LogId& log, std::uint64_t size) {
  if (const auto kept = checkpoint(txn, log); kept && kept->size > size) {
    txn.erase(Table::checkpoints, log.view());
  }
  for (const auto& [witness, word] : cosignatures(txn, log)) {
    if (word.size > size) txn.erase(Table::cosignatures, cosignature_key(log, witness));
  }
}

/// What is given up is not fetched again.
void set_wanted_back(WriteTxn& txn, const LogId& log, std::uint64_t size) {
  std::vector<std::uint64_t> wanted = wanted_bundles(txn, log);
  std::erase_if(wanted, [&](std::uint64_t n) { return n * bundle_leaves >= size; });
  set_wanted_bundles(txn, log, wanted);
}

CompactRange range_at(const ReadTxn& txn, const LogId& log, std::uint64_t size) {
  const SubtreeReader subtree = subtrees(txn, log);
  CompactRange range;
  for (unsigned height = 64; height-- > 0;) {
    if ((size >> height & 1) != 0)
      range.push_subtree(height, subtree(height, range.size() >> height));
  }
  return range;
}

}  // namespace

void set_back(WriteTxn& txn, const LogId& log, std::uint64_t size) {
  auto held = head(txn, log);
  KITH_CHECK(held && size <= held->size());
  if (size == held->size()) return;
  const std::uint64_t base = size - size % bundle_leaves;
  const std::vector<Kept> tail = read_tail(txn, log, base, size);
  held->range = range_at(txn, log, base);

  set_words_back(txn, log, size);
  set_wanted_back(txn, log, size);
  set_tiles_back(txn, log, base);
  erase_from(txn, Table::recent, Key(log.view()), base);
  erase_from(txn, Table::bundles, Key(log.view()), base / bundle_leaves);
  erase_from(txn, Table::payloads, Key(log.view()), base / group_payloads);
  erase_from(txn, Table::large, Key(log.view()), base);
  held->gaps -= erase_from(txn, Table::gaps, Key(log.view()), base);
  txn.put(Table::heads, log.view(), encode_head(*held));

  std::vector<NewEntry> entries;
  for (const Kept& entry : tail) {
    entries.push_back(
        {entry.leaf, entry.payload ? std::optional<BytesView>(*entry.payload) : std::nullopt});
  }
  KITH_CHECK(append(txn, log, base, entries).has_value());
}

}  // namespace kith::storage::log_store
