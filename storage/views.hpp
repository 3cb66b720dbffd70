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

/// A verified record as lists show it; its text stays in its payload.
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
  std::string reply_kind;      ///< For a reply: question, answer …
  std::uint64_t sequence = 0;  ///< Order of arrival here, from 1; given by put_record.
  friend bool operator==(const RecordRow&, const RecordRow&) = default;
};

/// What a list is asked for.
struct RecordFilter {
  std::string kind;  ///< Empty: any.
  std::optional<MemberId> member = {};
  std::uint64_t before_sequence = ~0ULL;
  std::size_t limit = 50;
  std::uint64_t after_sequence = 0;
};

namespace views {

/// The next index of `log` to judge.
[[nodiscard]] std::uint64_t judged(const ReadTxn& txn, const LogId& log);
/// Set in the same transaction as what was judged.
void set_judged(WriteTxn& txn, const LogId& log, std::uint64_t next);
/// The next index of `log` whose record is to be shown; never ahead of what was judged.
[[nodiscard]] std::uint64_t shown(const ReadTxn& txn, const LogId& log);
/// Set in the same transaction as the records.
void set_shown(WriteTxn& txn, const LogId& log, std::uint64_t next);

/// Keeps an opened and verified `c` or `g` text, for the folds at the next start.
void put_text(WriteTxn& txn, const LogId& log, std::uint64_t index, BytesView text);
/// In the order of the log.
void each_text(const ReadTxn& txn, const LogId& log,
               const std::function<void(std::uint64_t index, BytesView text)>& each);

/// Adds a record; the first leaf counts for an id in one log, later ones are void. Returns whether
/// it was new.
bool put_record(WriteTxn& txn, RecordRow row);
/// Nothing if the id is not known.
[[nodiscard]] std::optional<RecordRow> record(const ReadTxn& txn, const RecordId& id);
/// Newest arrival first.
[[nodiscard]] std::vector<RecordRow> list(const ReadTxn& txn, const RecordFilter& filter);
/// Direct replies in order of arrival, at most `limit`.
[[nodiscard]] std::vector<RecordRow> replies(const ReadTxn& txn, const RecordId& to,
                                             std::size_t limit);
/// The one record whose base32 id begins with `typed` (at least 4 characters, in any case).
/// not_found, or conflict naming a few of those that fit.
[[nodiscard]] Result<RecordRow> find(const ReadTxn& txn, std::string_view typed);
/// 0 if there is no record yet.
[[nodiscard]] std::uint64_t last_sequence(const ReadTxn& txn);
/// How many records there are.
[[nodiscard]] std::uint64_t record_count(const ReadTxn& txn);

/// Forgets all that comes from `log` at or after `size`, which is not its log any more.
void set_back(WriteTxn& txn, const LogId& log, std::uint64_t size);

/// A leaf whose payload is not shown, and why; counted and reported.
void put_bad(WriteTxn& txn, const LogId& log, std::uint64_t index, std::string_view why);
/// Why a leaf is among the bad whose payload was not here when its turn came.
inline constexpr std::string_view missing_text = "its payload was not here yet";
/// Takes it from the bad: its payload came and is good.
void erase_bad(WriteTxn& txn, const LogId& log, std::uint64_t index);
/// From index `first` on, in the order of the log, at most `limit`.
[[nodiscard]] std::vector<std::pair<std::uint64_t, std::string>> bad(const ReadTxn& txn,
                                                                     const LogId& log,
                                                                     std::uint64_t first,
                                                                     std::size_t limit);

}  // namespace views
}  // namespace kith::storage
