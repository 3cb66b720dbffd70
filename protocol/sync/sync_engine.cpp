#include "protocol/sync/sync_engine.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"

namespace kith::sync {

SyncEngine::SyncEngine(CheckpointVerifier verifier, bool check_hashes)
    : verifier_(std::move(verifier)), check_hashes_(check_hashes) {}

std::vector<Action> SyncEngine::step(Event event) {
  Actions actions;
  std::visit([&](auto& e) { on(e, actions); }, event);
  ask_more(actions);
  return actions;
}

Hash SyncEngine::digest() const {
  if (!digest_) {
    std::map<LogId, peer::LogSummary> summaries;
    for (const auto& [id, log] : logs_) summaries.emplace(id, summary(id, log));
    digest_ = overall_digest({{commons, space_digest(summaries)}});
  }
  return *digest_;
}

DigestHalf SyncEngine::last_common(const MemberId& member) const {
  const auto common = common_.find(member);
  return common == common_.end() ? DigestHalf{} : common->second.digest;
}

std::uint64_t SyncEngine::known_size(const LogId& id) const {
  std::uint64_t known = 0;
  if (const auto log = logs_.find(id); log != logs_.end()) known = log->second.checkpoint.size;
  for (const auto& [_, peer] : peers_) {
    if (const auto said = peer.logs.find(id); said != peer.logs.end()) {
      known = std::max(known, said->second.size);
    }
  }
  return known;
}

bool SyncEngine::fetching(const LogId& log) const { return fetching_.contains(log); }

bool SyncEngine::is_storing(const LogId& id) const {
  const auto log = logs_.find(id);
  return log != logs_.end() && (log->second.stores_pending != 0 || log->second.puts_pending != 0);
}

bool SyncEngine::is_fetching_own() const {
  return std::ranges::any_of(logs_, [](const auto& entry) {
    const Log& log = entry.second;
    return log.own && (log.target || log.stores_pending != 0);
  });
}

bool SyncEngine::idle() const {
  const bool asking = std::ranges::any_of(peers_, [](const auto& entry) {
    return !entry.second.pending.empty() || entry.second.asked_other != 0;
  });
  const bool storing = std::ranges::any_of(logs_, [](const auto& entry) {
    return entry.second.stores_pending != 0 || entry.second.puts_pending != 0;
  });
  return !asking && !storing;
}

void SyncEngine::on(LogFollowed& event, Actions& actions) {
  const auto [entry, is_new] = logs_.try_emplace(event.log);
  if (!is_new) return;
  Log& log = entry->second;
  take_over(event, log);
  want_again(event.log, log, event.wanted);
  touch(log);
  // A log that is new to us may be old news to peers who said so before we followed it.
  for (auto& [id, peer] : peers_) {
    const auto said = peer.logs.find(event.log);
    if (said != peer.logs.end() && said->second.size > log.checkpoint.size &&
        !said->second.asked_checkpoint) {
      said->second.asked_checkpoint = true;
      asked(peer);
      ++peer.asked_other;
      actions.push_back(Send{id, peer::GetCheckpoints{{event.log}}});
    }
    ask_payloads(event.log, log, id, actions);
  }
}

void SyncEngine::take_over(LogFollowed& event, Log& log) {
  log.own = event.own;
  log.frozen = event.frozen;
  log.held = event.held;
  log.received = event.held;
  log.checkpoint = std::move(event.checkpoint);
  log.agreed = event.agreed;
  log.agreed_root = event.agreed_root;
  log.gaps = {event.gaps.begin(), event.gaps.end()};
}

void SyncEngine::on(LogReset& event, Actions& actions) {
  Log& log = logs_.at(event.now.log);
  end_fetch(event.now.log, log);
  log.next_target.reset();
  take_over(event.now, log);
  log.wanted.clear();
  refetching_.erase(event.now.log);
  want_again(event.now.log, log, event.now.wanted);
  touch(log);
  // What peers were told of it is not so any more.
  for (auto& [_, peer] : peers_) {
    PeerLog& said = peer.logs[event.now.log];
    said.told_size = said.told_agreed = 0;
  }
  tell(event.now.log, log, log.checkpoint.size, actions);
}

void SyncEngine::on(AgreedElsewhere& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  if (!log.frozen || event.size <= log.held.size()) return;
  if (log.target && log.target->size >= event.size) return;
  end_fetch(event.log, log);
  log.target = SignedCheckpoint{event.size, event.root, {}};
  begin_fetch(event.log, log, actions);
}

void SyncEngine::on(PeerConnected& event, Actions& actions) {
  Peer& peer = peers_[event.peer];
  peer.member = event.member;
  peer.progress_ms = now_ms_;
  peer.pinged_ms = now_ms_;
  peer.welcome_due = event.we_dialled;
  if (event.we_dialled) return;  // Our Hello said all; Welcome comes.
  actions.push_back(Send{event.peer, peer::Welcome{digest(), last_common(event.member), 0, 0}});
  compare_digests(event.peer, event.their_digest, event.their_last_common, actions);
}

void SyncEngine::on(PeerLost& event, Actions&) {
  const auto peer = peers_.find(event.peer);
  if (peer == peers_.end()) return;
  for (const Pending& pending : peer->second.pending) {
    if (std::holds_alternative<BundleAsk>(pending.ask)) --in_flight_;
    Log& log = logs_.at(pending.log);
    if (pending.again) {
      not_answered_again(pending);
      continue;
    }
    if (log.fetch && log.fetches == pending.fetch) log.fetch->put_back(pending.ask);
  }
  for (auto& [_, log] : logs_) {
    log.useless.erase(event.peer);
    log.useless_again.erase(event.peer);
  }
  peers_.erase(peer);
}

void SyncEngine::on(MessageReceived& event, Actions& actions) {
  if (!peers_.contains(event.peer)) return;  // Came after the driver dropped it.
  std::visit([&](auto& message) { receive(event.peer, message, actions); }, event.message);
}

void SyncEngine::on(EntriesStored& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  const bool asked_for = event.from != 0;
  if (asked_for) {
    KITH_CHECK(log.stores_pending > 0 && in_flight_ > 0);
    --log.stores_pending;
    --in_flight_;
  }
  if (event.held.size() > log.held.size()) log.held = event.held;
  if (event.outcome != EntriesStored::Outcome::stored) {
    // What follows it cannot be stored either: begin again from what is durable.
    log.received = log.held;
    end_fetch(event.log, log);
    if (event.outcome == EntriesStored::Outcome::refused && peers_.contains(event.from)) {
      drop(event.from, Errc::bad_proof, "entries that the store refused", actions);
    }
    return;
  }
  if (log.received.size() < log.held.size()) log.received = log.held;
  if (!event.new_gaps.empty()) {
    log.gaps.insert(event.new_gaps.begin(), event.new_gaps.end());
    touch(log);
    for (auto& [id, _] : peers_) ask_payloads(event.log, log, id, actions);
  }
  if (log.target && !log.fetch) begin_fetch(event.log, log, actions);
}

void SyncEngine::on(CheckpointKept& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  if (event.checkpoint.size <= log.checkpoint.size && log.checkpoint.size != 0) return;
  log.checkpoint = std::move(event.checkpoint);
  touch(log);
  if (log.target && log.target->size <= log.checkpoint.size) {
    end_fetch(event.log, log);
    if (log.next_target && log.next_target->size > log.checkpoint.size) {
      log.target = std::move(log.next_target);
      begin_fetch(event.log, log, actions);
    }
    log.next_target.reset();
  }
  tell(event.log, log, event.previous_size, actions);
}

void SyncEngine::on(PayloadsStored& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  if (const auto from = peers_.find(event.from); from != peers_.end()) {
    from->second.logs[event.log].storing_payloads = false;
  }
  for (const std::uint64_t index : event.indices) log.gaps.erase(index);
  if (!event.indices.empty()) touch(log);
  if (!event.accepted) {
    if (peers_.contains(event.from)) {
      drop(event.from, Errc::bad_proof, "a payload that is not what its leaf commits to", actions);
    }
    return;
  }
  // None was taken: another peer was quicker, or the disk is full and asking at once would not end.
  if (event.indices.empty()) return;
  for (auto& [id, _] : peers_) ask_payloads(event.log, log, id, actions);
}

void SyncEngine::on(AgreedChanged& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  if (event.agreed == log.agreed) return;
  log.agreed = event.agreed;
  log.agreed_root = event.root;
  touch(log);
  if (!log.own) {
    tell(event.log, log, 0, actions);
    return;
  }
  // The owner says so itself, with the cosignatures, as it is the first to know.
  for (auto& [id, peer] : peers_) {
    PeerLog& said = peer.logs[event.log];
    if (said.agreed >= log.agreed || peer.welcome_due) continue;
    said.told_agreed = log.agreed;
    said.told_size = log.checkpoint.size;
    actions.push_back(AnnounceLogs{id, {event.log}});
  }
}

void SyncEngine::on(LogFrozen& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  if (log.frozen) return;
  log.frozen = true;
  log.agreed_root = event.agreed_root;
  log.next_target.reset();
  end_fetch(event.log, log);
  touch(log);
  tell(event.log, log, 0, actions);
}

void SyncEngine::on(Tick& event, Actions& actions) {
  now_ms_ = event.now_ms;
  for (auto& [id, peer] : peers_) {
    const bool owes = !peer.pending.empty() || peer.asked_other != 0 || peer.welcome_due;
    if (owes && now_ms_ - peer.progress_ms > limits::answer_ms) {
      drop(id, Errc::unavailable, "no answer in time", actions);
      continue;
    }
    if (!peer.welcome_due && now_ms_ - peer.pinged_ms >= limits::keepalive_ms) {
      peer.pinged_ms = now_ms_;
      actions.push_back(Send{id, peer::Ping{digest()}});
    }
  }
  if (now_ms_ - looked_ms_ < limits::look_again_ms) return;
  looked_ms_ = now_ms_;
  // Whoever answered wrongly may be the only one in reach: without another chance, what it alone
  // can give would stand still for as long as the connection does.
  for (auto& [_, log] : logs_) log.useless.clear();
  look_again();
  ask_checkpoints_again(actions);
  for (auto& [log_id, log] : logs_) {
    if (log.gaps.empty()) continue;
    for (auto& [peer_id, _] : peers_) ask_payloads(log_id, log, peer_id, actions);
  }
}

void SyncEngine::ask_checkpoints_again(Actions& actions) {
  // A fetch that ended early (a full disk, a peer that left) is begun again from here, and so are
  // cosignatures that came before their witnesses were known. One peer for each log is enough.
  std::set<LogId> asked_now;
  for (auto& [id, peer] : peers_) {
    peer::GetCheckpoints wanted;
    for (auto& [log_id, said] : peer.logs) {
      const auto known = logs_.find(log_id);
      if (known == logs_.end() || known->second.frozen || known->second.target) continue;
      const std::uint64_t ours = known->second.checkpoint.size;
      const bool more =
          said.size > ours || (said.size == ours && said.agreed > known->second.agreed);
      if (!more || said.asked_checkpoint || !asked_now.insert(log_id).second) continue;
      if (wanted.logs.size() == limits::entries_per_list_max) break;
      said.asked_checkpoint = true;
      wanted.logs.push_back(log_id);
    }
    if (wanted.logs.empty()) continue;
    asked(peer);
    peer.asked_other += wanted.logs.size();
    actions.push_back(Send{id, std::move(wanted)});
  }
}

// ---- what is held, and telling so --------------------------------------------------------------

peer::LogSummary SyncEngine::summary(const LogId& id, const Log& log) const {
  // Of a frozen log only what is agreed counts: so all who froze it say the same of it.
  const SignedCheckpoint counts = counted(log);
  const std::vector<std::uint64_t> gaps(
      log.gaps.begin(), log.frozen ? log.gaps.lower_bound(counts.size) : log.gaps.end());
  return {id, counts.size, counts.root, log.agreed, gaps_hash(gaps), log.frozen};
}

SignedCheckpoint SyncEngine::counted(const Log& log) {
  if (!log.frozen) return log.checkpoint;
  return {log.agreed, log.agreed_root, {}};
}

void SyncEngine::touch(Log& log) {
  log.changed = ++changes_;
  digest_.reset();
}

bool SyncEngine::have_in_common(const Peer& peer, const DigestHalf& theirs) const {
  const auto common = common_.find(peer.member);
  return common != common_.end() && common->second.digest == theirs;
}

void SyncEngine::equal_digests(Peer& peer, std::uint64_t up_to_change) {
  for (const auto& [id, log] : logs_) {
    if (log.changed > up_to_change) continue;
    PeerLog& said = peer.logs[id];
    said.holds(counted(log));
    said.agreed = std::max(said.agreed, log.agreed);
    said.told_size = std::max(said.told_size, log.checkpoint.size);
    said.told_agreed = std::max(said.told_agreed, log.agreed);
  }
}

void SyncEngine::compare_digests(PeerId id, const Hash& theirs, const DigestHalf& last_common,
                                 Actions& actions) {
  Peer& peer = peers_.at(id);
  if (theirs == digest()) {
    equal_digests(peer, changes_);
    common_[peer.member] = {first_half(theirs), changes_};
    actions.push_back(OwnLogAnswered{id});
    return;
  }
  std::uint64_t known_up_to = 0;
  if (have_in_common(peer, last_common)) {
    known_up_to = common_.at(peer.member).changes;
    equal_digests(peer, known_up_to);
  }
  peer::Have have;
  for (auto& [log_id, log] : logs_) {
    if (log.changed <= known_up_to) continue;
    PeerLog& said = peer.logs[log_id];
    said.told_size = log.checkpoint.size;
    said.told_agreed = log.agreed;
    have.logs.push_back(summary(log_id, log));
    if (have.logs.size() == limits::entries_per_list_max) {
      actions.push_back(Send{id, std::exchange(have, {})});
    }
  }
  if (!have.logs.empty()) actions.push_back(Send{id, std::move(have)});
}

void SyncEngine::tell(const LogId& id, Log& log, std::uint64_t push_from, Actions& actions) {
  for (auto& [peer_id, peer] : peers_) {
    if (peer.welcome_due) continue;  // The digests will show it.
    PeerLog& said = peer.logs[id];
    const bool knows = said.size >= log.checkpoint.size && said.agreed >= log.agreed;
    const bool told = said.told_size >= log.checkpoint.size && said.told_agreed >= log.agreed;
    if ((knows || told) && !log.frozen) continue;
    said.told_size = log.checkpoint.size;
    said.told_agreed = log.agreed;
    const bool pushable = log.own && said.size == push_from && push_from < log.checkpoint.size;
    if (pushable) {
      said.holds(log.checkpoint);
      actions.push_back(PushEntries{peer_id, id, push_from});
    } else {
      actions.push_back(Send{peer_id, peer::Have{{summary(id, log)}}});
    }
  }
}

void SyncEngine::asked(Peer& peer) {
  if (peer.pending.empty() && peer.asked_other == 0) peer.progress_ms = now_ms_;
}

void SyncEngine::drop(PeerId peer, Errc code, const char* why, Actions& actions) {
  actions.push_back(DropPeer{peer, fail(code, why)});
}

}  // namespace kith::sync
