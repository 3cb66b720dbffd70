// What our own log gives up where it is set back: what this member's people said there waits, and
// is said again behind the certificate that cut it.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/records/kind_table.hpp"
#include "storage/packing.hpp"

namespace kith::daemon {
namespace {

/// Of one row: at most so many bytes behind the first record.
constexpr std::size_t row_bytes_max = limits::mi;

/// The number behind the last row that begins with the prefix.
std::uint64_t next_number(const storage::ReadTxn& txn, const Bytes& prefix) {
  Bytes end = prefix;
  append_integer(end, ~std::uint64_t{0});
  const auto last = txn.before(storage::Table::waiting, end);
  if (!last || !storage::begins_with(last->key, prefix) ||
      last->key.size() != prefix.size() + sizeof(std::uint64_t)) {
    return 1;
  }
  return read_integer<std::uint64_t>(last->key.subspan(prefix.size())) + 1;
}

bool is_by_people(const Record& record) {
  const KindSpec* kind = find_kind(record.kind);
  return kind != nullptr && (kind->is_document || kind->needs_speak);
}

/// Collects what is published again, a row at a time.
class Kept {
 public:
  explicit Kept(storage::WriteTxn& txn)
      : txn_(txn), number_(next_number(txn, waiting_publish_prefix())) {}

  void add(Bytes text) {
    if (!texts_.empty() && bytes_ + text.size() > row_bytes_max) write();
    bytes_ += text.size();
    texts_.push_back(std::move(text));
    if (texts_.size() == limits::tile_hashes) write();
  }
  void write() {
    if (texts_.empty()) return;
    txn_.put(storage::Table::waiting, waiting_publish_key(number_),
             encode_waiting_publish(number_, texts_));
    ++number_;
    bytes_ = 0;
    texts_.clear();
  }

 private:
  storage::WriteTxn& txn_;
  std::uint64_t number_;
  std::vector<Bytes> texts_;
  std::size_t bytes_ = 0;
};

}  // namespace

void Replica::Impl::keep_given_up(storage::WriteTxn& txn, const JudgeContext& context,
                                  const KeyHistory& keys, std::uint64_t from) {
  const auto head = storage::log_store::head(txn, context.log);
  if (!head || head->size() <= from) return;
  std::uint64_t number = next_number(txn, waiting_enrolment_prefix());
  for (const auto& entry : keys.statements()) {
    if (entry.is_certificate || entry.index < from) continue;
    txn.put(storage::Table::waiting, waiting_enrolment_key(number),
            encode_waiting_enrolment(number, entry.statement));
    ++number;
  }
  Kept kept(txn);
  BatchVerifier verifier;
  for (std::uint64_t index = from; index < head->size(); ++index) {
    const auto leaf = storage::log_store::leaf(txn, context.log, index);
    const auto payload = storage::log_store::payload(txn, context.log, index);
    const auto decoded = leaf ? decode_leaf(text(*leaf)) : fail(Errc::not_found, "a leaf");
    if (!decoded || !payload) continue;
    Judged judged = judge(context, index, decoded->leaf_class, *payload, false, verifier);
    const bool is_good = judged.status == Judged::Status::good && judged.record &&
                         is_by_people(*judged.record) &&
                         admissible(keys, context.member, judged).has_value();
    if (is_good) kept.add(std::move(judged.text));
  }
  kept.write();
}

void Replica::Impl::look_for_given_up(const storage::ReadTxn& txn) {
  const Bytes prefix = waiting_enrolment_prefix();
  const auto row = txn.at_or_after(storage::Table::waiting, prefix);
  enrols_again = row && storage::begins_with(row->key, prefix);
}

void Replica::Impl::enrol_again() {
  const LogState& own = logs.at(own_log);
  if (!enrols_again || enrolling_again || why_not_append() || is_held_up(own_log)) return;
  if (own.judged < own.size) return;
  const auto txn = host.log().read();
  const Bytes prefix = waiting_enrolment_prefix();
  look_for_given_up(*txn);
  if (!enrols_again) return;
  const auto row = txn->at_or_after(storage::Table::waiting, prefix);
  enrolling_again = true;
  const auto forget = [this, key = to_bytes(row->key)] {
    write([=](storage::WriteTxn& to,
              storage::HighWaterMarks&) { to.erase(storage::Table::waiting, key); },
          [this](const std::optional<Error>&) {
            enrolling_again = false;
            enrol_again();
          });
  };
  const auto statement = decode_waiting_enrolment(row->key, row->value);
  // Tried on a copy: it may have been entered before the end that came in between.
  KeyHistory trial = own.keys;
  const bool fits = statement && trial.add_enrolment(own.size, *statement);
  if (!fits) {
    const bool is_there =
        statement && std::ranges::any_of(own.keys.statements(), [&](const auto& entry) {
          return entry.statement == *statement;
        });
    if (!is_there) {
      host.log_line(
          "an enrolment that was given up with the cut cannot be entered again: let the "
          "steward look at kith author list");
    }
    return forget();
  }
  append_own({{LeafClass::clear, encode_text(EnrolmentText{*statement})}},
             [=, this](const Result<Appended>& done) {
               if (done) return forget();
               enrolling_again = false;
             });
}

}  // namespace kith::daemon
