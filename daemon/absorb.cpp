// From durable leaves to verified records: judged in the pool, absorbed here in the order of the
// log.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::daemon {
namespace {

constexpr std::size_t judge_entries_max = 128;
constexpr std::size_t judge_bytes_max = 4 * limits::mi;

struct Item {
  std::uint64_t index = 0;
  LeafClass leaf_class = LeafClass::record;
  Bytes payload;
  bool signature_known = false;
};

/// Whether a later entry can be judged without this one.
bool may_be_skipped(LeafClass leaf_class) { return leaf_class == LeafClass::record; }

}  // namespace

JudgeContext Replica::Impl::context_of(const LogId& id) const {
  JudgeContext context{me.network, id, logs.at(id).member, {}, {}, options.check_signatures};
  for (const SpaceKeys& keys : space_keys) {
    context.g_keys.push_back(kith::log_key(keys.g, id));
    context.r_keys.push_back(kith::log_key(keys.r, id));
  }
  return context;
}

void Replica::Impl::judge_more(const LogId& id) {
  LogState& state = logs.at(id);
  if (state.judging) return;
  // What lies ahead is met in its turn.
  state.late.erase(state.late.lower_bound(state.judged), state.late.end());
  auto items = std::make_shared<std::vector<Item>>();
  const bool late = !state.late.empty();
  std::uint64_t next = state.judged;
  const auto txn = host.log().read();
  std::size_t bytes = 0;

  if (late) {
    while (!state.late.empty() && items->size() < judge_entries_max && bytes < judge_bytes_max) {
      const std::uint64_t index = *state.late.begin();
      state.late.erase(state.late.begin());
      const auto leaf = storage::log_store::leaf(*txn, id, index);
      auto payload = storage::log_store::payload(*txn, id, index);
      const auto decoded = leaf ? decode_leaf(text(*leaf)) : fail(Errc::not_found, "");
      if (!decoded || !payload) continue;
      bytes += payload->size();
      items->push_back({index, decoded->leaf_class, std::move(*payload), false});
    }
  } else {
    const std::uint64_t last = std::min(state.size, state.judged + judge_entries_max);
    if (last <= state.judged) return;
    const Bytes bundle = storage::log_store::bundle(*txn, id, state.judged, last);
    const auto leaves = split_bundle(bundle, judge_entries_max);
    storage::log_store::each_payload(
        *txn, id, state.judged, last, [&](std::uint64_t index, std::optional<BytesView> payload) {
          const auto leaf = decode_leaf(text((*leaves)[index - state.judged]));
          if (!payload && !may_be_skipped(leaf->leaf_class)) return false;
          next = index + 1;
          if (!payload) return true;  // A gap: judged when it is filled.
          bytes += payload->size();
          items->push_back({index, leaf->leaf_class, to_bytes(*payload),
                            id == own_log && door_checked.erase(index) != 0});
          return bytes < judge_bytes_max;
        });
    if (next == state.judged) return;
  }

  state.judging = true;
  ++jobs;
  auto judged = std::make_shared<std::vector<Judged>>();
  host.compute(
      [items, judged, context = context_of(id)] {
        thread_local BatchVerifier verifier;
        judged->reserve(items->size());
        for (const Item& item : *items) {
          judged->push_back(judge(context, item.index, item.leaf_class, item.payload,
                                  item.signature_known, verifier));
        }
      },
      [=, this] {
        --jobs;
        absorb(id, std::move(*judged), next, late);
      });
}

void Replica::Impl::absorb(const LogId& id, std::vector<Judged> batch, std::uint64_t next,
                           bool late) {
  LogState& state = logs.at(id);
  state.judging = false;
  struct Kept {
    std::vector<std::pair<std::uint64_t, Bytes>> texts;
    std::vector<storage::RecordRow> rows;
    std::vector<std::pair<std::uint64_t, std::string>> bad;
    std::vector<RecordId> ids;
  };
  auto kept = std::make_shared<Kept>();
  bool blocked = false;
  for (Judged& judged : batch) {
    if (judged.status == Judged::Status::sealed && !may_be_skipped(judged.leaf_class)) {
      // Governance that no key here opens: nothing after it can be judged before a key comes.
      next = judged.index;
      blocked = true;
      break;
    }
    if (judged.status == Judged::Status::good) {
      const auto right = admissible(state.keys, state.member, judged);
      if (!right) {
        judged.status = Judged::Status::bad;
        judged.why = right.error().detail;
      }
    }
    if (judged.status != Judged::Status::good) {
      ++state.bad;
      host.log_line("entry " + std::to_string(judged.index) + " of " + code_of(state.member) +
                    " counts for nothing: " + judged.why);
      kept->bad.emplace_back(judged.index, judged.why);
      continue;
    }
    take(state, judged);
    if (id == own_log && judged.record) kept->ids.push_back(judged.id);
    if (judged.leaf_class != LeafClass::record) kept->texts.emplace_back(judged.index, judged.text);
    if (!judged.record || !is_shown(judged)) continue;
    const Record& record = *judged.record;
    storage::RecordRow row{judged.id,
                           id,
                           judged.index,
                           state.member,
                           record.kind,
                           record.author,
                           record.time,
                           {},
                           record.body.size(),
                           {},
                           0};
    describe_body(record, row);
    kept->rows.push_back(std::move(row));
  }
  if (!late) {
    state.judged = std::max(state.judged, next);
    governance[state.member].complete = state.judged;
  }
  ++jobs;
  host.write_views(
      [=](storage::WriteTxn& txn) {
        for (const auto& [index, text] : kept->texts)
          storage::views::put_text(txn, id, index, text);
        for (const auto& row : kept->rows) storage::views::put_record(txn, row);
        for (const auto& [index, why] : kept->bad) storage::views::put_bad(txn, id, index, why);
        if (!late) storage::views::set_cursor(txn, id, next);
      },
      [this, kept] {
        --jobs;
        for (const RecordId& done : kept->ids) door_ids.erase(done);
        notify_watchers();
      });
  govern();
  if (!blocked) judge_more(id);
}

