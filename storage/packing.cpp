#include "storage/packing.hpp"

#include <bit>

#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"

namespace kith::storage {
namespace {

constexpr std::string_view checksum_domain = "kith/row/v1\n";
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t recent_head_bytes = sizeof(std::uint16_t) + 1;
constexpr std::uint32_t not_packed = 0xFFFFFFFF;

template <class Value>
Value take(BytesView& from) {
  const auto value = Value::from(from.first(Value::size));
  from = from.subspan(Value::size);
  return value;
}
template <class Integer>
Integer take_integer(BytesView& from) {
  const auto value = read_integer<Integer>(from);
  from = from.subspan(sizeof(Integer));
  return value;
}

Hash checksum(Table table, BytesView key, BytesView value) {
  const auto number = static_cast<std::uint8_t>(table);
  return blake2b({view(checksum_domain), {&number, 1}, key, value});
}

}  // namespace

Key& Key::add(BytesView more) {
  KITH_CHECK(more.size() <= bytes_.size() - size_);
  std::ranges::copy(more, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += more.size();
  return *this;
}

Key& Key::add(std::uint8_t byte) { return add(BytesView(&byte, 1)); }

Key& Key::add(std::uint64_t number) {
  std::array<std::uint8_t, sizeof(number)> bytes;
  for (std::size_t i = bytes.size(); i-- > 0; number >>= 8) {
    bytes[i] = static_cast<std::uint8_t>(number);
  }
  return add(BytesView(bytes));
}

Key numbered_key(const LogId& log, std::uint64_t n) { return Key(log.view()).add(n); }

Key tile_key(const LogId& log, unsigned level, std::uint64_t n) {
  return Key(log.view()).add(static_cast<std::uint8_t>(level)).add(n);
}

Key successor(BytesView key) { return Key(key).add(std::uint8_t{0}); }

bool begins_with(BytesView key, BytesView prefix) {
  return key.size() >= prefix.size() && equal(key.first(prefix.size()), prefix);
}

std::size_t erase_between(WriteTxn& txn, Table table, const Key& first, const Key& end) {
  std::size_t erased = 0;
  for (auto row = txn.at_or_after(table, first);
       row && std::ranges::lexicographical_compare(row->key, end.view());
       row = txn.at_or_after(table, first)) {
    txn.erase(table, to_bytes(row->key));
    ++erased;
  }
  return erased;
}

std::size_t erase_from(WriteTxn& txn, Table table, const Key& prefix, std::uint64_t first) {
  return erase_between(txn, table, Key(prefix).add(first),
                       successor(Key(prefix).add(~std::uint64_t{0})));
}

void encode_recent(Bytes& row, BytesView key, const RecentRow& entry) {
  row.clear();
  append_integer(row, static_cast<std::uint16_t>(entry.leaf.size()));
  row.push_back(entry.payload ? 1 : 0);
  append(row, entry.leaf);
  append(row, checksum(Table::recent, key, row).view().first(checksum_bytes));
  if (entry.payload) append(row, *entry.payload);
}

std::optional<RecentRow> decode_recent(BytesView key, BytesView row) {
  if (row.size() < recent_head_bytes + checksum_bytes) return std::nullopt;
  const std::size_t leaf_bytes = read_integer<std::uint16_t>(row);
  const std::uint8_t has_payload = row[sizeof(std::uint16_t)];
  if (leaf_bytes > row.size() - recent_head_bytes - checksum_bytes) return std::nullopt;

  const BytesView covered = row.first(recent_head_bytes + leaf_bytes);
  const BytesView payload = row.subspan(covered.size() + checksum_bytes);
  const Hash sum = checksum(Table::recent, key, covered);
  if (!equal(sum.view().first(checksum_bytes), row.subspan(covered.size(), checksum_bytes))) {
    return std::nullopt;
  }
  if (has_payload > 1 || (has_payload == 0 && !payload.empty())) return std::nullopt;
  return RecentRow{covered.subspan(recent_head_bytes),
                   has_payload == 0 ? std::nullopt : std::optional(payload)};
}

std::optional<RecentRow> read_recent(const ReadTxn& txn, const LogId& log, std::uint64_t index) {
  const Key key = numbered_key(log, index);
  const auto row = txn.get(Table::recent, key);
  return row ? decode_recent(key, *row) : std::nullopt;
}

void encode_group(Bytes& row, const PayloadGroup& group) {
  row.clear();
  for (const auto& payload : group) {
    KITH_CHECK(!payload || payload->size() <= packed_payload_bytes_max);
    append_integer(row, payload ? static_cast<std::uint32_t>(payload->size()) : not_packed);
  }
  for (const auto& payload : group) {
    if (payload) append(row, *payload);
  }
}

std::optional<PayloadGroup> decode_group(BytesView row) {
  if (row.size() < group_head_bytes) return std::nullopt;
  BytesView lengths = row.first(group_head_bytes);
  BytesView rest = row.subspan(group_head_bytes);
  PayloadGroup group;
  for (auto& payload : group) {
    const auto length = take_integer<std::uint32_t>(lengths);
    if (length == not_packed) continue;
    if (length > rest.size()) return std::nullopt;
    payload = rest.first(length);
    rest = rest.subspan(length);
  }
  if (!rest.empty()) return std::nullopt;
  return group;
}

Bytes with_checksum(Table table, BytesView key, Bytes value) {
  const Hash sum = checksum(table, key, value);
  append(value, sum.view().first(checksum_bytes));
  return value;
}

std::optional<BytesView> without_checksum(Table table, BytesView key, BytesView row) {
  if (row.size() < checksum_bytes) return std::nullopt;
  const BytesView value = row.first(row.size() - checksum_bytes);
  const Hash sum = checksum(table, key, value);
  if (!equal(sum.view().first(checksum_bytes), row.last(checksum_bytes))) return std::nullopt;
  return value;
}

Bytes encode_head(const LogHead& head) {
  Bytes value;
  append(value, head.member.view());
  append(value, head.space.view());
  append_integer(value, head.size());
  append_integer(value, head.gaps);
  for (const TreeHash& node : head.range.nodes()) append(value, node.view());
  return with_checksum(Table::heads, head.log.view(), std::move(value));
}

std::optional<LogHead> decode_head(const LogId& log, BytesView row) {
  constexpr std::size_t fixed_bytes = MemberId::size + SpaceId::size + 2 * sizeof(std::uint64_t);
  const auto value = without_checksum(Table::heads, log.view(), row);
  if (!value || value->size() < fixed_bytes) return std::nullopt;
  BytesView rest = *value;
  LogHead head;
  head.log = log;
  head.member = take<MemberId>(rest);
  head.space = take<SpaceId>(rest);
  const auto size = take_integer<std::uint64_t>(rest);
  head.gaps = take_integer<std::uint64_t>(rest);
  auto nodes = decode_hashes(rest);
  if (!nodes) return std::nullopt;
  auto range = CompactRange::from(size, std::move(*nodes));
  if (!range) return std::nullopt;
  head.range = std::move(*range);
  return head;
}

Bytes encode_checkpoint_row(const LogId& log, const StoredCheckpoint& checkpoint) {
  Bytes value;
  append_integer(value, checkpoint.size);
  append(value, checkpoint.root.view());
  append(value, view(checkpoint.note));
  return with_checksum(Table::checkpoints, log.view(), std::move(value));
}

std::optional<StoredCheckpoint> decode_checkpoint_row(const LogId& log, BytesView row) {
  const auto value = without_checksum(Table::checkpoints, log.view(), row);
  if (!value || value->size() < sizeof(std::uint64_t) + TreeHash::size) return std::nullopt;
  BytesView rest = *value;
  StoredCheckpoint checkpoint;
  checkpoint.size = take_integer<std::uint64_t>(rest);
  checkpoint.root = take<TreeHash>(rest);
  checkpoint.note = text(rest);
  return checkpoint;
}

Key cosignature_key(const LogId& log, const MemberId& witness) {
  return Key(log.view()).add(witness.view());
}

Bytes encode_cosignature_row(const Cosignature& cosignature) {
  Bytes value;
  append_integer(value, cosignature.size);
  append(value, cosignature.root.view());
  append_integer(value, cosignature.time_s);
  append(value, cosignature.signature.view());
  return with_checksum(Table::cosignatures, cosignature_key(cosignature.log, cosignature.witness),
                       std::move(value));
}

std::optional<Cosignature> decode_cosignature_row(BytesView key, BytesView row) {
  constexpr std::size_t value_bytes = 2 * sizeof(std::uint64_t) + TreeHash::size + Signature::size;
  const auto value = without_checksum(Table::cosignatures, key, row);
  if (key.size() != LogId::size + MemberId::size) return std::nullopt;
  if (!value || value->size() != value_bytes) return std::nullopt;
  BytesView rest = *value;
  Cosignature cosignature;
  cosignature.log = LogId::from(key.first(LogId::size));
  cosignature.witness = MemberId::from(key.subspan(LogId::size));
  cosignature.size = take_integer<std::uint64_t>(rest);
  cosignature.root = take<TreeHash>(rest);
  cosignature.time_s = take_integer<std::uint64_t>(rest);
  cosignature.signature = take<Signature>(rest);
  return cosignature;
}

bool is_evidence_about(BytesView key, const LogId& log, const std::optional<MemberId>& owner) {
  if (key.empty()) return false;
  const BytesView about = key.subspan(1);
  return begins_with(about, log.view()) || (owner && begins_with(about, owner->view()));
}

Bytes encode_evidence_row(BytesView key, std::string_view text) {
  return with_checksum(Table::evidence, key, to_bytes(view(text)));
}

std::optional<std::string> decode_evidence_row(BytesView key, BytesView row) {
  const auto value = without_checksum(Table::evidence, key, row);
  if (!value) return std::nullopt;
  return std::string(text(*value));
}

void throw_damaged(const LogId& log, const std::string& what) {
  throw StorageError(StorageError::Kind::other,
                     "log " + to_hex(log.view()) + ": " + what + " is damaged; run: kithd check");
}

}  // namespace kith::storage
