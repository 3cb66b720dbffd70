// Two signed histories: the proof of them, who is told, and how a log that has two is frozen at one
// size everywhere.
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
  const MemberId& owner = logs.at(log).member;
  for (const Bytes& statement : statements_of(owner)) {
    const auto certificate = verify_certificate(statement, owner);
    if (!certificate || !verify_checkpoint(note, log, certificate->log_key)) continue;
    return SignedTree{size, root, note, statement};
  }
  return std::nullopt;
}

void Replica::Impl::carry_out(sync::ForkFound& action) {
  LogState& state = logs.at(action.log);
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
  if (!how || how->root == other.root) return;
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
  for (const Bytes& statement : statements_of(given.witness)) {
    const auto certificate = verify_certificate(statement, given.witness);
    if (!certificate || !verify_cosignature(given, certificate->witness_key) ||
        !verify_cosignature(kept, certificate->witness_key)) {
      continue;
    }
    const auto how = known_consistency(given.log, given.size, kept.size);
    if (!how) return;
    const PublicKey& key = certificate->witness_key;
    SignedTree one{given.size, given.root, note_of(given, key), statement};
    SignedTree other{kept.size, kept.root, note_of(kept, key), statement};
    return accuse(make_evidence(SpaceId{}, std::move(one), std::move(other), how->root, how->path));
  }
}

void Replica::Impl::compare_certificates(const MemberId& member, const Bytes& statement) {
  const auto given = verify_certificate(statement, member);
  if (!given) return;
  for (const Bytes& known : statements_of(member)) {
    const auto other = verify_certificate(known, member);
    if (!other || other->number != given->number || *other == *given) continue;
    return accuse(make_evidence(known, statement));
  }
}

std::optional<TreeHash> Replica::Impl::known_root(const LogId& log, std::uint64_t size) const {
  try {
    return storage::log_store::root_at(*host.log().read(), log, size);
  } catch (const storage::StorageError&) {
    return std::nullopt;
  }
}

std::optional<sync::Consistency> Replica::Impl::known_consistency(const LogId& log,
                                                                  std::uint64_t smaller,
                                                                  std::uint64_t larger) const {
  const auto root = known_root(log, smaller);
  if (!root) return std::nullopt;
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
  if (evidence.contains(key) || !make_room_for_evidence(proven.member)) return;
  evidence.emplace(key, KeptEvidence{text, proven});
  host.log_line(in_words(proven));
  write([=](storage::WriteTxn& txn,
            storage::HighWaterMarks&) { storage::log_store::put_evidence(txn, key, text); },
        [](const std::optional<Error>&) {});
  refreeze(proven.member);
  for (const auto& [id, peer] : peers) {
    if (peer.candidate) continue;
    host.send(id, peer::encode(peer::Evidence{text}));
    tell_agreed(id, commons_log(proven.member));
  }
}

bool Replica::Impl::make_room_for_evidence(const MemberId& member) {
  // Whoever accuses itself over and over must not keep others from being accused.
  std::vector<Bytes> same;
  for (const auto& [key, kept] : evidence) {
    if (kept.proven.member == member) same.push_back(key);
  }
  if (same.size() < storage::log_store::evidence_per_member_max) {
    return evidence.size() < storage::log_store::evidence_max;
  }
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
  for (const auto& [_, kept] : evidence) {
    host.send(peer, peer::encode(peer::Evidence{kept.text}));
    tell_agreed(peer, commons_log(kept.proven.member));
  }
}

void Replica::Impl::load_evidence(const storage::ReadTxn& txn) {
  for (const auto& [key, text] : storage::log_store::evidence(txn)) {
    const auto decoded = decode_evidence(text);
    const auto proven = decoded ? verify_evidence(*decoded) : decoded.error();
    if (proven && key_of(*proven) == key) evidence.emplace(key, KeptEvidence{text, *proven});
  }
}

// ---- what follows from it ----

std::uint64_t Replica::Impl::newest_cut(const MemberId& member) const {
  std::uint64_t newest = 0;
  for (const Bytes& statement : statements_of(member)) {
    const auto certificate = verify_certificate(statement, member);
    if (certificate && certificate->reason == Certificate::Reason::cut) {
      newest = std::max(newest, certificate->number);
    }
  }
  return newest;
}

bool Replica::Impl::counts(const Contradiction& proven) const {
  if (proven.liar == Liar::log_key) return proven.number() >= newest_cut(proven.member);
  const auto newest = newest_certificate(proven.member);
  return !newest || newest->number <= proven.number();
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
    host.log_line("the log of " + code_of(member) + " goes on from what was agreed");
    return set_back(log->first);
  }
  log->second.frozen = true;
  const LogId& id = log->first;
  const std::uint64_t size = std::min(log->second.agreed, log->second.size);
  if (engine.follows(id)) step(sync::LogFrozen{id, known_root(id, size).value_or(TreeHash{})});
}

// ---- one size everywhere ----

void Replica::Impl::tell_agreed(PeerId peer, const LogId& log) {
  const auto proof = proof_of_agreed(log);
  if (proof) host.send(peer, peer::encode(*proof));
}

std::optional<peer::Agreed> Replica::Impl::proof_of_agreed(const LogId& log) const {
  const auto found = logs.find(log);
  if (found == logs.end() || !found->second.frozen || found->second.agreed == 0) {
    return std::nullopt;
  }
  const LogState& state = found->second;
  const auto root = known_root(log, state.agreed);
  if (!root) return std::nullopt;
  peer::Agreed proof{log, state.agreed, *root, {}, {}};
  for (const auto& [_, word] : state.cosignatures) {
    const bool is_needed = word.size >= state.agreed && word.size <= state.size;
    if (!is_needed || proof.cosignatures.size() == limits::witnesses_max) continue;
    auto how = known_consistency(log, state.agreed, word.size);
    if (!how) continue;
    proof.cosignatures.push_back(word);
    proof.paths.push_back(std::move(how->path));
  }
  return proof;
}

