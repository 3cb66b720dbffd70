#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "storage/log_mend.hpp"
#include "storage/packing.hpp"

// What was said about a log: its checkpoint, its witnesses' words, and proof of a lie.
namespace kith::storage::log_store {
namespace {

/// Whether a tree of this size and root is the one held.
Result<bool> check_tree(const ReadTxn& txn, const LogId& log, std::uint64_t size,
                        const TreeHash& root) {
  const auto held = head(txn, log);
  if (!held) return fail(Errc::unavailable, "the log is not held");
  if (size > held->size()) {
    return fail(Errc::unavailable, "only " + std::to_string(held->size()) + " of " +
                                       std::to_string(size) + " leaves are held");
  }
  // Most words are about the newest checkpoint, whose root was compared when it was kept: a log
  // with many witnesses need not hash its right edge again for each of them.
  const auto kept = checkpoint(txn, log);
  const bool is_kept = kept && kept->size == size && kept->root == root;
  if (!is_kept && size != held->size() && is_wanted(txn, log, size / bundle_leaves)) {
    return fail(Errc::unavailable, "leaves at its end are damaged and come from peers first");
  }
  if (!is_kept && root_at(txn, log, size) != root) {
    return fail(Errc::conflict, "another root at size " + std::to_string(size));
  }
  return true;
}

std::optional<Cosignature> cosignature(const ReadTxn& txn, const LogId& log,
                                       const MemberId& witness) {
  const Key key = cosignature_key(log, witness);
  const auto row = txn.get(Table::cosignatures, key);
  if (!row) return std::nullopt;
  auto found = decode_cosignature_row(key, *row);
  if (!found) throw_damaged(log, "a cosignature");
  return found;
}

}  // namespace

std::optional<StoredCheckpoint> checkpoint(const ReadTxn& txn, const LogId& log) {
  const auto row = txn.get(Table::checkpoints, log.view());
  if (!row) return std::nullopt;
  auto found = decode_checkpoint_row(log, *row);
  if (!found) throw_damaged(log, "its checkpoint");
  return found;
}

Result<bool> put_checkpoint(WriteTxn& txn, const LogId& log, const StoredCheckpoint& given) {
  if (given.note.size() > limits::note_bytes_max) {
    return fail(Errc::too_large, "the note of a checkpoint");
  }
  // A fork is told before staleness: an old checkpoint with another root is proof of one.
  const auto fits = check_tree(txn, log, given.size, given.root);
  if (!fits) return fits.error();
  const auto kept = checkpoint(txn, log);
  if (kept && given.size <= kept->size) return fail(Errc::stale, "a larger one is kept");
  txn.put(Table::checkpoints, log.view(), encode_checkpoint_row(log, given));
  return true;
}

std::map<MemberId, Cosignature> cosignatures(const ReadTxn& txn, const LogId& log) {
  std::map<MemberId, Cosignature> all;
  auto row = txn.at_or_after(Table::cosignatures, log.view());
  while (row && begins_with(row->key, log.view())) {
    const auto found = decode_cosignature_row(row->key, row->value);
    if (!found) throw_damaged(log, "a cosignature");
    all.emplace(found->witness, *found);
    row = txn.at_or_after(Table::cosignatures, successor(row->key));
  }
  return all;
}

Result<bool> put_cosignature(WriteTxn& txn, const Cosignature& given) {
  const auto kept = cosignature(txn, given.log, given.witness);
  if (kept && kept->size == given.size && kept->root != given.root) {
    return fail(Errc::conflict, "the witness said another root at this size");
  }
  const auto fits = check_tree(txn, given.log, given.size, given.root);
  if (!fits) return fits.error();
  const bool newer =
      !kept || given.size > kept->size || (given.size == kept->size && given.time_s > kept->time_s);
  if (!newer) return fail(Errc::stale, "a newer one is kept");
  txn.put(Table::cosignatures, cosignature_key(given.log, given.witness),
          encode_cosignature_row(given));
  return true;
}

bool put_evidence(WriteTxn& txn, BytesView key, std::string_view text) {
  // A damaged row is none: others give it again.
  const auto row = txn.get(Table::evidence, key);
  if ((row && decode_evidence_row(key, *row)) ||
      evidence(txn).size() >= limits::evidence_pieces_max)
    return false;
  txn.put(Table::evidence, key, encode_evidence_row(key, text));
  return true;
}

std::map<Bytes, std::string> evidence(const ReadTxn& txn) {
  std::map<Bytes, std::string> all;
  auto row = txn.at_or_after(Table::evidence, {});
  while (row) {
    // Others hold the same and give it again; a log is not frozen for what cannot be read.
    if (auto found = decode_evidence_row(row->key, row->value)) {
      all.emplace(to_bytes(row->key), std::move(*found));
    }
    row = txn.at_or_after(Table::evidence, successor(to_bytes(row->key)));
  }
  return all;
}

}  // namespace kith::storage::log_store
