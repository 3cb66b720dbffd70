// Our own log: one door for what people publish and for what this daemon says itself.
#include <algorithm>
#include <set>

#include "daemon/replica_impl.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/disclosure_consent.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::daemon {
namespace {

/// Above so many records a client that waits is told how far it is.
constexpr std::size_t large_publish = 500;

}  // namespace

std::optional<Error> Replica::Impl::why_not_append() const {
  if (const auto own = logs.find(own_log); own != logs.end() && own->second.frozen) {
    return fail(Errc::conflict,
                "two conflicting histories of our own log are known: nothing more is signed; find "
                "out whether a key was stolen or a backup restored, and use kithd cut");
  }
  if (to_set_back.contains(own_log) || (logs.contains(own_log) && logs.at(own_log).setting_back)) {
    return fail(Errc::unavailable, "this member's log is being cut: try again in a moment");
  }
  if (const auto why = why_not_sign()) return fail(Errc::unavailable, *why);
  if (!own_range) return fail(Errc::unavailable, "this daemon has no log yet");
  if (is_outdated()) return fail(Errc::unavailable, outdated_text);
  if (certificate_due) {
    return fail(Errc::unavailable,
                "the new certificate is not in this member's log yet: try again in a moment");
  }
  if (has_false_keys) return fail(Errc::unavailable, false_keys_text);
  if (space_keys.empty()) {
    return fail(Errc::unavailable,
                "this daemon is not a member yet: publishing begins once it is admitted");
  }
  return std::nullopt;
}

void Replica::Impl::append_own(const std::vector<Draft>& drafts, AppendDone done) {
  (void)has_resumed();
  if (const auto why = why_not_append()) return done(*why);
  append_drafts(drafts, host.now(), std::move(done));
}

void Replica::Impl::append_drafts(const std::vector<Draft>& drafts, Millis time, AppendDone done) {
  SpaceKeys log_keys;
  if (!space_keys.empty()) {
    log_keys = {kith::log_key(space_keys.front().g, own_log),
                kith::log_key(space_keys.front().r, own_log)};
  }

  struct Made {
    std::string leaf;
    Bytes payload;
  };
  auto made = std::make_shared<std::vector<Made>>();
  for (const Draft& draft : drafts) {
    Bytes payload = draft.text;
    if (draft.leaf_class != LeafClass::clear) {
      Nonce24 nonce;
      host.random(nonce.bytes);
      KITH_CHECK(!space_keys.empty());
      const bool governs = draft.leaf_class == LeafClass::governance;
      auto sealed = seal_payload(governs ? log_keys.g : log_keys.r, own_log, nonce, draft.text);
      if (!sealed) return done(sealed.error());
      payload = std::move(*sealed);
    }
    if (payload.size() > limits::payload_bytes_max) {
      return done(fail(Errc::too_large, "one entry would exceed 1 MiB"));
    }
    std::string leaf = encode_leaf(make_leaf(draft.leaf_class, time, payload));
    made->push_back({std::move(leaf), std::move(payload)});
  }

  struct Outcome {
    std::optional<storage::LogHead> head;
    std::uint64_t first = 0;
    std::string why;
  };
  auto outcome = std::make_shared<Outcome>();
  auto work = [=, log = own_log](storage::WriteTxn& txn, storage::HighWaterMarks& to_sign) {
    const auto before = storage::log_store::head(txn, log);
    KITH_CHECK(before.has_value());
    outcome->first = before->size();
    std::vector<storage::NewEntry> entries;
    entries.reserve(made->size());
    for (const Made& one : *made) entries.push_back({view(one.leaf), BytesView(one.payload)});
    const auto head = storage::log_store::append(txn, log, outcome->first, entries);
    if (!head) {
      outcome->why = head.error().detail;
      return;
    }
    outcome->head = *head;
    to_sign[log] = {head->size(), head->range.root()};
  };
  write(std::move(work), [=, this](const std::optional<Error>& failure) {
    if (failure) return done(*failure);
    if (!outcome->head) return done(fail(Errc::conflict, outcome->why));
    if (!own_range || own_range->size() < outcome->head->size()) own_range = outcome->head->range;
    own_replies.push_back({{outcome->first, 0, {}}, done});
    if (flush_pending) return;
    // One signature for all appends of one commit: their `done`s are due before this.
    flush_pending = true;
    host.post([this] { flush_own(); });
  });
}

