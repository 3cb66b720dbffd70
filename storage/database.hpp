#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "protocol/base/types.hpp"

/// The seam between the store's logic and what keeps bytes: LMDB in the daemon (lmdb.hpp), a model
/// of a disk in the simulation. Keys sort by bytes; a key is at most 500 bytes.
namespace kith::storage {

/// The disk or the database failed. `main` logs it and exits; nothing is signed after it.
class StorageError : public std::runtime_error {
 public:
  enum class Kind { full, read_only, other };
  StorageError(Kind what_failed, const std::string& said)
      : std::runtime_error(said), kind(what_failed) {}

  /// full, read_only: nothing was written, everything acknowledged is kept, try again later.
  Kind kind;
};

/// Tables of the log environment, then of the views environment. Never renumber.
enum class Table : std::uint8_t {
  meta,         ///< "schema" -> u32, and what belongs to the store as a whole.
  heads,        ///< log -> LogHead.
  recent,       ///< log, index -> leaf and payload, after the last complete bundle.
  bundles,      ///< log, n -> 256 leaves as an entry bundle.
  tiles,        ///< log, level, n -> hashes; only the last of a level is partial; level 0 complete.
  payloads,     ///< log, n -> 64 payloads packed together.
  large,        ///< log, index -> one payload too large to pack.
  gaps,         ///< log, index -> empty: a leaf whose payload is not held.
  checkpoints,  ///< log -> the newest signed checkpoint that is held completely.
  cosignatures,  ///< log, witness -> that witness's newest cosignature.
  evidence,      ///< what it is about -> a `.kith-evidence` file.
  waiting,       ///< What the daemon itself keeps: invitations, candidates (by name).
  // views environment
  view_meta,  ///< "schema" -> u32.
  cursors,    ///< log -> the next index to judge.
  texts,      ///< log, index -> opened and verified text of a `c` or `g` payload.
  records,    ///< record id -> RecordRow.
  arrivals,   ///< u64 sequence -> record id.
  replies,    ///< record id, u64 sequence -> record id of the reply.
  bad,        ///< log, index -> why a leaf's payload is not shown.
  count_      ///< Not a table.
};

struct Row {
  BytesView key;
  BytesView value;
};

/// A consistent view. Views into it die with it; hold it for one function on one thread only.
class ReadTxn {
 public:
  virtual ~ReadTxn() = default;
  [[nodiscard]] virtual std::optional<BytesView> get(Table table, BytesView key) const = 0;
  /// The first row whose key is not less than `key`.
  [[nodiscard]] virtual std::optional<Row> at_or_after(Table table, BytesView key) const = 0;
  /// The last row whose key is less than `key`.
  [[nodiscard]] virtual std::optional<Row> before(Table table, BytesView key) const = 0;
};

/// One atomic change. Without commit() it never happened. A view into it also dies with the next
/// change. One at a time.
class WriteTxn : public ReadTxn {
 public:
  virtual void put(Table table, BytesView key, BytesView value) = 0;
  /// Refuses (KITH_CHECK) to overwrite: what is append-only stays so in storage too.
  virtual void put_new(Table table, BytesView key, BytesView value) = 0;
  virtual void erase(Table table, BytesView key) = 0;
  /// Durable when it returns. Throws StorageError.
  virtual void commit() = 0;
};

class Database {
 public:
  virtual ~Database() = default;
  [[nodiscard]] virtual std::unique_ptr<ReadTxn> read() const = 0;
  [[nodiscard]] virtual std::unique_ptr<WriteTxn> write() = 0;
};

}  // namespace kith::storage
