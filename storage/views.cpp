#include "storage/views.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"
#include "storage/packing.hpp"

namespace kith::storage::views {
namespace {

constexpr std::size_t title_bytes_max = 200;
constexpr std::size_t prefix_characters_min = 4;
constexpr std::size_t id_characters = 52;  // 32 bytes in base32.
constexpr std::size_t fitting_named_max = 4;
constexpr std::size_t number_bytes = sizeof(std::uint64_t);
/// How many records were taken out again.
constexpr std::string_view removed_key = "removed";

Bytes number_row(std::uint64_t number) {
  Bytes row;
  append_integer(row, number);
  return row;
}

[[noreturn]] void throw_damaged() {
  throw StorageError(StorageError::Kind::other,
                     "a view is damaged; stop the daemon, remove the folder \"views\" and start "
                     "it again: it is rebuilt from the logs");
}

std::uint64_t read_number(BytesView row) {
  if (row.size() != number_bytes) throw_damaged();
  return read_integer<std::uint64_t>(row);
}

/// Which cursor of a log: the last byte of its key.
constexpr std::uint8_t judged_cursor = 1;
constexpr std::uint8_t shown_cursor = 2;

std::uint64_t cursor(const ReadTxn& txn, const LogId& log, std::uint8_t which) {
  const auto row = txn.get(Table::cursors, Key(log.view()).add(which));
  return row ? read_number(*row) : 0;
}

/// The number that ends a key which begins with `prefix`; nothing for another key.
std::optional<std::uint64_t> number_in(const std::optional<Row>& row, BytesView prefix) {
  if (!row || !begins_with(row->key, prefix)) return std::nullopt;
  return read_number(row->key.subspan(prefix.size()));
}

void append_text(Bytes& row, std::string_view text) {
  KITH_CHECK(text.size() <= 0xFFFF);
  append_integer(row, static_cast<std::uint16_t>(text.size()));
  append(row, view(text));
}

Bytes encode(const RecordRow& record) {
  Bytes row;
  append_integer(row, record.sequence);
  append(row, record.log.view());
  append_integer(row, record.index);
  append(row, record.member.view());
  append(row, record.author.view());
  append_integer(row, record.time);
  append_integer(row, record.body_bytes);
  row.push_back(record.to ? 1 : 0);
  append(row, record.to.value_or(RecordId{}).view());
  append_text(row, record.kind);
  append_text(row, record.title);
  append_text(row, record.reply_kind);
  return row;
}

/// Takes values off the front of a row; throws where it ends too early.
class Taker {
 public:
  explicit Taker(BytesView row) : rest_(row) {}

