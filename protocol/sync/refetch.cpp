// Leaves that are held but damaged: asked for again, and judged by the store, which takes only what
// comes to the head. Nobody is dropped over them: who answers wrongly may have the same trouble.
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/sync/sync_engine.hpp"

namespace kith::sync {

bool SyncEngine::says_not_held(const peer::Tiles& message) {
  return std::ranges::any_of(message.tiles, [](const Bytes& tile) { return tile.empty(); });
}

void SyncEngine::not_held(PeerId peer, const Pending& pending, Log& log) {
  log.fetch->put_back(pending.ask);
  log.useless.insert(peer);
}

void SyncEngine::want_again(const LogId& id, Log& log, std::span<const std::uint64_t> bundles) {
  for (const std::uint64_t n : bundles) log.wanted.emplace(n, Wanted::missing);
  if (!log.wanted.empty()) refetching_.insert(id);
}

void SyncEngine::ask_again(Actions& actions) {
  for (const LogId& id : refetching_) {
    Log& log = logs_.at(id);
    for (auto& [n, state] : log.wanted) {
      if (in_flight_ >= limits::bundles_in_flight_max) return;
      if (state != Wanted::missing) continue;
      const std::uint64_t first = n * limits::tile_hashes;
      const std::uint64_t end = std::min(first + limits::tile_hashes, log.held.size());
      // Who holds only the beginning may have just what is damaged here.
      const auto holds = [](std::uint64_t size) {
        return [size](const PeerLog& said) { return said.size >= size; };
      };
      auto chosen = choose_peer(id, log.useless_again, holds(end));
      if (!chosen) chosen = choose_peer(id, log.useless_again, holds(first + 1));
      if (!chosen) continue;
      const std::uint64_t last = std::min(end, peers_.at(*chosen).logs.at(id).size);
      state = Wanted::asked;
      // Payloads are kept where they are good, and are gaps otherwise.
      send_ask(*chosen, {id, 0, BundleAsk{first, last, last}, true}, actions);
    }
  }
}

void SyncEngine::look_again() {
  for (const LogId& id : refetching_) {
    Log& log = logs_.at(id);
    log.useless_again.clear();
    for (auto& [_, state] : log.wanted) {
      if (state == Wanted::resting) state = Wanted::missing;
    }
  }
}

void SyncEngine::not_answered_again(const Pending& pending) {
  const std::uint64_t n = std::get<BundleAsk>(pending.ask).first / limits::tile_hashes;
  auto& wanted = logs_.at(pending.log).wanted;
  // A log that was set back wants it no more.
  if (const auto found = wanted.find(n); found != wanted.end()) found->second = Wanted::missing;
}

void SyncEngine::entries_again(PeerId id, const Pending& pending, const peer::Entries& message,
                               Actions& actions) {
  Log& log = logs_.at(pending.log);
  const auto& ask = std::get<BundleAsk>(pending.ask);
  const auto leaves = split_bundle(message.leaves, limits::tile_hashes);
  if (!leaves || leaves->size() != ask.last - ask.first) {
    log.useless_again.insert(id);
    return not_answered_again(pending);
  }
  PutLeaves put{pending.log, id, ask.first, {}};
  for (const BytesView leaf : *leaves) put.leaves.push_back(to_bytes(leaf));
  ++log.puts_pending;
  ++in_flight_;
  actions.push_back(std::move(put));
}

void SyncEngine::on(LeavesPut& event, Actions& actions) {
  Log& log = logs_.at(event.log);
  KITH_CHECK(log.puts_pending > 0 && in_flight_ > 0);
  --log.puts_pending;
  --in_flight_;
  const auto wanted = log.wanted.find(event.first / limits::tile_hashes);
  if (wanted == log.wanted.end()) return;  // The log was set back meanwhile.
  switch (event.outcome) {
    case LeavesPut::Outcome::refused:
      log.useless_again.insert(event.from);
      wanted->second = Wanted::missing;
      return;
    case LeavesPut::Outcome::failed:
      wanted->second = Wanted::resting;
      return;
    case LeavesPut::Outcome::put:
      break;
  }
  log.wanted.erase(wanted);
  if (log.wanted.empty()) refetching_.erase(event.log);
  if (event.new_gaps.empty()) return;
  log.gaps.insert(event.new_gaps.begin(), event.new_gaps.end());
  touch(log);
  for (auto& [peer, _] : peers_) ask_payloads(event.log, log, peer, actions);
}

}  // namespace kith::sync
