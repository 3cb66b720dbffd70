#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.hpp"
#include "storage/database.hpp"

/// What people read: a fold over verified records with a cursor for each log, in an environment of
/// its own. It can be dropped at any time and is rebuilt from the logs.
namespace kith::storage {

struct RecordRow {
  RecordId id;
  LogId log;
  std::uint64_t index = 0;
  MemberId member;
  std::string kind;
  PublicKey author;
  Millis time = 0;    ///< Claimed by the author.
  std::string title;  ///< One line, at most 200 bytes.
  std::uint64_t body_bytes = 0;
  std::optional<RecordId> to;  ///< For a reply.
  std::uint64_t sequence = 0;  ///< Order of arrival here, from 1; given by put_record.
  friend bool operator==(const RecordRow&, const RecordRow&) = default;
};

struct RecordFilter {
  std::string kind;  ///< Empty: any.
  std::optional<MemberId> member;
  std::uint64_t before_sequence = ~0ULL;
  std::size_t limit = 50;
};

namespace views {

/// The next index of `log` to judge.
[[nodiscard]] std::uint64_t cursor(const ReadTxn& txn, const LogId& log);
void set_cursor(WriteTxn& txn, const LogId& log, std::uint64_t next);

/// Keeps an opened and verified `c` or `g` text, for the folds at the next start.
void put_text(WriteTxn& txn, const LogId& log, std::uint64_t index, BytesView text);
void each_text(const ReadTxn& txn, const LogId& log,
               const std::function<void(std::uint64_t index, BytesView text)>& each);

/// Adds a record; the first leaf counts for an id in one log, later ones are void. Returns whether
/// it was new.
bool put_record(WriteTxn& txn, RecordRow row);
[[nodiscard]] std::optional<RecordRow> record(const ReadTxn& txn, const RecordId& id);
/// Newest arrival first.
[[nodiscard]] std::vector<RecordRow> list(const ReadTxn& txn, const RecordFilter& filter);
/// Direct replies in order of arrival, at most `limit`.
[[nodiscard]] std::vector<RecordRow> replies(const ReadTxn& txn, const RecordId& to,
                                             std::size_t limit);
/// The one record whose base32 id begins with `prefix` (at least 4 characters). not_found, or
/// conflict naming a few of those that fit.
[[nodiscard]] Result<RecordRow> find(const ReadTxn& txn, std::string_view prefix);
[[nodiscard]] std::uint64_t last_sequence(const ReadTxn& txn);
[[nodiscard]] std::uint64_t record_count(const ReadTxn& txn);

/// A leaf whose payload is not shown, and why; counted and reported.
void put_bad(WriteTxn& txn, const LogId& log, std::uint64_t index, std::string_view why);
[[nodiscard]] std::vector<std::pair<std::uint64_t, std::string>> bad(const ReadTxn& txn,
                                                                     const LogId& log,
                                                                     std::size_t limit);

}  // namespace views
}  // namespace kith::storage
