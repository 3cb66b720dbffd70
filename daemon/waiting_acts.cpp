// What is published while nothing may be signed: kept durably, and published when signing goes on.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "storage/packing.hpp"

namespace kith::daemon {
namespace {

std::optional<RecordId> id_of(const Bytes& bytes) {
  const auto parsed = decode_text(bytes);
  const auto* record = parsed ? std::get_if<SignedRecord>(&*parsed) : nullptr;
  if (record == nullptr) return std::nullopt;
  return record_id(record->record);
}

}  // namespace

void Replica::Impl::keep_waiting(const std::vector<Bytes>& texts, std::vector<RecordId> ids,
                                 const std::string& why,
                                 const std::function<void(local::Answer)>& answer) {
  const std::uint64_t number = waiting_acts.empty() ? 1 : waiting_acts.rbegin()->first + 1;
  Bytes row = encode_waiting_publish(number, texts);
  std::size_t bytes = row.size();
  for (const auto& [_, other] : waiting_acts) bytes += other.bytes;
  if (waiting_acts.size() >= limits::waiting_acts_max || bytes > limits::waiting_bytes_max) {
    return answer(
        local::Refusal{Errc::unavailable, why + "; no more is kept until then: try again later"});
  }
  WaitingAct& act = waiting_acts[number];
  act.ids = ids;
  act.bytes = row.size();
  door_ids.insert(ids.begin(), ids.end());
  write([key = waiting_publish_key(number), row = std::move(row)](
            storage::WriteTxn& txn,
            storage::HighWaterMarks&) { txn.put(storage::Table::waiting, key, row); },
        [=, this](const std::optional<Error>& failure) {
          if (failure) {
            for (const RecordId& id : ids) door_ids.erase(id);
            waiting_acts.erase(number);
            return answer(local::Refusal{failure->code, failure->detail});
          }
          waiting_acts.at(number).durable = true;
          local::PublishAnswer out;
          out.waiting = why;
          for (const RecordId& id : ids) out.records.push_back({id, 0});
          answer(std::move(out));
        });
}

void Replica::Impl::load_waiting(const storage::ReadTxn& txn) {
  const Bytes prefix = waiting_publish_prefix();
  auto row = txn.at_or_after(storage::Table::waiting, prefix);
  for (; row && storage::begins_with(row->key, prefix);
       row = txn.at_or_after(storage::Table::waiting, storage::successor(row->key))) {
    const auto kept = decode_waiting_publish(row->key, row->value);
    if (!kept) {
      host.log_line("what waited to be published is damaged and is passed over");
      continue;
    }
    const auto [entry, is_new] = waiting_acts.try_emplace(kept->number);
    if (!is_new) continue;
    WaitingAct& act = entry->second;
    act.bytes = row->value.size();
    act.durable = true;
    for (const Bytes& bytes : kept->texts) {
      if (const auto id = id_of(bytes)) act.ids.push_back(*id);
    }
    door_ids.insert(act.ids.begin(), act.ids.end());
  }
}

void Replica::Impl::publish_what_waited() {
  // Whoever published may have been enrolled by what is entered again first.
  if (publishing_waiting || waiting_acts.empty() || enrols_again || why_not_append()) return;
  // Only where all of our own log was judged is it known who may publish, and what is there.
  const LogState& own = logs.at(own_log);
  if (own.judged < own.size || is_held_up(own_log)) return;
  const auto next = std::ranges::find_if(
      waiting_acts, [](const auto& act) { return act.second.durable && !act.second.refused; });
  if (next == waiting_acts.end()) return;
  const std::uint64_t number = next->first;
  const Bytes key = waiting_publish_key(number);
  const auto txn = host.log().read();
  const auto row = txn->get(storage::Table::waiting, key);
  auto kept = row ? decode_waiting_publish(key, *row) : std::nullopt;
  if (!kept) {
    host.log_line("what waited to be published is damaged and is passed over");
    waiting_acts.erase(number);
    return;
  }
  WaitingAct& act = next->second;
  std::vector<Bytes> left = what_is_left(act, std::move(kept->texts));
  if (left.empty()) {
    if (act.cannot.empty()) return forget_waiting(number);
    act.refused = true;
    return;
  }
  publishing_waiting = true;
  for (const RecordId& id : act.ids) door_ids.erase(id);
  const auto first = id_of(left.front());
  const bool is_one = left.size() == 1;
  publish({std::move(left)}, [=, this](const local::Answer& said) {
    if (std::holds_alternative<local::Progress>(said)) return;
    publishing_waiting = false;
    WaitingAct& waited = waiting_acts.at(number);
    const auto* refused = std::get_if<local::Refusal>(&said);
    if (refused == nullptr) {
      if (!waited.one_by_one) forget_waiting(number);
      return;
    }
    door_ids.insert(waited.ids.begin(), waited.ids.end());
    if (refused->code == Errc::unavailable || logs.at(own_log).frozen) return;
    // What was given up may be of several acts: one that cannot be let in must not keep the rest.
    if (!is_one) {
      waited.one_by_one = true;
      return publish_what_waited();
    }
    if (refused->code == Errc::conflict) return;  // It is on its way in already.
    waited.cannot.insert(*first);
    host.log_line("what waited cannot be published: " + refused->said);
    publish_what_waited();
  });
}

std::vector<Bytes> Replica::Impl::what_is_left(const WaitingAct& act,
                                               std::vector<Bytes> texts) const {
  const auto txn = host.views().read();
  const auto& governed = logs.at(own_log).governance_ids;
  std::set<RecordId> seen = act.cannot;
  std::vector<Bytes> left;
  for (Bytes& bytes : texts) {
    const auto id = id_of(bytes);
    if (!id || !seen.insert(*id).second || governed.contains(*id) ||
        storage::views::record(*txn, *id)) {
      continue;
    }
    left.push_back(std::move(bytes));
    if (act.one_by_one) break;
  }
  return left;
}

void Replica::Impl::forget_waiting(std::uint64_t number) {
  waiting_acts.erase(number);
  write(
      [key = waiting_publish_key(number)](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        txn.erase(storage::Table::waiting, key);
      },
      [this](const std::optional<Error>&) { publish_what_waited(); });
}

}  // namespace kith::daemon
