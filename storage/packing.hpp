#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "protocol/base/limits.hpp"
#include "protocol/base/types.hpp"
#include "storage/database.hpp"
#include "storage/log_store.hpp"

/// Keys and values of the log tables, byte by byte as docs/STORAGE says. Decoders give nothing for
/// a damaged value and read nothing beyond it.
namespace kith::storage {

inline constexpr std::size_t bundle_leaves = limits::tile_hashes;
inline constexpr std::size_t group_payloads = 64;
inline constexpr std::size_t group_head_bytes = group_payloads * sizeof(std::uint32_t);
/// Larger payloads lie by themselves, so that filling one gap never rewrites megabytes.
inline constexpr std::size_t packed_payload_bytes_max = 16 * limits::ki;

/// A key built in place; one is needed for every row, so none of them is worth an allocation.
class Key {
 public:
  explicit Key(BytesView first) { add(first); }

  Key& add(BytesView more);
  Key& add(std::uint8_t byte);
  Key& add(std::uint64_t number);

  [[nodiscard]] BytesView view() const { return {bytes_.data(), size_}; }
  operator BytesView() const { return view(); }  // Implicit: it is nothing else than its bytes.

 private:
  std::array<std::uint8_t, 96> bytes_;
  std::size_t size_ = 0;
};

/// The key of what a table holds about (log, n).
[[nodiscard]] Key numbered_key(const LogId& log, std::uint64_t n);
[[nodiscard]] Key tile_key(const LogId& log, unsigned level, std::uint64_t n);
/// The least key that is greater than `key`.
[[nodiscard]] Key successor(BytesView key);
/// Whether `key` begins with `prefix`.
[[nodiscard]] bool begins_with(BytesView key, BytesView prefix);

/// Erases the rows from `first` on and before `end`; how many there were.
std::size_t erase_between(WriteTxn& txn, Table table, const Key& first, const Key& end);
/// The same of the rows whose key is `prefix` and a number, from `first` on.
std::size_t erase_from(WriteTxn& txn, Table table, const Key& prefix, std::uint64_t first);

/// A row of `recent`. Its payload is covered by its leaf, and its leaf by a checksum: the tree hash
/// that covers a single leaf is stored only once its bundle is complete.
struct RecentRow {
  BytesView leaf;
  std::optional<BytesView> payload;  ///< Nothing: a gap, or in `large`.
};
/// Replaces what `row` held.
void encode_recent(Bytes& row, BytesView key, const RecentRow& entry);
[[nodiscard]] std::optional<RecentRow> decode_recent(BytesView key, BytesView row);
/// The row of `index`; nothing if it is missing or damaged.
[[nodiscard]] std::optional<RecentRow> read_recent(const ReadTxn& txn, const LogId& log,
                                                   std::uint64_t index);

/// Payloads packed together; nothing where it is a gap or in `large`. Views into the row or into
/// whatever it was filled from.
using PayloadGroup = std::array<std::optional<BytesView>, group_payloads>;
/// Replaces what `row` held.
void encode_group(Bytes& row, const PayloadGroup& group);
[[nodiscard]] std::optional<PayloadGroup> decode_group(BytesView row);

/// Values that no tree hash covers end with a checksum over table, key and value, as LMDB has none.
[[nodiscard]] Bytes with_checksum(Table table, BytesView key, Bytes value);
/// Nothing if it does not fit.
[[nodiscard]] std::optional<BytesView> without_checksum(Table table, BytesView key, BytesView row);

[[nodiscard]] Bytes encode_head(const LogHead& head);
[[nodiscard]] std::optional<LogHead> decode_head(const LogId& log, BytesView row);

[[nodiscard]] Bytes encode_checkpoint_row(const LogId& log, const StoredCheckpoint& checkpoint);
[[nodiscard]] std::optional<StoredCheckpoint> decode_checkpoint_row(const LogId& log,
                                                                    BytesView row);

[[nodiscard]] Key cosignature_key(const LogId& log, const MemberId& witness);
[[nodiscard]] Bytes encode_cosignature_row(const Cosignature& cosignature);
/// `key` names log and witness.
[[nodiscard]] std::optional<Cosignature> decode_cosignature_row(BytesView key, BytesView row);

/// Whether evidence under this key is about the log, or about the certificates of its owner: that
/// follows a byte that says who lied.
[[nodiscard]] bool is_evidence_about(BytesView key, const LogId& log,
                                     const std::optional<MemberId>& owner);
[[nodiscard]] Bytes encode_evidence_row(BytesView key, std::string_view text);
[[nodiscard]] std::optional<std::string> decode_evidence_row(BytesView key, BytesView row);

/// Throws StorageError: what must be believed cannot be read.
[[noreturn]] void throw_damaged(const LogId& log, const std::string& what);

}  // namespace kith::storage
