#include "storage/head_mend.hpp"

#include <map>

#include "protocol/keys/space_key.hpp"
#include "protocol/log/tile.hpp"
#include "storage/bundle_proof.hpp"
#include "storage/packing.hpp"

namespace kith::storage {
namespace {

std::optional<std::uint64_t> last_number(const ReadTxn& txn, Table table, const LogId& log) {
  const auto row = txn.before(table, successor(numbered_key(log, ~std::uint64_t{0})));
  if (!row || row->key.size() != LogId::size + sizeof(std::uint64_t)) return std::nullopt;
  if (!begins_with(row->key, log.view())) return std::nullopt;
  return read_integer<std::uint64_t>(row->key.subspan(LogId::size));
}

class Rebuilder {
 public:
  Rebuilder(const ReadTxn& txn, const LogId& log, const log_store::MendGrounds& grounds)
      : txn_(txn), log_(log), grounds_(grounds) {}

  Result<LogHead> run() {
    read_what_was_signed();
    if (signed_.empty()) return fail(Errc::bad_proof, "nothing signed says what its head must be");
    const auto member = owner();
    if (!member) return fail(Errc::bad_proof, "whose log it is cannot be told any more");
    const bool whole = push_bundles() && push_recent();
    if (!whole) return fail(Errc::bad_proof, "its leaves are damaged too");
    if (proven_ != signed_.size()) {
      return fail(Errc::bad_proof, "its leaves do not come to the root that was signed");
    }
    return LogHead{log_, *member, commons, std::move(range_), 0};
  }

 private:
  void read_what_was_signed() {
    if (grounds_.mark) signed_.emplace(grounds_.mark->size, grounds_.mark->root);
    const auto checkpoint = txn_.get(Table::checkpoints, log_.view());
    if (const auto found = checkpoint ? decode_checkpoint_row(log_, *checkpoint) : std::nullopt) {
      signed_.emplace(found->size, found->root);
    }
    auto row = txn_.at_or_after(Table::cosignatures, log_.view());
    for (; row && begins_with(row->key, log_.view());
         row = txn_.at_or_after(Table::cosignatures, successor(row->key))) {
      if (const auto found = decode_cosignature_row(row->key, row->value)) {
        signed_.emplace(found->size, found->root);
      }
    }
    count_proven();
  }

  /// A log's id follows from its owner, so no damaged row can lead to a wrong one.
  [[nodiscard]] std::optional<MemberId> owner() const {
    const auto owns = [&](const MemberId& member) {
      return log_id(grounds_.network, member, commons) == log_;
    };
    for (const MemberId& member : grounds_.members) {
      if (owns(member)) return member;
    }
    for (auto row = txn_.at_or_after(Table::heads, {}); row;
         row = txn_.at_or_after(Table::heads, successor(row->key))) {
      if (row->value.size() < MemberId::size) continue;
      const auto member = MemberId::from(row->value.first(MemberId::size));
      if (owns(member)) return member;
    }
    // Members witness each other's logs.
    for (auto row = txn_.at_or_after(Table::cosignatures, {}); row;
         row = txn_.at_or_after(Table::cosignatures, successor(row->key))) {
      if (row->key.size() != LogId::size + MemberId::size) continue;
      const auto member = MemberId::from(row->key.last(MemberId::size));
      if (owns(member)) return member;
    }
    return std::nullopt;
  }

  bool push_bundles() {
    const auto last = last_number(txn_, Table::bundles, log_);
    for (std::uint64_t n = 0; last && n <= *last; ++n) {
      const RootCandidates roots = root_candidates(txn_, log_, n);
      // What lies behind all that was signed has nothing else to be proven by.
      if (!roots.agreed || !push_bundle(n, roots.roots.front())) return false;
    }
    return true;
  }

  bool push_bundle(std::uint64_t n, const TreeHash& root) {
    const std::uint64_t end = (n + 1) * bundle_leaves;
    const auto next = signed_.upper_bound(n * bundle_leaves);
    if (next == signed_.end() || next->first >= end) {
      range_.push_subtree(tile_height, root);
      count_proven();
      return true;
    }
    // Something was signed within this bundle: its single hashes matter.
    auto hashes = stored_tile(txn_, log_, n);
    if (!hashes || tile_root(*hashes) != root) {
      const auto row = txn_.get(Table::bundles, numbered_key(log_, n));
      hashes = leaf_hashes(readable_leaves(row.value_or(BytesView())));
    }
    if (hashes->size() != bundle_leaves || tile_root(*hashes) != root) return false;
    for (const TreeHash& hash : *hashes) push(hash);
    return true;
  }

  bool push_recent() {
    const auto last = last_number(txn_, Table::recent, log_);
    while (last && range_.size() <= *last) {
      const auto entry = read_recent(txn_, log_, range_.size());
      if (!entry) return false;
      push(leaf_hash(entry->leaf));
    }
    return true;
  }

  void push(const TreeHash& hash) {
    range_.push(hash);
    count_proven();
  }

  void count_proven() {
    const auto [first, last] = signed_.equal_range(range_.size());
    for (auto said = first; said != last; ++said) {
      if (said->second == range_.root()) ++proven_;
    }
  }

  const ReadTxn& txn_;
  const LogId& log_;
  const log_store::MendGrounds& grounds_;
  std::multimap<std::uint64_t, TreeHash> signed_;
  std::size_t proven_ = 0;
  CompactRange range_;
};

}  // namespace

Result<LogHead> rebuild_head(const ReadTxn& txn, const LogId& log,
                             const log_store::MendGrounds& grounds) {
  return Rebuilder(txn, log, grounds).run();
}

}  // namespace kith::storage
