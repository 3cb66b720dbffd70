#include "storage/log_mend.hpp"

#include <set>

#include "protocol/log/tile.hpp"
#include "storage/bundle_proof.hpp"
#include "storage/head_mend.hpp"
#include "storage/packing.hpp"
#include "storage/payload_mend.hpp"

namespace kith::storage::log_store {
namespace {

constexpr std::string_view wanted_prefix = "wanted/";

Key wanted_key(const LogId& log, std::uint64_t n) {
  return Key(view(wanted_prefix)).add(log.view()).add(n);
}

class Mender {
 public:
  Mender(WriteTxn& txn, LogHead head)
      : txn_(txn),
        head_(std::move(head)),
        log_(head_.log),
        packed_end_(head_.size() - head_.size() % bundle_leaves),
        payloads_(txn, log_) {}

  Mended run() {
    drop_what_cannot_be_read();
    prove();
    for (std::uint64_t n = 0; n < roots_.size(); ++n) mend_bundle(n);
    mend_tiles();
    mend_recent();
    drop_what_does_not_belong();
    set_wanted_bundles(txn_, log_, mended_.wanted_bundles);
    mended_.new_gaps = payloads_.new_gaps();
    count_gaps();
    return std::move(mended_);
  }

 private:
  // ---- what was said about the log: whoever announces it gives it again ----

  void drop_what_cannot_be_read() {
    const auto checkpoint = txn_.get(Table::checkpoints, log_.view());
    if (checkpoint && !decode_checkpoint_row(log_, *checkpoint)) {
      drop(Table::checkpoints, to_bytes(log_.view()));
    }
    std::vector<Bytes> damaged;
    auto row = txn_.at_or_after(Table::cosignatures, log_.view());
    for (; row && begins_with(row->key, log_.view());
         row = txn_.at_or_after(Table::cosignatures, successor(row->key))) {
      if (!decode_cosignature_row(row->key, row->value)) damaged.push_back(to_bytes(row->key));
    }
    for (const Bytes& key : damaged) drop(Table::cosignatures, key);
    damaged.clear();
    for (row = txn_.at_or_after(Table::evidence, {}); row;
         row = txn_.at_or_after(Table::evidence, successor(row->key))) {
      const bool is_ours = is_evidence_about(row->key, log_, head_.member);
      if (is_ours && !decode_evidence_row(row->key, row->value)) {
        damaged.push_back(to_bytes(row->key));
      }
    }
    for (const Bytes& key : damaged) drop(Table::evidence, key);
  }

  void drop(Table table, const Bytes& key) {
    txn_.erase(table, key);
    ++mended_.rows_dropped;
  }
  void compute(Table table, BytesView key, const Bytes& value) {
    txn_.put(table, key, value);
    ++mended_.rows_computed;
  }

  // ---- bundles ----

  void prove() {
    std::vector<RootCandidates> candidates;
    for (std::uint64_t n = 0; n < packed_end_ / bundle_leaves; ++n) {
      candidates.push_back(root_candidates(txn_, log_, n));
      agreed_.push_back(candidates.back().agreed);
    }
    roots_ = prove_roots(head_.range, candidates);
  }

  void mend_bundle(std::uint64_t n) {
    const Key key = numbered_key(log_, n);
    const auto stored = txn_.get(Table::bundles, key);
    const Bytes row = stored ? to_bytes(*stored) : Bytes();
    const auto leaves = readable_leaves(row);
    const auto hashes = leaf_hashes(leaves);
    if (!roots_[n]) {
      // Too much is damaged to tell which of its rows are right, so nothing of it is touched.
      if (!agreed_[n]) mended_.wanted_bundles.push_back(n);
      return;
    }
    const bool whole = leaves.size() == bundle_leaves && tree_root(hashes) == *roots_[n];
    const auto tile = stored_tile(txn_, log_, n);
    const bool tile_is_right = tile && tile_root(*tile) == *roots_[n];
    std::vector<std::optional<Leaf>> known(bundle_leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (!whole && !(tile_is_right && hashes[i] == (*tile)[i])) continue;
      if (const auto leaf = decode_leaf(text(leaves[i]))) known[i] = *leaf;
    }
    if (!whole) mended_.wanted_bundles.push_back(n);
    if (whole && !tile_is_right) compute(Table::tiles, tile_key(log_, 0, n), encode_hashes(hashes));
    Bytes packed;
    for (const BytesView leaf : leaves) append_to_bundle(packed, leaf);
    if (whole && packed != row) compute(Table::bundles, key, packed);
    payloads_.settle_bundle(n * bundle_leaves, known);
  }

  /// Levels 1 and above follow from the roots of the bundles.
  void mend_tiles() {
    std::vector<std::optional<TreeHash>> hashes = roots_;
    for (unsigned level = 1; level < levels_max && !hashes.empty(); ++level) {
      std::vector<std::optional<TreeHash>> above;
      for (std::size_t begin = 0; begin < hashes.size(); begin += bundle_leaves) {
        const std::size_t count = std::min(bundle_leaves, hashes.size() - begin);
        const auto whole =
            mend_tile(level, begin / bundle_leaves, std::span(hashes).subspan(begin, count));
        if (count == bundle_leaves) above.push_back(whole);
      }
      hashes = std::move(above);
    }
  }

