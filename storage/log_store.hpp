#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/log/tile.hpp"
#include "protocol/log/witness.hpp"
#include "storage/database.hpp"

/// Leaves, tiles, payloads, checkpoints and cosignatures of every log this member keeps. Pure logic
/// over a Database: callers own the transactions, so one commit can hold many changes.
///
/// A row that LMDB gives back damaged never crashes: a leaf or payload reads as if it were not
/// held, and what decisions rest on (heads, tree hashes, checkpoints, cosignatures) throws
/// StorageError.
///
/// Layout (docs/STORAGE): entries after the last complete bundle of 256 lie one by one in `recent`;
/// when a bundle completes, its leaves, its level-0 tile and its payloads (in groups of 64) are
/// each packed into one value and the single rows go. So disk use stays near the bytes themselves.
namespace kith::storage {

/// Where a log ends here.
struct LogHead {
  LogId log;
  MemberId member;
  SpaceId space;
  CompactRange range;      ///< Durable leaves; range.size() is the log's size here.
  std::uint64_t gaps = 0;  ///< Leaves whose payload is not held.

  [[nodiscard]] std::uint64_t size() const { return range.size(); }
  friend bool operator==(const LogHead&, const LogHead&) = default;
};

struct NewEntry {
  BytesView leaf;
  std::optional<BytesView> payload;  ///< Nothing: a gap.
};

struct StoredCheckpoint {
  std::uint64_t size = 0;
  TreeHash root{};
  std::string note;  ///< The signed note with the log's line.
  friend bool operator==(const StoredCheckpoint&, const StoredCheckpoint&) = default;
};

/// All are free of state: everything lies in the transaction.
namespace log_store {

/// Every log held, by id.
[[nodiscard]] std::vector<LogHead> heads(const ReadTxn& txn);
/// Nothing if the log is not held.
[[nodiscard]] std::optional<LogHead> head(const ReadTxn& txn, const LogId& log);
/// Begins an empty log. Does nothing if it exists with the same owner; KITH_CHECKs otherwise.
void create(WriteTxn& txn, const LogId& log, const MemberId& member, const SpaceId& space);

/// Appends at `first`, which must be the log's size (conflict otherwise). Repeats the tree step
/// before disk: every leaf decodes, and every payload given has the size that its leaf names
/// (bad_proof); that it is what its leaf commits to is the caller's to have checked. unavailable if
/// it completes a bundle of which leaves are wanted.
/// Returns the new head; on error nothing was changed that commit() could keep.
[[nodiscard]] Result<LogHead> append(WriteTxn& txn, const LogId& log, std::uint64_t first,
                                     std::span<const NewEntry> entries);
/// Gives up every leaf from `size` on (at most the log's size), with its payload and whatever was
/// said of a larger tree: checkpoint and cosignatures. For a log of two histories, of which another
/// one counts. Throws StorageError if what stays cannot be read.
void set_back(WriteTxn& txn, const LogId& log, std::uint64_t size);
/// Fills a gap. bad_proof if the leaf commits to something else; not_found beyond the end; io if
/// the leaf is damaged. A payload already held is left alone.
[[nodiscard]] Result<bool> put_payload(WriteTxn& txn, const LogId& log, std::uint64_t index,
                                       BytesView payload);

/// The leaf at `index`, as stored.
[[nodiscard]] std::optional<Bytes> leaf(const ReadTxn& txn, const LogId& log, std::uint64_t index);
/// Leaves [first, last) as an entry bundle; empty where the log is shorter, and if leaves of its
/// first bundle are wanted.
[[nodiscard]] Bytes bundle(const ReadTxn& txn, const LogId& log, std::uint64_t first,
                           std::uint64_t last);
/// The same, decoded: up to the first that is damaged, or the end of the log.
[[nodiscard]] std::vector<Leaf> leaves(const ReadTxn& txn, const LogId& log, std::uint64_t first,
                                       std::uint64_t last);
/// Nothing for a gap and beyond the end. It was checked when it was written, not again now.
[[nodiscard]] std::optional<Bytes> payload(const ReadTxn& txn, const LogId& log,
                                           std::uint64_t index);
/// Calls `each(index, payload or nothing)` for [first, last) in order, reading each packed group
/// once; views are valid during the call only. Stops when it returns false.
void each_payload(const ReadTxn& txn, const LogId& log, std::uint64_t first, std::uint64_t last,
                  const std::function<bool(std::uint64_t, std::optional<BytesView>)>& each);
/// Gaps at or after `from`, in order, at most `max`.
[[nodiscard]] std::vector<std::uint64_t> gaps(const ReadTxn& txn, const LogId& log,
                                              std::uint64_t from, std::size_t max);

/// The hashes of a tile as a tree of `size` (at most the log's) has it. not_found if it has none.
[[nodiscard]] Result<std::vector<TreeHash>> tile(const ReadTxn& txn, const LogId& log,
                                                 std::uint64_t size, unsigned level,
                                                 std::uint64_t index);
/// Reads complete subtrees of the log for root_of, inclusion_path and consistency_path. `txn` must
/// outlive it.
[[nodiscard]] SubtreeReader subtrees(const ReadTxn& txn, const LogId& log);
/// The root over the first `size` leaves (at most the log's size).
[[nodiscard]] TreeHash root_at(const ReadTxn& txn, const LogId& log, std::uint64_t size);

/// The newest kept.
[[nodiscard]] std::optional<StoredCheckpoint> checkpoint(const ReadTxn& txn, const LogId& log);
/// Keeps a checkpoint whose leaves are all held and whose root is ours. stale if not larger than
/// the one kept; conflict (the log forked) if the root at that size is another; unavailable if
/// leaves are missing.
[[nodiscard]] Result<bool> put_checkpoint(WriteTxn& txn, const LogId& log,
                                          const StoredCheckpoint& checkpoint);

/// The newest of each witness.
[[nodiscard]] std::map<MemberId, Cosignature> cosignatures(const ReadTxn& txn, const LogId& log);
/// Compare-and-set, whoever the witness is: kept if its size is larger than that witness's newest,
/// or equal with a later time and the same root. stale otherwise; conflict if the root differs from
/// ours at a size we hold or from its own word at that size; unavailable if we hold less than its
/// size. The caller has verified the signature.
[[nodiscard]] Result<bool> put_cosignature(WriteTxn& txn, const Cosignature& cosignature);

/// About one member: more changes nothing.
inline constexpr std::size_t evidence_per_member_max = 8;
/// Keeps a file that proves two histories, under what it is about: the first for each. False if one
/// is kept already, or too many are.
bool put_evidence(WriteTxn& txn, BytesView key, std::string_view text);
/// All that can be read, by what they are about.
[[nodiscard]] std::map<Bytes, std::string> evidence(const ReadTxn& txn);

/// Something that is not as it was written.
struct Fault {
  enum class Part : std::uint8_t {
    head,
    leaf,
    tile,
    payload,
    gap,  ///< What is noted as missing.
    checkpoint,
    cosignature,
    evidence,
    stray,  ///< A row that does not belong.
    tree,   ///< All rows are whole, but together they are another log.
  };
  std::uint64_t index = 0;  ///< The leaf it concerns, or the first of those; the size for the head.
  std::string what;         ///< For the operator.
  Part part = Part::leaf;
};
/// What check() found.
struct CheckReport {
  std::uint64_t leaves = 0;
  std::uint64_t payloads = 0;
  std::uint64_t gaps = 0;
  std::vector<Fault> faults;  ///< At most 100; the check stops there.
};
/// How such a fault is mended, or what else to do: a sentence for the operator.
[[nodiscard]] const char* remedy(Fault::Part part);
/// Its name: "leaf", "tile".
[[nodiscard]] const char* name_of(Fault::Part part);
/// Re-hashes a whole log from its bytes: every leaf against its tile, every payload against its
/// leaf, every tile against its parent, the head against the root, the checkpoint and cosignatures
/// against the tree. `progress` (may be empty) is called now and then with the number of leaves
/// done; false stops.
[[nodiscard]] CheckReport check(const ReadTxn& txn, const LogId& log,
                                const std::function<bool(std::uint64_t)>& progress);

}  // namespace log_store
}  // namespace kith::storage
