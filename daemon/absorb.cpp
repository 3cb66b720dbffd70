// From durable leaves to verified records: judged in the pool, some batches at once, and absorbed
// here in the order of the log.
#include <bit>

#include "daemon/describe.hpp"
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::daemon {

using limits::mi;

namespace {

constexpr std::size_t judge_entries_max = 128;
constexpr std::size_t judge_bytes_max = mi;
/// In the pool at once, of all logs: enough that no thread waits for the next.
constexpr std::size_t batches_max = 8;

/// So many entries of a log that count for nothing are named one by one.
constexpr std::uint64_t bad_said_each = 32;

/// Whether a later entry can be judged without this one.
bool may_be_skipped(LeafClass leaf_class) { return leaf_class == LeafClass::record; }

/// What a record says is for the views alone: it need not come back from the pool.
void keep_only_what_is_absorbed(Judged& judged) {
  if (judged.leaf_class != LeafClass::record) return;
  judged.text = Bytes();
  judged.parsed = PayloadText();
  if (judged.record) judged.record->body = Bytes();
}

}  // namespace

/// Entries of one log on their way through the pool; absorbed in the order of the log.
struct JudgeBatch {
  struct Item {
    std::uint64_t index = 0;
    LeafClass leaf_class = LeafClass::record;
    std::size_t payload_bytes = 0;  // In `payloads`, one behind the other.
    bool signature_known = false;
  };
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  bool late = false;     // Gaps that were filled: they lie behind what was judged.
  bool shown = false;    // Goes into the views with being absorbed: nothing waits before it.
  std::size_t keys = 0;  // Space keys at hand when it began.
  bool done = false;
  std::vector<Item> items;
  Bytes payloads;
  std::vector<std::uint64_t> missing;  // Passed over: judged when their payloads come.
  std::vector<Judged> judged;
  std::vector<std::optional<storage::RecordRow>> rows;  // One for each judged, if it is shown.

  void add(std::uint64_t index, LeafClass leaf_class, BytesView payload, bool signature_known) {
    items.push_back({index, leaf_class, payload.size(), signature_known});
    append(payloads, payload);
  }
};

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
  if (state.setting_back) return;
  for (;;) {
    if (judging >= batches_max) {
      if (std::ranges::find(to_judge, id) == to_judge.end()) to_judge.push_back(id);
      return;
    }
    const auto batch = next_batch(id, state);
    if (!batch) {
      // This may be how it is found that one is missing.
      if (id == own_log) answer_judged();
      return end_asking_if_answered();
    }
    state.batches.push_back(batch);
    ++judging;
    ++jobs;
    host.compute_later(
        [batch, context = context_of(id)] {
          thread_local BatchVerifier verifier;
          BytesView rest = batch->payloads;
          batch->judged.reserve(batch->items.size());
          for (const JudgeBatch::Item& item : batch->items) {
            const BytesView payload = rest.first(item.payload_bytes);
            rest = rest.subspan(item.payload_bytes);
            Judged& judged = batch->judged.emplace_back(judge(
                context, item.index, item.leaf_class, payload, item.signature_known, verifier));
            if (batch->shown) batch->rows.push_back(describe(context, item.index, judged));
            keep_only_what_is_absorbed(judged);
          }
          batch->items.clear();
          batch->payloads = Bytes();
        },
        [=, this] {
          --jobs;
          --judging;
          batch->done = true;
          // Others have waited longer, the first in the row longest.
          while (judging < batches_max && !to_judge.empty()) {
            const LogId other = to_judge.front();
            to_judge.pop_front();
            judge_more(other);
          }
          absorb_done(id);
        });
  }
}

bool Replica::Impl::is_held_up(const LogId& id) const {
  const LogState& state = logs.at(id);
  return state.waits_for_payload || state.blocked_with_keys == space_keys.size();
}

void Replica::Impl::answer_judged() {
  const LogState& state = logs.at(own_log);
  // Nobody is left waiting for what others may never give.
  const bool stands_still = is_held_up(own_log) && state.batches.empty();
  while (!when_judged.empty() && (stands_still || when_judged.begin()->first < state.judged)) {
    const bool is_judged = when_judged.begin()->first < state.judged;
    const auto next = std::move(when_judged.begin()->second);
    when_judged.erase(when_judged.begin());
    next(is_judged);
  }
}

