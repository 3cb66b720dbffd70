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
  log.own = event.own;
  log.frozen = event.frozen;
  log.held = event.held;
  log.received = event.held;
  log.checkpoint = std::move(event.checkpoint);
  log.agreed = event.agreed;
  log.gaps.insert(event.gaps.begin(), event.gaps.end());
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
    if (log.fetch && log.fetch->size() == pending.target_size) log.fetch->put_back(pending.ask);
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
  const std::vector<std::uint64_t> gaps(log.gaps.begin(), log.gaps.end());
  return {id, log.checkpoint.size, log.checkpoint.root, log.agreed, gaps_hash(gaps), log.frozen};
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
    said.size = std::max(said.size, log.checkpoint.size);
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
      said.size = log.checkpoint.size;
      actions.push_back(PushEntries{peer_id, id, push_from});
    } else {
      actions.push_back(Send{peer_id, peer::Have{{summary(id, log)}}});
    }
  }
}

// ---- fetching
// ------------------------------------------------------------------------------------

void SyncEngine::offer(PeerId peer, const LogId& id, SignedCheckpoint checkpoint,
                       Actions& actions) {
  Log& log = logs_.at(id);
  if (peer != 0) {
    PeerLog& said = peers_.at(peer).logs[id];
    said.size = std::max(said.size, checkpoint.size);
  }
  const auto contradicts = [&](const std::optional<SignedCheckpoint>& other) {
    return other && other->size == checkpoint.size && other->root != checkpoint.root;
  };
  if (contradicts(log.checkpoint)) return fork_found(id, log, checkpoint.note, actions);
  if (log.frozen || checkpoint.size <= log.checkpoint.size) return;
  if (log.own && checkpoint.size > log.held.size()) {
    actions.push_back(OwnLogBehind{id, checkpoint.size});
  }
  if (checkpoint.size <= log.held.size()) {
    // Its leaves are here already: the store compares the root. A peer that says so over and over
    // does not fill the writer's queue; what it said is asked for again.
    if (in_flight_ >= limits::bundles_in_flight_max) return;
    ++log.stores_pending;
    ++in_flight_;
    actions.push_back(StoreEntries{id, peer, log.held.size(), {}, std::move(checkpoint)});
    return;
  }
  if (log.target && checkpoint.size <= log.target->size) return;
  if (log.fetch) {
    if (!log.next_target || log.next_target->size < checkpoint.size) {
      log.next_target = std::move(checkpoint);
    }
    return;
  }
  log.target = std::move(checkpoint);
  begin_fetch(id, log, actions);
}

void SyncEngine::fork_found(const LogId& id, Log& log, const std::string& note, Actions& actions) {
  if (log.frozen) return;
  actions.push_back(ForkFound{id, log.checkpoint.note, note});
}

void SyncEngine::begin_fetch(const LogId& id, Log& log, Actions&) {
  // What is being stored comes first: a fetch begins at durable leaves.
  if (log.frozen || log.stores_pending != 0 || log.target->size <= log.held.size()) return;
  log.received = log.held;
  log.useless.clear();
  log.fetch.emplace(log.held, log.target->size, log.target->root);
  fetching_.insert(id);
}

void SyncEngine::end_fetch(const LogId& id, Log& log) {
  in_flight_ -= log.waiting.size();
  log.waiting.clear();
  log.fetch.reset();
  log.target.reset();
  fetching_.erase(id);
}

std::optional<PeerId> SyncEngine::choose_peer(const LogId& id, std::uint64_t size,
                                              const std::set<PeerId>& useless) const {
  std::optional<PeerId> best;
  std::size_t least = limits::fetch_window;
  for (const auto& [peer_id, peer] : peers_) {
    const auto said = peer.logs.find(id);
    if (said == peer.logs.end() || said->second.size < size) continue;
    if (useless.contains(peer_id) || peer.pending.size() >= least) continue;
    least = peer.pending.size();
    best = peer_id;
  }
  return best;
}

bool SyncEngine::ask_next(const LogId& id, Log& log, Actions& actions) {
  const auto chosen = choose_peer(id, log.target->size, log.useless);
  if (!chosen) return false;
  const auto ask = log.fetch->next();
  if (!ask) return false;
  send_ask(*chosen, {id, log.target->size, *ask, false}, actions);
  return true;
}

void SyncEngine::send_ask(PeerId to, Pending pending, Actions& actions) {
  Peer& peer = peers_.at(to);
  asked(peer);
  if (const auto* bundle = std::get_if<BundleAsk>(&pending.ask)) {
    ++in_flight_;
    actions.push_back(Send{
        to, peer::GetEntries{pending.log, bundle->first, bundle->last, bundle->payloads_from}});
  } else {
    peer::GetTiles get{pending.log, pending.target_size, {}};
    for (const TileId& tile : std::get<TileAsk>(pending.ask).tiles) {
      get.tiles.push_back({static_cast<std::uint8_t>(tile.level), tile.index});
    }
    actions.push_back(Send{to, std::move(get)});
  }
  peer.pending.push_back(std::move(pending));
}

void SyncEngine::ask_more(Actions& actions) {
  // Round robin over the logs, so that one long log does not hold up the others.
  bool asked_any = true;
  while (asked_any && in_flight_ < limits::bundles_in_flight_max) {
    asked_any = false;
    for (const LogId& id : fetching_) {
      if (in_flight_ >= limits::bundles_in_flight_max) break;
      asked_any = ask_next(id, logs_.at(id), actions) || asked_any;
    }
  }
  ask_again(actions);
}

void SyncEngine::ask_payloads(const LogId& id, Log& log, PeerId peer_id, Actions& actions) {
  Peer& peer = peers_.at(peer_id);
  const auto known = peer.logs.find(id);
  if (log.gaps.empty() || known == peer.logs.end()) return;
  PeerLog& said = known->second;
  if (!said.asked_payloads.empty() || said.storing_payloads) return;
  std::vector<std::uint64_t> wanted;
  for (const std::uint64_t index : log.gaps) {
    if (index >= said.size || wanted.size() == limits::tile_hashes) break;
    if (!said.lacks.contains(index)) wanted.push_back(index);
  }
  if (wanted.empty()) return;
  said.asked_payloads = wanted;
  asked(peer);
  ++peer.asked_other;
  actions.push_back(Send{peer_id, peer::GetPayloads{id, std::move(wanted)}});
}

void SyncEngine::release(const LogId& id, Log& log, Actions& actions) {
  while (!log.waiting.empty() && log.waiting.begin()->first == log.received.size()) {
    Waiting next = std::move(log.waiting.begin()->second);
    log.waiting.erase(log.waiting.begin());
    StoreEntries store{id, next.from, log.received.size(), std::move(next.entries), {}};
    for (const TreeHash& hash : next.hashes) log.received.push(hash);
    if (log.received.size() == log.target->size) store.checkpoint = log.target;
    ++log.stores_pending;
    actions.push_back(std::move(store));
  }
}

void SyncEngine::asked(Peer& peer) {
  if (peer.pending.empty() && peer.asked_other == 0) peer.progress_ms = now_ms_;
}

void SyncEngine::drop(PeerId peer, Errc code, const char* why, Actions& actions) {
  actions.push_back(DropPeer{peer, fail(code, why)});
}

}  // namespace kith::sync