  /// The root of the tile, if all its hashes are proven.
  std::optional<TreeHash> mend_tile(unsigned level, std::uint64_t n,
                                    std::span<const std::optional<TreeHash>> hashes) {
    std::vector<TreeHash> proven;
    for (const auto& hash : hashes) {
      if (!hash) return std::nullopt;
      proven.push_back(*hash);
    }
    const Key key = tile_key(log_, level, n);
    const Bytes row = encode_hashes(proven);
    const auto held = txn_.get(Table::tiles, key);
    if (!held || !equal(*held, row)) compute(Table::tiles, key, row);
    return tree_root(proven);
  }

  // ---- single rows ----

  void mend_recent() {
    CompactRange range = packed_part(head_.range);
    bool whole = true;
    for (std::uint64_t index = packed_end_; index < head_.size(); ++index) {
      const auto entry = read_recent(txn_, log_, index);
      whole = whole && entry;
      if (whole) range.push(leaf_hash(entry->leaf));
    }
    if (!whole || range != head_.range) {
      mended_.wanted_bundles.push_back(packed_end_ / bundle_leaves);
    }
    for (std::uint64_t index = packed_end_; index < head_.size(); ++index) {
      payloads_.settle_recent(index);
    }
  }

  // ---- the whole ----

  void drop_what_does_not_belong() {
    const Key log(log_.view());
    const std::uint64_t bundles = packed_end_ / bundle_leaves;
    drop_from(Table::bundles, log, bundles);
    drop_from(Table::payloads, log, bundles * (bundle_leaves / group_payloads));
    for (const Table table : {Table::recent, Table::large, Table::gaps}) {
      drop_from(table, log, head_.size());
    }
    for (unsigned level = 0; level < levels_max; ++level) {
      const std::uint64_t hashes = hashes_at(packed_end_, level);
      drop_from(Table::tiles, Key(log).add(static_cast<std::uint8_t>(level)),
                (hashes + bundle_leaves - 1) / bundle_leaves);
    }
    mended_.rows_dropped +=
        erase_between(txn_, Table::recent, numbered_key(log_, 0), numbered_key(log_, packed_end_));
  }

  void drop_from(Table table, const Key& prefix, std::uint64_t first) {
    mended_.rows_dropped += erase_from(txn_, table, prefix, first);
  }

  void count_gaps() {
    const auto kept = head(txn_, log_);
    head_.gaps = gaps(txn_, log_, 0, ~std::size_t{0}).size();
    if (!kept || *kept != head_) compute(Table::heads, log_.view(), encode_head(head_));
  }

  WriteTxn& txn_;
  LogHead head_;
  LogId log_;
  std::uint64_t packed_end_;
  PayloadMender payloads_;
  std::vector<bool> agreed_;
  std::vector<std::optional<TreeHash>> roots_;  // Of each bundle, if it is proven.
  Mended mended_;
};

/// The number of hashes 2^64 - 1 is no row's: the first key behind all of a log.
std::optional<LogId> log_at_or_after(const ReadTxn& txn, Table table, BytesView key) {
  const auto row = txn.at_or_after(table, key);
  if (!row || row->key.size() < LogId::size) return std::nullopt;
  return LogId::from(row->key.first(LogId::size));
}

}  // namespace

std::vector<LogId> logs(const ReadTxn& txn) {
  std::set<LogId> found;
  for (const Table table : {Table::heads, Table::bundles, Table::recent}) {
    auto log = log_at_or_after(txn, table, {});
    while (log) {
      found.insert(*log);
      // Longer than any key of this log, and less than any of the next.
      const Key end = Key(log->view()).add(~std::uint64_t{0}).add(std::uint8_t{0xFF});
      log = log_at_or_after(txn, table, end);
    }
  }
  return {found.begin(), found.end()};
}

std::optional<LogHead> readable_head(const ReadTxn& txn, const LogId& log) {
  const auto row = txn.get(Table::heads, log.view());
  return row ? decode_head(log, *row) : std::nullopt;
}

Result<Mended> mend(WriteTxn& txn, const LogId& log, const MendGrounds& grounds) {
  auto held = readable_head(txn, log);
  const bool rebuilds = !held;
  if (rebuilds) {
    auto rebuilt = rebuild_head(txn, log, grounds);
    if (!rebuilt) return fail(rebuilt.error(), "its head is damaged");
    held = std::move(*rebuilt);
    txn.put(Table::heads, log.view(), encode_head(*held));
  }
  Mended mended = Mender(txn, std::move(*held)).run();
  if (rebuilds) ++mended.rows_computed;
  return mended;
}

std::vector<std::uint64_t> wanted_bundles(const ReadTxn& txn, const LogId& log) {
  std::vector<std::uint64_t> found;
  const Key prefix = Key(view(wanted_prefix)).add(log.view());
  auto row = txn.at_or_after(Table::meta, prefix);
  for (; row && begins_with(row->key, prefix);
       row = txn.at_or_after(Table::meta, successor(row->key))) {
    if (row->key.size() != prefix.view().size() + sizeof(std::uint64_t)) continue;
    found.push_back(read_integer<std::uint64_t>(row->key.subspan(prefix.view().size())));
  }
  return found;
}

bool is_wanted(const ReadTxn& txn, const LogId& log, std::uint64_t bundle) {
  return txn.get(Table::meta, wanted_key(log, bundle)).has_value();
}

void set_wanted_bundles(WriteTxn& txn, const LogId& log,
                        const std::vector<std::uint64_t>& bundles) {
  for (const std::uint64_t n : wanted_bundles(txn, log)) txn.erase(Table::meta, wanted_key(log, n));
  for (const std::uint64_t n : bundles) txn.put_new(Table::meta, wanted_key(log, n), {});
}

}  // namespace kith::storage::log_store
