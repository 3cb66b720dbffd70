#include "protocol/log/tile.hpp"
#include "storage/bundle_proof.hpp"
#include "storage/log_mend.hpp"
#include "storage/packing.hpp"
#include "storage/payload_mend.hpp"

// Putting leaves back that a peer gave again.
namespace kith::storage::log_store {
namespace {

class LeafMender {
 public:
  LeafMender(WriteTxn& txn, LogHead head, std::span<const BytesView> leaves)
      : txn_(txn),
        head_(std::move(head)),
        log_(head_.log),
        packed_(packed_part(head_.range)),
        given_(leaves.size()),
        leaves_(leaves.begin(), leaves.end()),
        payloads_(txn, log_) {}

  Result<std::vector<std::uint64_t>> put(std::uint64_t first) {
    add_what_is_held(first);
    hashes_ = leaf_hashes(leaves_);
    for (const BytesView bytes : leaves_) {
      const auto leaf = decode_leaf(text(bytes));
      if (!leaf) return fail(Errc::bad_proof, leaf.error().detail);
      decoded_.emplace_back(*leaf);
    }
    const auto fits = first < packed_.size() ? fits_bundle(first) : fits_end(first);
    if (!fits) return fits.error();
    if (first < packed_.size()) {
      put_bundle(first);
    } else {
      for (std::size_t i = 0; i < given_; ++i) put_single(first + i, i);
    }
    std::erase(wanted_, first / bundle_leaves);
    set_wanted_bundles(txn_, log_, wanted_);
    head_.gaps = gaps(txn_, log_, 0, ~std::size_t{0}).size();
    txn_.put(Table::heads, log_.view(), encode_head(head_));
    std::vector<std::uint64_t> new_gaps = payloads_.new_gaps();
    if (tiles_are_damaged_) {
      // With these leaves more can be proven than before.
      const auto mended = mend(txn_, log_, {});
      if (!mended) return mended.error();
      new_gaps.insert(new_gaps.end(), mended->new_gaps.begin(), mended->new_gaps.end());
    }
    return new_gaps;
  }

 private:
  /// What was not given: it is right if all together is.
  void add_what_is_held(std::uint64_t first) {
    if (first < packed_.size()) {
      const auto row = txn_.get(Table::bundles, numbered_key(log_, first / bundle_leaves));
      held_ = row ? to_bytes(*row) : Bytes();
      const auto held = readable_leaves(held_);
      for (std::size_t i = given_; i < held.size(); ++i) leaves_.push_back(held[i]);
      return;
    }
    while (first + leaves_.size() < head_.size()) {
      const auto entry = read_recent(txn_, log_, first + leaves_.size());
      if (!entry) return;
      leaves_.push_back(entry->leaf);
    }
  }

  // ---- whether they are what the head commits to ----

  Result<bool> fits_bundle(std::uint64_t first) {
    const auto refused = fail(Errc::bad_proof, "these are not the leaves of this log");
    if (leaves_.size() != bundle_leaves) return refused;
    const std::uint64_t n = first / bundle_leaves;
    const TreeHash root = tree_root(hashes_);
    std::vector<RootCandidates> known(packed_.size() / bundle_leaves);
    for (std::uint64_t i = 0; i < known.size(); ++i) {
      if (const auto above = stored_root(txn_, log_, i)) known[i].roots = {*above};
    }
    if (const auto proven = prove_roots(packed_, known)[n]) {
      return *proven == root ? Result<bool>(true) : refused;
    }
    // The tile above is damaged too. Perhaps with these leaves there is enough to prove them.
    tiles_are_damaged_ = true;
    for (std::uint64_t i = 0; i < known.size(); ++i) known[i] = root_candidates(txn_, log_, i);
    known[n] = {{root}, false};
    if (prove_roots(packed_, known)[n]) return true;
    return fail(Errc::unavailable, "the tree above these leaves is damaged too");
  }

  Result<bool> fits_end(std::uint64_t first) const {
    CompactRange range = packed_;
    for (const TreeHash& hash : hashes_) range.push(hash);
    if (first == packed_.size() && range == head_.range) return true;
    return fail(Errc::bad_proof, "these are not the leaves of this log");
  }

  // ---- putting them back ----

  void put_bundle(std::uint64_t first) {
    const std::uint64_t n = first / bundle_leaves;
    Bytes row;
    for (const BytesView leaf : leaves_) append_to_bundle(row, leaf);
    txn_.put(Table::bundles, numbered_key(log_, n), row);
    txn_.put(Table::tiles, tile_key(log_, 0, n), encode_hashes(hashes_));
    put_root(n, tree_root(hashes_));
    payloads_.settle_bundle(first, decoded_);
  }

  /// Where the tile above has a place for it; else mend() computes that tile as a whole.
  void put_root(std::uint64_t n, const TreeHash& root) {
    const Key key = tile_key(log_, 1, n / bundle_leaves);
    const std::size_t at = n % bundle_leaves * TreeHash::size;
    const auto held = txn_.get(Table::tiles, key);
    if (!held || held->size() < at + TreeHash::size) return;
    Bytes row = to_bytes(*held);
    std::ranges::copy(root.bytes, row.begin() + static_cast<std::ptrdiff_t>(at));
    if (!equal(*held, row)) txn_.put(Table::tiles, key, row);
  }

  void put_single(std::uint64_t index, std::size_t i) {
    const Key key = numbered_key(log_, index);
    const auto entry = read_recent(txn_, log_, index);
    if (!entry || !equal(entry->leaf, leaves_[i])) {
      // Whatever happened to the leaf before it, the payload ends the row.
      const auto row = txn_.get(Table::recent, key);
      const Bytes held = row ? to_bytes(*row) : Bytes();
      const std::size_t size = decoded_[i]->payload_bytes;
      std::optional<BytesView> payload;
      if (size <= packed_payload_bytes_max && size <= held.size()) {
        payload = BytesView(held).last(size);
        if (!commits_to(*decoded_[i], *payload)) payload.reset();
      }
      Bytes mended;
      encode_recent(mended, key, {leaves_[i], payload});
      txn_.put(Table::recent, key, mended);
    }
    payloads_.settle_recent(index);
  }

  WriteTxn& txn_;
  LogHead head_;
  LogId log_;
  CompactRange packed_;
  std::size_t given_;
  Bytes held_;                     // What some of the leaves are views of.
  std::vector<BytesView> leaves_;  // All of the bundle: given, then held.
  std::vector<TreeHash> hashes_;
  std::vector<std::optional<Leaf>> decoded_;
  PayloadMender payloads_;
  bool tiles_are_damaged_ = false;
  std::vector<std::uint64_t> wanted_ = wanted_bundles(txn_, log_);
};

}  // namespace

Result<std::vector<std::uint64_t>> put_leaves(WriteTxn& txn, const LogId& log, std::uint64_t first,
                                              std::span<const BytesView> leaves) {
  auto held = head(txn, log);
  if (!held) return fail(Errc::not_found, "the log is not held");
  if (first % bundle_leaves != 0 || first >= held->size() || leaves.empty() ||
      leaves.size() > std::min<std::uint64_t>(bundle_leaves, held->size() - first)) {
    return fail(Errc::bad_proof, "no bundle of this log");
  }
  return LeafMender(txn, std::move(*held), leaves).put(first);
}

}  // namespace kith::storage::log_store