  [[nodiscard]] BytesView bytes(std::size_t size) {
    if (size > rest_.size()) throw_damaged();
    const BytesView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <class Value>
  [[nodiscard]] Value octets() {
    return Value::from(bytes(Value::size));
  }
  template <class Integer>
  [[nodiscard]] Integer integer() {
    return read_integer<Integer>(bytes(sizeof(Integer)));
  }
  [[nodiscard]] std::string string() {
    const std::size_t size = integer<std::uint16_t>();
    return std::string(text(bytes(size)));
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  BytesView rest_;
};

RecordRow decode(BytesView key, BytesView row) {
  if (key.size() != RecordId::size) throw_damaged();
  Taker from(row);
  RecordRow record;
  record.id = RecordId::from(key);
  record.sequence = from.integer<std::uint64_t>();
  record.log = from.octets<LogId>();
  record.index = from.integer<std::uint64_t>();
  record.member = from.octets<MemberId>();
  record.author = from.octets<PublicKey>();
  record.time = from.integer<Millis>();
  record.body_bytes = from.integer<std::uint64_t>();
  const auto has_to = from.integer<std::uint8_t>();
  const auto to = from.octets<RecordId>();
  if (has_to == 1) record.to = to;
  record.kind = from.string();
  record.title = from.string();
  record.reply_kind = from.string();
  if (has_to > 1 || !from.at_end()) throw_damaged();
  return record;
}

/// What an arrival or a reply points at.
RecordRow pointed_at(const ReadTxn& txn, BytesView id) {
  const auto row = txn.get(Table::records, id);
  if (!row) throw_damaged();
  return decode(id, *row);
}

std::vector<RecordRow> records_from(const ReadTxn& txn, const LogId& log, std::uint64_t first) {
  std::vector<RecordRow> found;
  for (auto row = txn.at_or_after(Table::records, {}); row;
       row = txn.at_or_after(Table::records, successor(to_bytes(row->key)))) {
    RecordRow record = decode(row->key, row->value);
    if (record.log == log && record.index >= first) found.push_back(std::move(record));
  }
  return found;
}

/// The least id that is shown with this beginning; nothing if none can be.
std::optional<Bytes> least_id(std::string_view prefix) {
  // 'a' stands for five zero bits, so filling up with it gives the least of all.
  std::string whole(prefix);
  whole.resize(id_characters, 'a');
  auto id = from_base32(whole);
  if (id) return std::move(*id);
  return std::nullopt;
}

}  // namespace

std::uint64_t judged(const ReadTxn& txn, const LogId& log) {
  return cursor(txn, log, judged_cursor);
}

void set_judged(WriteTxn& txn, const LogId& log, std::uint64_t next) {
  txn.put(Table::cursors, Key(log.view()).add(judged_cursor), number_row(next));
}

std::uint64_t shown(const ReadTxn& txn, const LogId& log) { return cursor(txn, log, shown_cursor); }

void set_shown(WriteTxn& txn, const LogId& log, std::uint64_t next) {
  txn.put(Table::cursors, Key(log.view()).add(shown_cursor), number_row(next));
}

void put_text(WriteTxn& txn, const LogId& log, std::uint64_t index, BytesView text) {
  txn.put(Table::texts, numbered_key(log, index), text);
}

void each_text(const ReadTxn& txn, const LogId& log,
               const std::function<void(std::uint64_t, BytesView)>& each) {
  auto row = txn.at_or_after(Table::texts, log.view());
  while (const auto index = number_in(row, log.view())) {
    each(*index, row->value);
    row = txn.at_or_after(Table::texts, successor(row->key));
  }
}

bool put_record(WriteTxn& txn, RecordRow row) {
  KITH_CHECK(row.title.size() <= title_bytes_max);
  if (txn.get(Table::records, row.id.view())) return false;
  row.sequence = last_sequence(txn) + 1;
  txn.put_new(Table::records, row.id.view(), encode(row));
  txn.put_new(Table::arrivals, number_row(row.sequence), row.id.view());
  if (row.to) txn.put_new(Table::replies, Key(row.to->view()).add(row.sequence), row.id.view());
  return true;
}

std::optional<RecordRow> record(const ReadTxn& txn, const RecordId& id) {
  const auto row = txn.get(Table::records, id.view());
  return row ? std::optional(decode(id.view(), *row)) : std::nullopt;
}

std::vector<RecordRow> list(const ReadTxn& txn, const RecordFilter& filter) {
  std::vector<RecordRow> found;
  auto arrival = txn.before(Table::arrivals, number_row(filter.before_sequence));
  for (; arrival && found.size() < filter.limit;
       arrival = txn.before(Table::arrivals, to_bytes(arrival->key))) {
    if (read_number(arrival->key) <= filter.after_sequence) break;
    if (arrival->value.empty()) continue;  // Taken out again.
    RecordRow record = pointed_at(txn, arrival->value);
    const bool wanted = (filter.kind.empty() || filter.kind == record.kind) &&
                        (!filter.member || *filter.member == record.member);
    if (wanted) found.push_back(std::move(record));
  }
  return found;
}

std::vector<RecordRow> replies(const ReadTxn& txn, const RecordId& to, std::size_t limit) {
  std::vector<RecordRow> found;
  auto row = txn.at_or_after(Table::replies, to.view());
  while (found.size() < limit && number_in(row, to.view())) {
    found.push_back(pointed_at(txn, row->value));
    row = txn.at_or_after(Table::replies, successor(row->key));
  }
  return found;
}

Result<RecordRow> find(const ReadTxn& txn, std::string_view typed) {
  const std::string prefix = lower_case(typed);
  if (prefix.size() < prefix_characters_min) {
    return fail(Errc::usage, "at least 4 characters of an entry's id are needed");
  }
  Error missing = fail(Errc::not_found, "no entry here has an id that begins with \"" +
                                            one_line(prefix, id_characters) +
                                            "\"; kith list shows what is here");
  const auto least = prefix.size() <= id_characters ? least_id(prefix) : std::nullopt;
  if (!least) return missing;

  std::vector<std::string> fitting;
  auto row = txn.at_or_after(Table::records, *least);
  std::optional<RecordRow> first;
  while (row && fitting.size() <= fitting_named_max) {
    std::string shown = to_base32(row->key);
    if (!shown.starts_with(prefix)) break;
    if (!first) first = decode(row->key, row->value);
    fitting.push_back(std::move(shown));
    row = txn.at_or_after(Table::records, successor(row->key));
  }
  if (fitting.empty()) return missing;
  if (fitting.size() == 1) return std::move(*first);

  std::string named;
  for (std::size_t i = 0; i < std::min(fitting.size(), fitting_named_max); ++i) {
    named += (i == 0 ? "" : ", ") + fitting[i];
  }
  if (fitting.size() > fitting_named_max) named += " and more";
  return fail(Errc::conflict, "several entries have ids that begin with \"" + prefix +
                                  "\", give more of it: " + named);
}

std::uint64_t last_sequence(const ReadTxn& txn) {
  // No sequence comes near the largest number.
  const auto row = txn.before(Table::arrivals, number_row(~std::uint64_t{0}));
  return row ? read_number(row->key) : 0;
}

// Sequences begin at 1, and none is given twice.
std::uint64_t record_count(const ReadTxn& txn) {
  const auto removed = txn.get(Table::view_meta, view(removed_key));
  return last_sequence(txn) - (removed ? read_number(*removed) : 0);
}

void set_back(WriteTxn& txn, const LogId& log, std::uint64_t size) {
  for (const std::uint8_t which : {judged_cursor, shown_cursor}) {
    if (cursor(txn, log, which) <= size) continue;
    txn.put(Table::cursors, Key(log.view()).add(which), number_row(size));
  }
  for (const Table table : {Table::texts, Table::bad}) {
    const Key first = numbered_key(log, size);
    for (auto row = txn.at_or_after(table, first); row && begins_with(row->key, log.view());
         row = txn.at_or_after(table, first)) {
      txn.erase(table, to_bytes(row->key));
    }
  }
  std::uint64_t removed = last_sequence(txn) - record_count(txn);
  for (const RecordRow& gone : records_from(txn, log, size)) {
    txn.erase(Table::records, gone.id.view());
    // The newest number must not be given again: who watches would take what follows for seen.
    txn.put(Table::arrivals, number_row(gone.sequence), {});
    if (gone.to) txn.erase(Table::replies, Key(gone.to->view()).add(gone.sequence));
    ++removed;
  }
  txn.put(Table::view_meta, view(removed_key), number_row(removed));
}

void put_bad(WriteTxn& txn, const LogId& log, std::uint64_t index, std::string_view why) {
  txn.put(Table::bad, numbered_key(log, index), view(why));
}

void erase_bad(WriteTxn& txn, const LogId& log, std::uint64_t index) {
  txn.erase(Table::bad, numbered_key(log, index));
}

std::vector<std::pair<std::uint64_t, std::string>> bad(const ReadTxn& txn, const LogId& log,
                                                       std::uint64_t first, std::size_t limit) {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  auto row = txn.at_or_after(Table::bad, numbered_key(log, first));
  while (found.size() < limit) {
    const auto index = number_in(row, log.view());
    if (!index) break;
    found.emplace_back(*index, std::string(text(row->value)));
    row = txn.at_or_after(Table::bad, successor(row->key));
  }
  return found;
}

}  // namespace kith::storage::views
