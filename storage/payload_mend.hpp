#pragma once

#include <optional>
#include <span>
#include <vector>

#include "protocol/log/leaf.hpp"
#include "storage/database.hpp"

namespace kith::storage {

/// Keeps of a log's payloads what their leaves commit to and makes gaps of the rest, so that the
/// usual sync brings it again. What cannot be judged, as its leaf is damaged too, stays as it is.
class PayloadMender {
 public:
  /// `txn` must outlive it.
  PayloadMender(WriteTxn& txn, const LogId& log) : txn_(txn), log_(log) {}

  /// Those of one complete bundle; `leaves` are its 256, nothing where one is not known.
  void settle_bundle(std::uint64_t first, std::span<const std::optional<Leaf>> leaves);
  /// That of a single row, if its leaf is whole.
  void settle_recent(std::uint64_t index);

  /// What was not a gap before, in order.
  [[nodiscard]] const std::vector<std::uint64_t>& new_gaps() const { return new_gaps_; }

 private:
  void settle_group(std::uint64_t first, std::span<const std::optional<Leaf>> leaves);
  void settle(std::uint64_t index, const std::optional<Leaf>& leaf, bool is_packed);

  WriteTxn& txn_;
  LogId log_;
  std::vector<std::uint64_t> new_gaps_;
};

}  // namespace kith::storage