bool Replica::Impl::is_shown(const Judged& judged) {
  const KindSpec* kind = find_kind(judged.record->kind);
  return kind == nullptr || kind->is_document;
}

void Replica::Impl::describe_body(const Record& record, storage::RecordRow& row) {
  const KindSpec* kind = find_kind(record.kind);
  if (kind == nullptr) {
    row.title = "(of a kind this version does not know)";
    return;
  }
  const Parsed parsed = parse_document(text(record.body));
  row.title = one_line(parsed.document.title, 200);
  if (const Field* to = parsed.document.find("to"); to != nullptr && !to->values.empty()) {
    const auto bytes = from_base32(to->values.front());
    if (bytes && bytes->size() == RecordId::size) row.to = RecordId::from(*bytes);
  }
}

void Replica::Impl::replay_text(LogState& state, std::uint64_t index, BytesView bytes) {
  // Verified before it was kept: parsed again, not checked again.
  Judged judged;
  judged.index = index;
  judged.leaf_class = LeafClass::governance;
  judged.status = Judged::Status::good;
  auto parsed = decode_text(bytes);
  if (!parsed) return;
  judged.parsed = std::move(*parsed);
  judged.text = to_bytes(bytes);
  if (const auto* signed_record = std::get_if<SignedRecord>(&judged.parsed)) {
    auto record = decode_record(signed_record->record);
    if (!record) return;
    judged.id = record_id(signed_record->record);
    judged.record = std::move(*record);
  }
  take(state, judged);
}

void Replica::Impl::take(LogState& state, const Judged& judged) {
  if (judged.leaf_class != LeafClass::record) ++state.texts;
  if (const auto* certificate = std::get_if<CertificateText>(&judged.parsed)) {
    if (!state.keys.add_certificate(judged.index, certificate->statement)) ++state.bad;
    if (judged.index == 1) state.first_certificate = certificate->statement;
    return;
  }
  if (const auto* enrolment = std::get_if<EnrolmentText>(&judged.parsed)) {
    if (!state.keys.add_enrolment(judged.index, enrolment->statement)) ++state.bad;
    return;
  }
  take_record(state, judged);
}

void Replica::Impl::take_record(LogState& state, const Judged& judged) {
  const Record& record = *judged.record;
  if (record.kind == "founding") {
    state.founding_text = judged.text;
    return;
  }
  if (record.kind == "keygrant") return take_grant(state, record);
  const KindSpec* kind = find_kind(record.kind);
  if (kind == nullptr || kind->is_document) return;
  // In one log the first valid leaf counts for a record id.
  if (!state.governance_ids.insert(judged.id).second) return;
  if (record.kind == "profile") {
    if (const auto profile = decode_profile(record.body)) state.profile = *profile;
    host.wake_dialer();
    return;
  }
  GovernanceEntry entry{judged.index, judged.id, Seen{}};
  if (record.kind == "proposal") {
    const auto proposal = decode_proposal(record.body);
    if (!proposal) return;
    entry.said = *proposal;
  } else if (record.kind == "consent") {
    const auto consent = decode_consent(record.body);
    if (!consent) return;
    entry.said = *consent;
  } else if (record.kind == "seen") {
    const auto seen = decode_seen(record.body);
    if (!seen) return;
    entry.said = *seen;
  } else {
    return;
  }
  governance[state.member].entries.push_back(std::move(entry));
}

void Replica::Impl::take_grant(LogState& state, const Record& record) {
  const auto grant = decode_key_grant(record.body);
  if (!grant || grant->space != commons) return;
  state.grants.insert({grant->basis, grant->key_id_g});
  const auto keys = open_key_grant(*grant, me.network, me.sealing_key);
  if (keys) add_space_keys(*keys);
}

}  // namespace kith::daemon