std::shared_ptr<JudgeBatch> Replica::Impl::next_batch(const LogId& id, LogState& state) {
  const std::uint64_t begin = state.batches.empty() ? state.judged : state.batches.back()->next;
  // What lies ahead is met in its turn.
  state.late.erase(state.late.lower_bound(begin), state.late.end());
  auto batch = std::make_shared<JudgeBatch>();
  batch->first = batch->next = begin;
  batch->late = !state.late.empty();
  batch->keys = space_keys.size();
  if (batch->late) {
    if (!state.batches.empty()) return nullptr;
    read_late(id, state, *batch);
  } else {
    if (state.blocked_with_keys == space_keys.size()) return nullptr;
    const std::uint64_t last = std::min(state.size, begin + judge_entries_max);
    // What trickles in while others of its log are in the pool gathers into one batch.
    const bool whole = last == begin + judge_entries_max;
    if (last == begin || (!whole && !state.batches.empty())) return nullptr;
    batch->shown = state.batches.empty() && !state.showing && state.shown == begin &&
                   state.late_to_show.empty() && last == state.size && !engine.fetching(id);
    read_next(id, last, *batch);
    state.waits_for_payload = batch->next == begin;
    if (state.waits_for_payload) return nullptr;
  }
  return batch;
}

void Replica::Impl::read_late(const LogId& id, LogState& state, JudgeBatch& batch) {
  const auto txn = host.log().read();
  std::size_t bytes = 0;
  while (!state.late.empty() && batch.items.size() < judge_entries_max && bytes < judge_bytes_max) {
    const std::uint64_t index = *state.late.begin();
    state.late.erase(state.late.begin());
    const auto leaf = storage::log_store::leaf(*txn, id, index);
    const auto payload = storage::log_store::payload(*txn, id, index);
    const auto decoded = leaf ? decode_leaf(text(*leaf)) : fail(Errc::not_found, "");
    if (!decoded || !payload) continue;
    bytes += payload->size();
    batch.add(index, decoded->leaf_class, *payload, false);
  }
}

void Replica::Impl::read_next(const LogId& id, std::uint64_t last, JudgeBatch& batch) {
  const auto txn = host.log().read();
  const auto leaves = storage::log_store::leaves(*txn, id, batch.first, last);
  std::size_t expected = 0;
  for (const Leaf& leaf : leaves) expected += leaf.payload_bytes;
  batch.payloads.reserve(std::min(expected, judge_bytes_max));
  std::size_t bytes = 0;
  storage::log_store::each_payload(
      *txn, id, batch.first, batch.first + leaves.size(),
      [&](std::uint64_t index, std::optional<BytesView> payload) {
        const LeafClass leaf_class = leaves[index - batch.first].leaf_class;
        if (!payload && !may_be_skipped(leaf_class)) return false;
        batch.next = index + 1;
        if (!payload) {
          // Nobody may see it before it was judged, whenever it comes.
          logs.at(id).not_shown.insert(index);
          batch.missing.push_back(index);
          return true;
        }
        bytes += payload->size();
        batch.add(index, leaf_class, *payload, id == own_log && door_checked.erase(index) != 0);
        return bytes < judge_bytes_max;
      });
}

void Replica::Impl::absorb_done(const LogId& id) {
  LogState& state = logs.at(id);
  bool blocked = false;
  while (!blocked && !state.batches.empty() && state.batches.front()->done) {
    const auto batch = state.batches.front();
    state.batches.pop_front();
    const bool sealed = std::ranges::any_of(batch->judged, [](const Judged& judged) {
      return judged.status == Judged::Status::sealed;
    });
    if (sealed && batch->keys != space_keys.size()) {
      // A key came while it was in the pool.
      if (batch->late) {
        for (const Judged& judged : batch->judged) state.late.insert(judged.index);
      }
      state.batches.clear();
      break;
    }
    blocked = !absorb(id, *batch);
    // What was judged behind a block is judged again when that is gone.
    if (blocked) {
      state.batches.clear();
      state.blocked_with_keys = batch->keys;
    }
  }
  govern();
  if (!blocked) judge_more(id);
  show_more(id);
  if (id != own_log) return;
  if (asking) sign_the_mark_again();
  answer_judged();
  look_for_own_certificate();
  enrol_again();
  publish_what_waited();
}