bool Replica::Impl::is_proven(const peer::Agreed& proof, const MemberId& owner) const {
  std::map<MemberId, std::uint64_t> said;
  for (std::size_t i = 0; i < proof.cosignatures.size(); ++i) {
    const Cosignature& word = proof.cosignatures[i];
    const auto certificates = certificates_of(word.witness);
    const bool is_signed = !is_distrusted(word.witness) &&
                           std::ranges::any_of(certificates, [&](const Certificate& certificate) {
                             return verify_cosignature(word, certificate.witness_key);
                           });
    if (is_signed &&
        verify_consistency(proof.size, word.size, proof.paths[i], proof.root, word.root)) {
      said[word.witness] = proof.size;
    }
  }
  const auto witnesses = fold->state().commons_witnesses(owner);
  return !witnesses.empty() && agreed_size(witnesses, said, proof.size) == proof.size;
}

void Replica::Impl::hear_agreed(const peer::Agreed& proof) {
  const auto found = logs.find(proof.log);
  if (found == logs.end() || !found->second.frozen || !fold_complete()) return;
  LogState& state = found->second;
  const auto& wanted = state.agreed_elsewhere;
  const std::uint64_t known = std::max(state.agreed, wanted ? wanted->size : 0);
  if (proof.size <= known || !is_proven(proof, state.member)) return;
  if (proof.size <= state.size && known_root(proof.log, proof.size) == proof.root) {
    return raise_agreed(proof.log, proof.size);
  }
  // What is held beyond what is agreed is of the other history, or may be.
  state.agreed_elsewhere = proof;
  set_back(proof.log);
}

void Replica::Impl::agreed_reached(const LogId& log) {
  LogState& state = logs.at(log);
  const auto proof = std::exchange(state.agreed_elsewhere, std::nullopt);
  if (!proof || proof->size > state.size) return;
  // Most of these words are of larger trees, which nobody fetches any more.
  for (const Cosignature& word : proof->cosignatures) confirmed(log, word.witness, proof->size);
  raise_agreed(log, proof->size);
}

void Replica::Impl::confirmed(const LogId& log, const MemberId& witness, std::uint64_t size) {
  LogState& state = logs.at(log);
  std::uint64_t& before = state.confirmed_before[witness];
  before = std::max(before, size);
  std::uint64_t& known = governance[state.member].cosigned[witness];
  known = std::max(known, size);
}

void Replica::Impl::set_back(const LogId& log) {
  // Of our own log nobody but the operator gives up anything (kithd cut).
  if (log != own_log) to_set_back.insert(log);
  set_back_when_quiet();
}

void Replica::Impl::set_back_when_quiet() {
  const std::set<LogId> waiting = to_set_back;
  for (const LogId& id : waiting) {
    const LogState& state = logs.at(id);
    // What is being judged or shown would come back into the views behind our back.
    if (state.showing || !state.batches.empty()) continue;
    // What is damaged comes back first.
    if (!state.wanted.empty()) continue;
    to_set_back.erase(id);
    const std::uint64_t size = std::min(state.agreed, state.size);
    // What is agreed stays so, also where the cosignatures go with what is given up.
    for (const auto& [witness, largest] : governance[state.member].cosigned) {
      confirmed(id, witness, std::min(largest, size));
    }
    ++jobs;
    // The views first: after a crash in between they catch up with the log.
    host.write_views([=](storage::WriteTxn& txn) { storage::views::set_back(txn, id, size); },
                     [=, this] {
                       --jobs;
                       set_store_back(id, size);
                     });
  }
}

void Replica::Impl::set_store_back(const LogId& id, std::uint64_t size) {
  const Bytes agreed = encode_agreed(id, {size, logs.at(id).confirmed_before});
  write(
      [=](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        storage::log_store::set_back(txn, id, size);
        txn.put(storage::Table::meta, id.view(), agreed);
      },
      [=, this](const std::optional<Error>& failure) {
        if (failure) {
          to_set_back.insert(id);
        } else {
          reload(id);
        }
      });
}

void Replica::Impl::reload(const LogId& id) {
  LogState& state = logs.at(id);
  const MemberId member = state.member;
  const auto wanted = std::exchange(state.agreed_elsewhere, std::nullopt);
  state = LogState();
  governance.erase(member);
  const auto log_txn = host.log().read();
  const auto view_txn = host.views().read();
  load_log(*log_txn, *view_txn, *storage::log_store::head(*log_txn, id), {});
  state.frozen = has_two_histories(member);
  state.agreed_elsewhere = wanted;
  step(sync::LogReset{followed(id)});
  if (wanted && state.frozen) step(sync::AgreedElsewhere{id, wanted->size, wanted->root});
  // Governance that was read beyond it was never agreed; the chain is the same without it.
  fold.reset();
  govern();
  judge_more(id);
  show_more(id);
}

void Replica::Impl::raise_agreed(const LogId& log, std::uint64_t size) {
  LogState& state = logs.at(log);
  if (size <= state.agreed) return;
  state.agreed = size;
  sync::AgreedChanged changed{log, size, {}};
  if (state.frozen) changed.root = known_root(log, size).value_or(TreeHash{});
  if (engine.follows(log)) step(changed);
  if (!state.frozen) return;
  save_agreed();
  for (const auto& [id, peer] : peers) {
    if (!peer.candidate) tell_agreed(id, log);
  }
}

}  // namespace kith::daemon
