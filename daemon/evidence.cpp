// Two signed histories: the proof of them, who is told, and what follows from it.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/certificate.hpp"

namespace kith::daemon {
namespace {

/// What it is about: the first piece of each is kept.
Bytes key_of(const Contradiction& proven) {
  Bytes key{static_cast<std::uint8_t>(proven.liar)};
  append(key, proven.log ? proven.log->view() : proven.member.view());
  append(key, proven.member.view());
  append_integer(key, proven.number());
  return key;
}

}  // namespace

// ---- making it ----

std::optional<SignedTree> Replica::Impl::signed_tree(const LogId& log, std::uint64_t size,
                                                     const TreeHash& root,
                                                     const std::string& note) const {
  const auto signed_by = who_signed(log, note);
  if (!signed_by) return std::nullopt;
  return SignedTree{size, root, note, *signed_by->by.statement};
}

void Replica::Impl::carry_out(sync::ForkFound& action) {
  LogState& state = logs.at(action.log);
  if (cut_away(action.log, action.other.note)) return;
  const auto& kept = state.checkpoint;
  if (action.other.size != kept.size && !action.beginning) {
    if (std::exchange(state.said_unproven, true)) return;
    host.log_line("the log of " + code_of(state.member) +
                  " does not go on from what is held of it; nothing proves yet why");
    return;
  }
  const auto one = signed_tree(action.log, kept.size, kept.root, kept.note);
  const auto other =
      signed_tree(action.log, action.other.size, action.other.root, action.other.note);
  if (!one || !other) return;
  sync::Consistency how = action.beginning.value_or(sync::Consistency{});
  accuse(make_evidence(commons, *one, *other, how.root, std::move(how.path)));
}

void Replica::Impl::carry_out(sync::CompareCheckpoint& action) {
  const LogState& state = logs.at(action.log);
  const auto& other = action.other;
  if (state.frozen || other.size == 0 || other.size >= state.checkpoint.size) return;
  const auto how = known_consistency(action.log, other.size, state.checkpoint.size);
  if (!how || how->root == other.root || cut_away(action.log, other.note)) return;
  const auto kept =
      signed_tree(action.log, state.checkpoint.size, state.checkpoint.root, state.checkpoint.note);
  const auto smaller = signed_tree(action.log, other.size, other.root, other.note);
  if (!kept || !smaller) return;
  accuse(make_evidence(commons, *smaller, *kept, how->root, how->path));
}

void Replica::Impl::contradicted(const Cosignature& given) {
  // Only a smaller or equal one can be compared with what is held.
  const LogState& state = logs.at(given.log);
  const auto known = state.cosignatures.find(given.witness);
  if (known == state.cosignatures.end() || known->second.size < given.size) return;
  const Cosignature& kept = known->second;
  for (const KnownCertificate& one_of : known_certificates(given.witness)) {
    const PublicKey& key = one_of.certificate->witness_key;
    if (!verify_cosignature(given, key) || !verify_cosignature(kept, key)) continue;
    const auto how = known_consistency(given.log, given.size, kept.size);
    if (!how) return;
    SignedTree one{given.size, given.root, note_of(given, key), *one_of.statement};
    SignedTree other{kept.size, kept.root, note_of(kept, key), *one_of.statement};
    return accuse(make_evidence(SpaceId{}, std::move(one), std::move(other), how->root, how->path));
  }
}

void Replica::Impl::compare_certificates(const MemberId& member, const Bytes& statement) {
  const auto given = verify_certificate(statement, member);
  if (!given) return;
  for (const KnownCertificate& known : known_certificates(member)) {
    if (known.certificate->number != given->number || *known.certificate == *given) continue;
    return accuse(make_evidence(*known.statement, statement));
  }
}

std::optional<TreeHash> Replica::Impl::known_root(const LogId& log, std::uint64_t size) const {
  try {
    const auto txn = host.log().read();
    const auto head = storage::log_store::head(*txn, log);
    if (!head || size > head->size()) return std::nullopt;
    return storage::log_store::root_at(*txn, log, size);
  } catch (const storage::StorageError&) {
    return std::nullopt;
  }
}

std::optional<sync::Consistency> Replica::Impl::known_consistency(const LogId& log,
                                                                  std::uint64_t smaller,
                                                                  std::uint64_t larger) const {
  const auto root = known_root(log, smaller);
  if (!root || !known_root(log, larger)) return std::nullopt;
  try {
    const auto txn = host.log().read();
    const auto subtrees = storage::log_store::subtrees(*txn, log);
    return sync::Consistency{*root, consistency_path(smaller, larger, subtrees)};
  } catch (const storage::StorageError&) {
    return std::nullopt;
  }
}

void Replica::Impl::accuse(const Evidence& made) {
  // Made of what is stored here: whoever accuses looks twice.
  const auto proven = verify_evidence(made);
  if (proven) return take_evidence(*proven, encode_evidence(made));
  host.log_line("what is stored here contradicts what was signed, but proves nothing (" +
                proven.error().detail + "): stop kithd and run kithd check");
}

// ---- taking it and passing it on ----

void Replica::Impl::hear_evidence(PeerId from, const std::string& text) {
  const auto decoded = decode_evidence(text);
  const auto proven = decoded ? verify_evidence(*decoded) : decoded.error();
  if (!proven) return host.drop(from, fail(Errc::bad_proof, "evidence that proves nothing"));
  const bool is_ours = proven->network == me.network &&
                       logs.contains(commons_log(proven->member)) &&
                       (!proven->log || logs.contains(*proven->log));
  if (is_ours) take_evidence(*proven, text);
}

void Replica::Impl::take_evidence(const Contradiction& proven, const std::string& text) {
  const Bytes key = key_of(proven);
  if (evidence.contains(key) || !make_room_for_evidence(proven)) return;
  evidence.emplace(key, KeptEvidence{text, proven});
  host.log_line(in_words(proven));
  write([=](storage::WriteTxn& txn,
            storage::HighWaterMarks&) { storage::log_store::put_evidence(txn, key, text); },
        [](const std::optional<Error>&) {});
  refreeze(proven.member);
  const Bytes message = peer::encode(peer::Evidence{text});
  for (const auto& [id, peer] : peers) {
    if (!peer.candidate) host.send(id, message);
  }
  tell_all_agreed(commons_log(proven.member));
}

bool Replica::Impl::make_room_for_evidence(const Contradiction& proven) {
  // Whoever accuses itself over and over must not keep others from being accused.
  std::vector<Bytes> same;
  for (const auto& [key, kept] : evidence) {
    if (kept.proven.member == proven.member) same.push_back(key);
  }
  if (same.size() < storage::log_store::evidence_per_member_max) {
    return evidence.size() < limits::evidence_pieces_max;
  }
  // Nor may pieces that nothing follows from drive one another out for ever.
  if (!counts(proven)) return false;
  const auto idle = std::ranges::find_if(
      same, [&](const Bytes& key) { return !counts(evidence.at(key).proven); });
  if (idle == same.end()) return false;
  evidence.erase(*idle);
  write([key = *idle](storage::WriteTxn& txn,
                      storage::HighWaterMarks&) { txn.erase(storage::Table::evidence, key); },
        [](const std::optional<Error>&) {});
  return true;
}

std::string Replica::Impl::in_words(const Contradiction& proven) const {
  const std::string who = code_of(proven.member);
  if (!counts(proven)) {
    return "two histories are known that " + who +
           " signed with a key that does not count any more: nothing follows from them";
  }
  switch (proven.liar) {
    case Liar::log_key:
      return "the log of " + who + " has two conflicting histories: it is frozen";
    case Liar::witness_key:
      return who +
             " confirmed two conflicting histories of one log: its word as a witness counts "
             "no more until it has a new certificate";
    case Liar::recovery_key:
      break;
  }
  return who + " has two certificates of one number: its log is frozen until it has a higher one";
}

void Replica::Impl::send_evidence(PeerId peer) {
  std::set<LogId> about;
  for (const auto& [_, kept] : evidence) {
    host.send(peer, peer::encode(peer::Evidence{kept.text}));
    about.insert(commons_log(kept.proven.member));
  }
  for (const LogId& log : about) {
    if (const auto proof = proof_of_agreed(log)) host.send(peer, peer::encode(*proof));
  }
}

void Replica::Impl::load_evidence(const storage::ReadTxn& txn) {
  for (const auto& [key, text] : storage::log_store::evidence(txn)) {
    const auto decoded = decode_evidence(text);
    const auto proven = decoded ? verify_evidence(*decoded) : decoded.error();
    if (proven && key_of(*proven) == key) evidence.emplace(key, KeptEvidence{text, *proven});
  }
}

local::EvidenceAnswer Replica::Impl::kept_evidence() const {
  local::EvidenceAnswer answer;
  for (const auto& [_, kept] : evidence) {
    const Contradiction& proven = kept.proven;
    local::EvidenceRow& row = answer.pieces.emplace_back();
    row.file = kept.text;
    row.code = code_of(proven.member);
    row.counts = counts(proven);
    if (!proven.log) continue;
    const auto log = logs.find(*proven.log);
    if (log != logs.end()) row.owner = code_of(log->second.member);
  }
  return answer;
}

// ---- what follows from it ----

std::uint64_t Replica::Impl::newest_cut(const MemberId& member) const {
  std::uint64_t newest = 0;
  for (const KnownCertificate& known : known_certificates(member)) {
    const bool cuts = known.certificate->reason == Certificate::Reason::cut;
    if (cuts) newest = std::max(newest, known.certificate->number);
  }
  return newest;
}

bool Replica::Impl::counts(const Contradiction& proven) const {
  const auto newest = newest_certificate(proven.member);
  return still_counts(proven, newest ? newest->number : 0, newest_cut(proven.member)) &&
         !(proven.liar == Liar::witness_key && is_about_a_cut(proven));
}

bool Replica::Impl::is_about_a_cut(const Contradiction& proven) const {
  const auto log = proven.log ? logs.find(*proven.log) : logs.end();
  if (log == logs.end()) return false;
  return excused_by_cut(proven, log->second.keys);
}

bool Replica::Impl::is_distrusted(const MemberId& witness) const {
  return std::ranges::any_of(evidence, [&](const auto& entry) {
    const Contradiction& proven = entry.second.proven;
    return proven.liar == Liar::witness_key && proven.member == witness && counts(proven);
  });
}

bool Replica::Impl::has_two_histories(const MemberId& member) const {
  return std::ranges::any_of(evidence, [&](const auto& entry) {
    const Contradiction& proven = entry.second.proven;
    return proven.liar != Liar::witness_key && proven.member == member && counts(proven);
  });
}

void Replica::Impl::refreeze(const MemberId& member) {
  const auto log = logs.find(commons_log(member));
  if (log == logs.end() || log->second.frozen == has_two_histories(member)) return;
  if (log->second.frozen) {
    // Our own goes on with the next start, when the operator has seen to it.
    if (log->first == own_log) return;
    log->second.said_below_agreed = false;
    host.log_line("the log of " + code_of(member) + " goes on from what was agreed");
    return set_back(log->first);
  }
  log->second.frozen = true;
  // Where our own is cut, that is done without this daemon.
  if (log->first == own_log) save_agreed();
  const LogId& id = log->first;
  const std::uint64_t size = std::min(log->second.agreed, log->second.size);
  if (engine.follows(id)) step(sync::LogFrozen{id, known_root(id, size).value_or(TreeHash{})});
}

}  // namespace kith::daemon