void Replica::Impl::flush_own() {
  flush_pending = false;
  LogState& state = logs.at(own_log);
  const std::uint64_t previous = state.checkpoint.size;
  const std::uint64_t size = own_range->size();
  if (has_resumed() || why_not_sign() || state.frozen) {
    const Error why = why_not_append().value_or(fail(Errc::unavailable, "nothing is signed now"));
    for (OwnReply& reply : std::exchange(own_replies, {})) reply.done(why);
    return;
  }
  if (size <= previous) return;
  const TreeHash root = own_range->root();
  state.checkpoint = {size, root, sign_checkpoint(own_log, size, root, log_key)};
  state.size = size;
  if (engine.follows(own_log)) {
    step(sync::EntriesStored{own_log, *own_range, {}, sync::EntriesStored::Outcome::stored, 0});
    step(sync::CheckpointKept{own_log, {size, root, state.checkpoint.note}, previous});
  }
  recompute_agreed(own_log);
  for (OwnReply& reply : std::exchange(own_replies, {})) {
    reply.appended.size = size;
    reply.appended.note = state.checkpoint.note;
    reply.done(reply.appended);
  }
  judge_more(own_log);
}

/// One act of publishing on its way in.
struct Replica::Impl::Door {
  /// Form and author signature of everything. Pure: for the pool.
  void check(const std::vector<Bytes>& texts, const NetworkId& network, const LogId& log,
             bool check_signatures);

