// Leaves that are held but damaged: fetched again against our own checkpoint, so that nothing else
// that lies here needs to be believed. Nobody is dropped over them: who answers wrongly may have
// the same trouble.
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/sync/sync_engine.hpp"

namespace kith::sync {

void SyncEngine::begin_again(const LogId& id, Log& log) {
  if (log.again) return;
  // What lies behind the checkpoint is not known to be what its owner signed, and nobody else is
  // known to have it.
  std::set<std::uint64_t> bundles = log.wanted;
  bundles.erase(
      bundles.lower_bound((log.checkpoint.size + limits::tile_hashes - 1) / limits::tile_hashes),
      bundles.end());
  if (bundles.empty()) return;
  log.again = Fetch::again(log.checkpoint.size, log.checkpoint.root, std::move(bundles));
  refetching_.insert(id);
}

void SyncEngine::end_again(const LogId& id, Log& log) {
  log.again.reset();
  log.not_put.clear();
  refetching_.erase(id);
}

void SyncEngine::ask_again(Actions& actions) {
  for (const LogId& id : refetching_) {
    Log& log = logs_.at(id);
    while (in_flight_ < limits::bundles_in_flight_max) {
      const auto chosen = choose_peer(id, log.again->size(), log.useless_again);
      if (!chosen) break;
      auto ask = log.again->next();
      if (!ask) break;
      // Payloads are kept where they are good, and are gaps otherwise.
      if (auto* bundle = std::get_if<BundleAsk>(&*ask)) bundle->payloads_from = bundle->last;
      send_ask(*chosen, {id, log.again->size(), std::move(*ask), true}, actions);
    }
  }
}

void SyncEngine::look_again() {
  for (const LogId& id : refetching_) {
    Log& log = logs_.at(id);
    log.useless_again.clear();
    for (const BundleAsk& ask : std::exchange(log.not_put, {})) log.again->put_back(ask);
  }
}

void SyncEngine::tiles_again(PeerId id, const Pending& pending, const peer::Tiles& message) {
  Log& log = logs_.at(pending.log);
  if (!log.again || log.again->size() != pending.target_size) return;
  if (log.again->on_tiles(std::get<TileAsk>(pending.ask), decode_tiles(message)) == Verdict::good) {
    return;
  }
  log.again->put_back(pending.ask);
  log.useless_again.insert(id);
}

void SyncEngine::entries_again(PeerId id, const Pending& pending, const peer::Entries& message,
                               Actions& actions) {
  Log& log = logs_.at(pending.log);
  if (!log.again || log.again->size() != pending.target_size) return;
  const auto& ask = std::get<BundleAsk>(pending.ask);
  PutLeaves put{pending.log, ask.first, {}};
  std::vector<TreeHash> hashes;
  if (const auto leaves = split_bundle(message.leaves, limits::tile_hashes)) {
    for (const BytesView leaf : *leaves) {
      hashes.push_back(leaf_hash(leaf));
      put.leaves.push_back(to_bytes(leaf));
    }
  }
  if (log.again->on_bundle(ask, hashes) != Verdict::good) {
    log.again->put_back(ask);
    log.useless_again.insert(id);
    return;
  }
  ++log.puts_pending;
  ++in_flight_;
  actions.push_back(std::move(put));
}

void SyncEngine::on(LeavesPut& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  KITH_CHECK(log.again && log.puts_pending > 0 && in_flight_ > 0);
  --log.puts_pending;
  --in_flight_;
  const std::uint64_t bundle = event.first / limits::tile_hashes;
  if (!event.put) {
    const std::uint64_t end =
        std::min<std::uint64_t>(event.first + limits::tile_hashes, log.again->size());
    log.not_put.push_back({event.first, end, end});
    return;
  }
  log.wanted.erase(bundle);
  if (!event.new_gaps.empty()) {
    log.gaps.insert(event.new_gaps.begin(), event.new_gaps.end());
    touch(log);
    for (auto& [peer, _] : peers_) ask_payloads(event.log, log, peer, actions);
  }
  const bool more =
      !log.wanted.empty() && *log.wanted.begin() * limits::tile_hashes < log.again->size();
  if (more) return;
  end_again(event.log, log);
  begin_again(event.log, log);
}

}  // namespace kith::sync
