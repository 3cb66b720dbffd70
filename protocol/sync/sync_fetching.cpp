// From a checkpoint that somebody offers to leaves that the store is given.
#include "protocol/base/limits.hpp"
#include "protocol/sync/sync_engine.hpp"

namespace kith::sync {

void SyncEngine::offer(PeerId peer, const LogId& id, SignedCheckpoint checkpoint,
                       Actions& actions) {
  Log& log = logs_.at(id);
  if (peer != 0) {
    peers_.at(peer).logs[id].holds(checkpoint);
  }
  const auto contradicts = [&](const std::optional<SignedCheckpoint>& other) {
    return other && other->size == checkpoint.size && other->root != checkpoint.root;
  };
  if (log.frozen) return;
  if (contradicts(log.checkpoint)) {
    actions.push_back(ForkFound{id, std::move(checkpoint), {}});
    return;
  }
  if (checkpoint.size < log.checkpoint.size) {
    actions.push_back(CompareCheckpoint{id, std::move(checkpoint)});
  }
  if (checkpoint.size <= log.checkpoint.size) return;
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

void SyncEngine::fork_found(const LogId& id, Log& log, Actions& actions) {
  // Whoever can be shown to have signed both is frozen for it. Otherwise what is held beyond the
  // newest checkpoint is of a third tree, whose signature is gone.
  if (!log.frozen) {
    ForkFound found{id, *log.target, {}};
    if (log.checkpoint.size > 0) found.beginning = log.fetch->consistency(log.checkpoint.size);
    actions.push_back(std::move(found));
  }
  end_fetch(id, log);
}

void SyncEngine::begin_fetch(const LogId& id, Log& log, Actions&) {
  // What is being stored comes first: a fetch begins at durable leaves.
  const bool is_agreed = log.target->note.empty();
  if (log.frozen != is_agreed || log.stores_pending != 0) return;
  if (log.target->size <= log.held.size()) return;
  log.received = log.held;
  log.useless.clear();
  log.fetch.emplace(log.held, log.target->size, log.target->root);
  ++log.fetches;
  fetching_.insert(id);
}

void SyncEngine::end_fetch(const LogId& id, Log& log) {
  in_flight_ -= log.waiting.size();
  log.waiting.clear();
  log.fetch.reset();
  log.target.reset();
  fetching_.erase(id);
}

void SyncEngine::PeerLog::holds(const SignedCheckpoint& checkpoint) {
  if (checkpoint.size < size) return;
  size = checkpoint.size;
  root = checkpoint.root;
}

bool SyncEngine::PeerLog::may_serve(std::uint64_t tree_size, const TreeHash& tree) const {
  return size > tree_size || (size == tree_size && root == tree);
}

std::optional<PeerId> SyncEngine::choose_peer(
    const LogId& id, const std::set<PeerId>& useless,
    const std::function<bool(const PeerLog&)>& may_serve) const {
  std::optional<PeerId> best;
  std::size_t least = limits::fetch_window;
  for (const auto& [peer_id, peer] : peers_) {
    const auto said = peer.logs.find(id);
    if (said == peer.logs.end() || !may_serve(said->second)) continue;
    if (useless.contains(peer_id) || peer.pending.size() >= least) continue;
    least = peer.pending.size();
    best = peer_id;
  }
  return best;
}

bool SyncEngine::ask_next(const LogId& id, Log& log, Actions& actions) {
  const auto chosen = choose_peer(id, log.useless, [&](const PeerLog& said) {
    return said.may_serve(log.target->size, log.target->root);
  });
  if (!chosen) return false;
  const auto ask = log.fetch->next();
  if (!ask) return false;
  send_ask(*chosen, {id, log.fetches, *ask, false}, actions);
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
    peer::GetTiles get{pending.log, logs_.at(pending.log).target->size, {}};
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
  // Of a frozen log what lies beyond may be of the other history there.
  const std::uint64_t end = log.frozen ? std::min(said.size, log.agreed) : said.size;
  for (const std::uint64_t index : log.gaps) {
    if (index >= end || wanted.size() == limits::tile_hashes) break;
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

}  // namespace kith::sync
