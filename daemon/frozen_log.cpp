// How a log of two histories is frozen at one size everywhere, and goes on from there.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"

namespace kith::daemon {

void Replica::Impl::tell_all_agreed(const LogId& log) {
  const auto proof = proof_of_agreed(log);
  if (!proof) return;
  const Bytes message = peer::encode(*proof);
  for (const auto& [id, peer] : peers) {
    if (!peer.candidate) host.send(id, message);
  }
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
  // Of a tree that was fetched because it is agreed, the larger ones that most words are about are
  // not here: whoever proved it to us proves it to others.
  const auto& told = state.agreed_proof;
  const bool is_better = told && told->size == state.agreed && told->root == *root &&
                         told->cosignatures.size() > proof.cosignatures.size();
  return is_better ? *told : proof;
}

std::vector<MemberId> Replica::Impl::who_proves(const peer::Agreed& proof,
                                                const MemberId& owner) const {
  std::map<MemberId, std::uint64_t> said;
  const auto witnesses = fold->state().commons_witnesses(owner);
  for (std::size_t i = 0; i < proof.cosignatures.size(); ++i) {
    const Cosignature& word = proof.cosignatures[i];
    const bool counts_here = std::ranges::find(witnesses, word.witness) != witnesses.end() &&
                             !is_distrusted(word.witness);
    if (!counts_here ||
        !verify_consistency(proof.size, word.size, proof.paths[i], proof.root, word.root)) {
      continue;
    }
    const auto known = known_certificates(word.witness);
    const bool is_signed = std::ranges::any_of(known, [&](const KnownCertificate& one) {
      return verify_cosignature(word, one.certificate->witness_key);
    });
    if (is_signed) said[word.witness] = proof.size;
  }
  std::vector<MemberId> proving;
  if (witnesses.empty() || agreed_size(witnesses, said, proof.size) != proof.size) return proving;
  for (const auto& [witness, _] : said) proving.push_back(witness);
  return proving;
}

void Replica::Impl::hear_agreed(const peer::Agreed& proof) {
  const auto found = logs.find(proof.log);
  if (found == logs.end() || !found->second.frozen || !fold_complete()) return;
  LogState& state = found->second;
  const auto& wanted = state.agreed_elsewhere;
  const std::uint64_t known = std::max(state.agreed, wanted ? wanted->size : 0);
  if (proof.size <= known) return;
  std::vector<MemberId> proving = who_proves(proof, state.member);
  if (proving.empty()) return;
  state.agreed_elsewhere = AgreedElsewhere{proof.size, proof.root, std::move(proving)};
  state.agreed_proof = proof;
  if (proof.log == own_log) note_agreed_elsewhere(proof.size);
  if (known_root(proof.log, proof.size) == proof.root) return agreed_reached(proof.log);
  // What is held beyond what is agreed is of the other history, or may be.
  set_back(proof.log);
}

void Replica::Impl::agreed_reached(const LogId& log) {
  LogState& state = logs.at(log);
  if (state.setting_back) return;  // It is looked at again when that is done.
  const auto reached = std::exchange(state.agreed_elsewhere, std::nullopt);
  if (!reached) return;
  // Most of their words are of larger trees, which nobody fetches any more.
  for (const MemberId& witness : reached->witnesses) confirmed(log, witness, reached->size);
  raise_agreed(log, reached->size);
  if (log == own_log) note_agreed_elsewhere(std::nullopt);
  govern();
}

void Replica::Impl::note_agreed_elsewhere(std::optional<std::uint64_t> size) {
  // Where our own log is cut, that is done without this daemon.
  write(
      [=, log = own_log](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        const Bytes key = agreed_elsewhere_key(log);
        if (size) {
          txn.put(storage::Table::meta, key, encode_agreed_elsewhere(log, *size));
        } else {
          txn.erase(storage::Table::meta, key);
        }
      },
      [](const std::optional<Error>&) {});
}

void Replica::Impl::confirmed(const LogId& log, const MemberId& witness, std::uint64_t size) {
  LogState& state = logs.at(log);
  std::uint64_t& before = state.confirmed_before[witness];
  before = std::max(before, size);
  std::uint64_t& known = governance[state.member].cosigned[witness];
  known = std::max(known, size);
}

void Replica::Impl::set_back(const LogId& log) {
  to_set_back.insert(log);
  set_back_when_quiet();
}

void Replica::Impl::set_back_when_quiet() {
  const std::set<LogId> waiting = to_set_back;
  for (const LogId& id : waiting) {
    LogState& state = logs.at(id);
    const std::uint64_t size = floor_of(id);
    // What is being stored, judged or shown would come back behind our back.
    if (state.setting_back || state.showing || !state.batches.empty() || engine.is_storing(id)) {
      continue;
    }
    // What is damaged of what stays comes back first.
    const bool is_damaged =
        !state.wanted.empty() && *state.wanted.begin() * limits::tile_hashes < size;
    if (is_damaged) continue;
    to_set_back.erase(id);
    state.setting_back = true;
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
      [=, is_own = id == own_log, context = context_of(id), keys = logs.at(id).keys](
          storage::WriteTxn& txn, storage::HighWaterMarks&) {
        if (is_own) keep_given_up(txn, context, keys, size);
        storage::log_store::set_back(txn, id, size);
        txn.put(storage::Table::meta, id.view(), agreed);
      },
      [=, this](const std::optional<Error>& failure) {
        if (failure) {
          logs.at(id).setting_back = false;
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
  auto proof = std::exchange(state.agreed_proof, std::nullopt);
  to_set_back.erase(id);
  state = LogState();
  governance.erase(member);
  storage::HighWaterMarks marks;
  if (id == own_log) {
    no_signing.reset();
    if (signed_before) marks[id] = *signed_before;
    door_checked.clear();
    look_for_given_up(*host.log().read());
    load_waiting(*host.log().read());
  }
  const auto log_txn = host.log().read();
  const auto view_txn = host.views().read();
  load_log(*log_txn, *view_txn, *storage::log_store::head(*log_txn, id), marks);
  state.frozen = has_two_histories(member);
  state.agreed_elsewhere = wanted;
  state.agreed_proof = std::move(proof);
  step(sync::LogReset{followed(id)});
  fetch_what_is_agreed(id);
  // Governance that was read beyond it was never agreed; the chain is the same without it.
  fold.reset();
  govern();
  recompute_agreed(id);
  judge_more(id);
  show_more(id);
  if (id == own_log) look_for_own_certificate();
}

void Replica::Impl::fetch_what_is_agreed(const LogId& id) {
  const LogState& state = logs.at(id);
  if (!state.agreed_elsewhere || !state.frozen || state.setting_back) return;
  const auto& wanted = *state.agreed_elsewhere;
  if (known_root(id, wanted.size) == wanted.root) return agreed_reached(id);
  step(sync::AgreedElsewhere{id, wanted.size, wanted.root});
}

void Replica::Impl::raise_agreed(const LogId& log, std::uint64_t size) {
  LogState& state = logs.at(log);
  if (size <= state.agreed || state.setting_back) return;
  state.agreed = size;
  sync::AgreedChanged changed{log, size, {}};
  if (state.frozen) changed.root = known_root(log, size).value_or(TreeHash{});
  if (engine.follows(log)) step(changed);
  if (!state.frozen) return;
  save_agreed();
  tell_all_agreed(log);
}

}  // namespace kith::daemon
