#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "storage/database.hpp"

/// A Database in memory: for the simulation, and to show that the store's logic needs no LMDB.
namespace kith::testing {

/// Sorts by bytes and can be asked with a view.
struct BytesLess {
  using is_transparent = void;
  [[nodiscard]] bool operator()(BytesView a, BytesView b) const {
    return std::ranges::lexicographical_compare(a, b);
  }
};

/// Ordered maps, shared with the transactions that read them and copied when written meanwhile. One
/// thread only.
class MemoryDatabase : public storage::Database {
 public:
  using Rows = std::map<Bytes, Bytes, BytesLess>;
  using Tables =
      std::array<std::shared_ptr<Rows>, static_cast<std::size_t>(storage::Table::count_)>;

  MemoryDatabase();

  [[nodiscard]] std::unique_ptr<storage::ReadTxn> read() const override;
  /// One at a time (KITH_CHECK).
  [[nodiscard]] std::unique_ptr<storage::WriteTxn> write() override;

  /// The machine goes down: what was not durable is gone. No transaction may be open.
  void crash();
  /// The negative control: commits are durable only at the next sync().
  void ignore_durability();
  /// Everything committed so far is durable.
  void sync();

  /// The n-th commit from now (1: the next) throws StorageError of this kind and changes nothing.
  void fail_commit(std::uint64_t n, storage::StorageError::Kind kind);
  /// How often commit() was called.
  [[nodiscard]] std::uint64_t commits() const { return commits_; }

 private:
  class Writer;

  void begin_commit();

  Tables current_;
  Tables durable_;  // Only used while durability is ignored.
  bool ignores_durability_ = false;
  bool writing_ = false;
  std::uint64_t commits_ = 0;
  std::optional<std::uint64_t> failing_commit_;
  storage::StorageError::Kind failure_ = storage::StorageError::Kind::other;
};

}  // namespace kith::testing