bool Replica::Impl::absorb(const LogId& id, JudgeBatch& batch) {
  LogState& state = logs.at(id);
  struct Kept {
    std::vector<std::pair<std::uint64_t, Bytes>> texts;
    std::vector<std::pair<std::uint64_t, std::string>> bad;
    std::vector<storage::RecordRow> rows;
  };
  auto kept = std::make_shared<Kept>();
  bool blocked = false;
  for (std::size_t i = 0; i < batch.judged.size(); ++i) {
    Judged& judged = batch.judged[i];
    if (judged.status == Judged::Status::sealed && !may_be_skipped(judged.leaf_class)) {
      // Governance that no key here opens: nothing after it can be judged before a key comes.
      batch.next = judged.index;
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
      say_bad(state, judged);
      kept->bad.emplace_back(judged.index, judged.why);
      if (judged.index >= state.shown) state.not_shown.insert(judged.index);
      door_ids.erase(judged.id);
      continue;
    }
    const auto taken = take(state, judged);
    if (!taken) {
      judged.why = taken.error().detail;
      say_bad(state, judged);
    }
    if (id == own_log && enrolling && enrolling->index == judged.index) {
      enrolling->counted = taken.has_value();
    }
    if (judged.leaf_class != LeafClass::record) {
      kept->texts.emplace_back(judged.index, judged.text);
      door_ids.erase(judged.id);
    }
    if (batch.late) {
      state.late_to_show.insert(judged.index);
    } else {
      state.not_shown.erase(judged.index);
    }
    if (batch.shown && batch.rows[i]) kept->rows.push_back(std::move(*batch.rows[i]));
  }
  for (const std::uint64_t index : batch.missing) {
    if (index < batch.next) kept->bad.emplace_back(index, storage::views::missing_text);
  }
  if (!batch.late) {
    state.judged = std::max(state.judged, batch.next);
    governance[state.member].complete = state.judged;
    if (batch.shown) shown_up_to(state, state.judged);
  }
  if (batch.late && kept->texts.empty() && kept->bad.empty()) return !blocked;
  ++jobs;
  host.write_views(
      [=, judged = state.judged, shown = batch.shown](storage::WriteTxn& txn) {
        for (const auto& [index, text] : kept->texts) {
          storage::views::put_text(txn, id, index, text);
        }
        for (const auto& [index, why] : kept->bad) storage::views::put_bad(txn, id, index, why);
        storage::views::set_judged(txn, id, judged);
        for (const auto& row : kept->rows) storage::views::put_record(txn, row);
        if (shown) storage::views::set_shown(txn, id, judged);
      },
      [this, kept] {
        --jobs;
        rows_written(kept->rows);
      });
  return !blocked;
}

void Replica::Impl::say_bad(const LogState& state, const Judged& judged) {
  // Who logs nonsense by the thousand fills his own log, not ours: then every doubling is said.
  if (state.bad > bad_said_each && !std::has_single_bit(state.bad)) return;
  host.log_line("entry " + std::to_string(judged.index) + " of " + code_of(state.member) +
                " counts for nothing: " + judged.why +
                (state.bad > bad_said_each
                     ? " (and so do " + std::to_string(state.bad - 1) + " others of its log)"
                     : ""));
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
  static_cast<void>(take(state, judged));  // What is void was said when it came.
}

Result<bool> Replica::Impl::take(LogState& state, const Judged& judged) {
  if (judged.leaf_class != LeafClass::record) ++state.texts;
  if (const auto* certificate = std::get_if<CertificateText>(&judged.parsed)) {
    if (judged.index == 1) state.first_certificate = certificate->statement;
    auto added = state.keys.add_certificate(judged.index, certificate->statement);
    if (!added) ++state.bad;
    if (!added && added.error().code == Errc::conflict) {
      compare_certificates(state.member, certificate->statement);
    }
    if (added) certificate_replaced(state.member);
    return added;
  }
  if (const auto* list = std::get_if<CutListText>(&judged.parsed)) {
    const auto cut = state.keys.cut_without_list();
    const LogId log = commons_log(state.member);
    const TreeHash root = cut ? known_root(log, *cut).value_or(TreeHash()) : TreeHash();
    auto added = state.keys.add_cut_list(judged.index, list->list, log, root);
    if (!added) ++state.bad;
    return added;
  }
  if (const auto* enrolment = std::get_if<EnrolmentText>(&judged.parsed)) {
    auto added = state.keys.add_enrolment(judged.index, enrolment->statement);
    if (!added) ++state.bad;
    return added;
  }
  take_record(state, judged);
  return true;
}

void Replica::Impl::take_record(LogState& state, const Judged& judged) {
  const Record& record = *judged.record;
  if (record.kind == "founding") {
    state.founding_text = judged.text;
    return;
  }
  if (record.kind == "keygrant") return take_grant(state, judged.index, record);
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

void Replica::Impl::take_grant(LogState& state, std::uint64_t index, const Record& record) {
  const auto grant = decode_key_grant(record.body);
  if (!grant || grant->space != commons) return;
  // Its keys are not taken: JoinGranted gave the one pair there is, and a member that grants
  // another would make whoever takes it unreadable for all others (PROTOCOL, "Differences").
  state.grants.insert({grant->basis, grant->key_id_g});
  // The one that founded the network with its keys; no later one can make them false.
  constexpr std::uint64_t founding_index = 2;
  if (state.member != me.founder || index != founding_index || space_keys.empty()) return;
  // Who read others with false keys would take all of them for liars, and could be read by nobody.
  const SpaceKeys& keys = space_keys.front();
  has_false_keys = space_key_id(me.network, commons, 'g', keys.g) != grant->key_id_g ||
                   space_key_id(me.network, commons, 'r', keys.r) != grant->key_id_r;
  if (has_false_keys) host.log_line(false_keys_text);
}

}  // namespace kith::daemon