  std::vector<Draft> drafts;
  std::vector<PublicKey> authors;
  std::vector<Scope> scopes;
  std::vector<RecordId> ids;
  std::optional<Error> refused;
  std::shared_ptr<std::atomic<std::uint64_t>> checked =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

void Replica::Impl::Door::check(const std::vector<Bytes>& texts, const NetworkId& network,
                                const LogId& log, bool check_signatures) {
  thread_local BatchVerifier verifier;
  std::set<RecordId> seen;
  for (const Bytes& bytes : texts) {
    const auto parsed = decode_text(bytes);
    const auto* signed_record = parsed ? std::get_if<SignedRecord>(&*parsed) : nullptr;
    if (signed_record == nullptr) {
      refused = parsed ? fail(Errc::malformed, "only records are published") : parsed.error();
      return;
    }
    const auto verified = check_signatures ? verifier.verify(*signed_record, network, log)
                                           : read_unverified(*signed_record);
    if (!verified) {
      refused = verified.error();
      return;
    }
    const Record& record = verified->record;
    const KindSpec* kind = find_kind(record.kind);
    const bool by_people = kind != nullptr && (kind->is_document || kind->needs_speak);
    if (!by_people) {
      refused = fail(Errc::forbidden, "people do not publish records of kind " + record.kind);
      return;
    }
    if (kind->is_document) {
      const Parsed document = parse_document(text(record.body));
      if (!document.complaints.empty()) {
        refused = fail(Errc::malformed, describe("document", document.complaints));
        return;
      }
      if (document.document.kind != record.kind) {
        refused = fail(Errc::malformed, "the document is of another kind than its record");
        return;
      }
    }
    if (kind->name == disclosure_consent_kind) {
      const auto consent = read_disclosure_consent(text(record.body));
      if (!consent) {
        refused = consent.error();
        return;
      }
    }
    drafts.push_back({kind->leaf_class, bytes});
    authors.push_back(record.author);
    scopes.push_back(kind->needs_speak ? Scope::speak : Scope::publish);
    ids.push_back(verified->id);
    if (!seen.insert(ids.back()).second) {
      refused = fail(Errc::conflict, "the same record twice in one act of publishing");
      return;
    }
    ++*checked;
  }
}

std::optional<RecordId> Replica::Impl::first_known(const std::vector<RecordId>& ids) const {
  const auto txn = host.views().read();
  const auto& governed = logs.at(own_log).governance_ids;
  const auto known = std::ranges::find_if(ids, [&](const RecordId& id) {
    if (door_ids.contains(id) || governed.contains(id)) return true;
    return storage::views::record(*txn, id).has_value();
  });
  if (known == ids.end()) return std::nullopt;
  return *known;
}

void Replica::Impl::publish(local::PublishRequest request,
                            std::function<void(local::Answer)> answer) {
  (void)has_resumed();
  const LogState& own = logs.at(own_log);
  const bool may_wait = why_not_sign().has_value() && !own.frozen && !own.setting_back &&
                        !to_set_back.contains(own_log);
  const auto why = may_wait ? std::nullopt : why_not_append();
  if (why) return answer(local::Refusal{why->code, why->detail});
  if (!fold || !fold->state().members.contains(me.member)) {
    return answer(local::Refusal{Errc::unavailable, "this daemon is not a member yet"});
  }
  if (request.texts.empty() || request.texts.size() > limits::batch_records_max) {
    return answer(local::Refusal{Errc::usage, "one act of publishing holds 1 to 65,536 records"});
  }
  auto door = std::make_shared<Door>();
  auto large = publishing.end();
  if (request.texts.size() > large_publish) {
    large = publishing.insert(large, {door->checked, request.texts.size(), false, answer});
    answer = [=, this, told = std::move(answer)](local::Answer said) {
      publishing.erase(large);
      told(std::move(said));
    };
  }
  auto texts = std::make_shared<std::vector<Bytes>>(std::move(request.texts));
  ++jobs;
  host.compute([=, network = me.network, log = own_log,
                check = options.check_signatures] { door->check(*texts, network, log, check); },
               [=, this] {
                 --jobs;
                 if (door->refused) {
                   return answer(local::Refusal{door->refused->code, door->refused->detail});
                 }
                 when_authors_are_known([=, this] { log_checked(door, large, answer, *texts); });
               });
}

std::optional<Error> Replica::Impl::why_not_govern() const {
  if (rebuilding) {
    return fail(Errc::unavailable,
                "this member is being rebuilt, and what it said before is not all here: give words "
                "on proposals, and enrol, once kith status says that it is done");
  }
  if (!is_held_up(own_log)) return std::nullopt;
  // Who does not know its own last word might give two, and whoever asks would wait for ever.
  return fail(
      Errc::unavailable,
      "this member's own log is damaged or not complete here: run kithd check, or wait until "
      "the others have given back what is missing");
}

void Replica::Impl::log_checked(const std::shared_ptr<Door>& door,
                                std::list<LargePublish>::iterator large,
                                const std::function<void(local::Answer)>& answer,
                                const std::vector<Bytes>& texts) {
  const std::uint64_t next = own_range->size();
  for (std::size_t i = 0; i < door->authors.size(); ++i) {
    const Scope scope = door->scopes[i];
    if (logs.at(own_log).keys.may(door->authors[i], static_cast<Scopes>(scope), next)) {
      continue;
    }
    return answer(
        local::Refusal{Errc::forbidden,
                       scope == Scope::publish
                           ? "your key is not enrolled to publish here: ask a steward to run "
                             "'kith author enrol'"
                           : "your key is not enrolled to speak for this member: ask a steward to "
                             "run 'kith author enrol --scope publish,speak'"});
  }
  const bool governs = std::ranges::count(door->scopes, Scope::speak) > 0;
  if (const auto why = governs ? why_not_govern() : std::nullopt) {
    return answer(local::Refusal{why->code, why->detail});
  }
  // A second leaf would count for nothing, but would stay for ever.
  if (const auto known = first_known(door->ids)) {
    return answer(local::Refusal{Errc::conflict,
                                 "entry " + to_base32(known->view()) +
                                     " was published before; nothing is logged a second time"});
  }
  const LogState& own = logs.at(own_log);
  const bool is_being_cut = own.frozen || own.setting_back || to_set_back.contains(own_log);
  if (const auto why = is_being_cut ? why_not_append() : std::nullopt) {
    return answer(local::Refusal{why->code, why->detail});
  }
  if (const auto why = why_not_sign()) return keep_waiting(texts, door->ids, *why, answer);
  door_ids.insert(door->ids.begin(), door->ids.end());
  if (large != publishing.end()) large->storing = true;
  append_own(door->drafts, [=, this](const Result<Appended>& done) {
    if (!done) {
      for (const RecordId& id : door->ids) door_ids.erase(id);
      return answer(local::Refusal{done.error().code, done.error().detail});
    }
    local::PublishAnswer out;
    out.size = done->size;
    out.checkpoint = done->note;
    for (std::size_t i = 0; i < door->ids.size(); ++i) {
      out.records.push_back({door->ids[i], done->first + i});
      door_checked.insert(done->first + i);
    }
    if (!governs) return answer(std::move(out));
    // Whoever gives a word asks next what came of it.
    when_judged.emplace(done->first + door->ids.size() - 1,
                        [out = std::move(out), answer](bool) { answer(out); });
    answer_judged();
  });
}

void Replica::Impl::report_publishing() {
  for (const LargePublish& large : publishing) {
    // How far a commit is nobody can tell.
    large.answer(large.storing
                     ? local::Progress{large.total, 0, "entries: storing and signing them"}
                     : local::Progress{large.checked->load(), large.total, "checking"});
  }
}

void Replica::Impl::enrol(local::EnrolRequest request, std::function<void(local::Answer)> answer) {
  const auto enrolment = verify_enrolment(request.statement);
  if (!enrolment) {
    return answer(local::Refusal{enrolment.error().code, enrolment.error().detail});
  }
  if (const auto why = why_not_govern()) return answer(local::Refusal{why->code, why->detail});
  if (enrols_again) {
    return answer(local::Refusal{Errc::unavailable,
                                 "enrolments from before the log was cut are being entered again: "
                                 "try again in a moment"});
  }
  // Tried on a copy: what would be void is refused before it is logged.
  KeyHistory trial = logs.at(own_log).keys;
  const auto fits = trial.add_enrolment(logs.at(own_log).size, request.statement);
  if (!fits) return answer(local::Refusal{fits.error().code, fits.error().detail});
  if (!own_range) return answer(local::Refusal{Errc::unavailable, "this daemon has no log yet"});
  if (enrolling) {
    return answer(local::Refusal{
        Errc::unavailable, "another enrolment is being stored: run the command again in a moment"});
  }
  enrolling = Enrolling{std::nullopt, false, std::move(answer)};
  append_own({{LeafClass::clear, encode_text(EnrolmentText{request.statement})}},
             [this](const Result<Appended>& done) {
               if (!done) return enrolled(local::Refusal{done.error().code, done.error().detail});
               enrolling->index = done->first;
               when_judged.emplace(done->first, [this](bool is_judged) {
                 if (enrolling->counted) return enrolled(local::EnrolAnswer{*enrolling->index});
                 enrolled(is_judged
                              ? local::Refusal{Errc::conflict,
                                               "it was logged but counts for nothing: see the "
                                               "daemon's log"}
                              : local::Refusal{Errc::unavailable,
                                               "it is logged and counts once what is missing of "
                                               "this member's log has come back; do not repeat "
                                               "it"});
               });
               answer_judged();
             });
}

void Replica::Impl::enrolled(local::Answer answer) {
  const auto told = std::exchange(enrolling, std::nullopt)->answer;
  told(std::move(answer));
  for (const auto& next : std::exchange(after_enrolling, {})) next();
}

void Replica::Impl::when_authors_are_known(std::function<void()> then) {
  if (!enrolling) return then();
  after_enrolling.push_back(std::move(then));
}

}  // namespace kith::daemon
