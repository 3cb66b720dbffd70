// What a peer says: one overload of SyncEngine::receive for each message.
#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/sync/sync_engine.hpp"

namespace kith::sync {

void SyncEngine::receive(PeerId id, peer::Welcome& message, Actions& actions) {
  Peer& peer = peers_.at(id);
  if (!peer.welcome_due) return drop(id, Errc::unrequested, "a second welcome", actions);
  peer.welcome_due = false;
  peer.progress_ms = now_ms_;
  compare_digests(id, message.digest, message.last_common, actions);
}

void SyncEngine::receive(PeerId id, peer::Have& message, Actions& actions) {
  Peer& peer = peers_.at(id);
  peer::GetCheckpoints wanted;
  for (const peer::LogSummary& theirs : message.logs) {
    if (!peer.logs.contains(theirs.log) && peer.logs.size() >= limits::logs_max) break;
    PeerLog& said = peer.logs[theirs.log];
    // A peer that lost its tail may say less than before: believe it.
    said.size = theirs.size;
    said.root = theirs.root;
    said.agreed = theirs.agreed;
    if (said.gaps != theirs.gaps) said.lacks.clear();
    said.gaps = theirs.gaps;

    const auto known = logs_.find(theirs.log);
    if (known == logs_.end()) continue;  // Kept for the day we follow it.
    Log& log = known->second;
    if (log.own) actions.push_back(OwnLogAnswered{id});
    const std::uint64_t ours = log.checkpoint.size;
    const bool more = theirs.size > ours && (!log.target || theirs.size > log.target->size);
    const bool other = theirs.size == ours && (theirs.root != log.checkpoint.root);
    const bool agreed = theirs.size >= ours && theirs.agreed > log.agreed;
    // Whoever does not think it frozen may know the certificate that ended it.
    const bool asks = log.frozen ? !theirs.frozen : more || other || agreed;
    if (asks && !said.asked_checkpoint) {
      said.asked_checkpoint = true;
      wanted.logs.push_back(theirs.log);
    }
    ask_payloads(theirs.log, log, id, actions);
    const bool behind = theirs.size < ours || (theirs.size == ours && theirs.agreed < log.agreed);
    const bool told = said.told_size >= ours && said.told_agreed >= log.agreed;
    if (behind && !told) {
      said.told_size = ours;
      said.told_agreed = log.agreed;
      actions.push_back(Send{id, peer::Have{{summary(theirs.log, log)}}});
    }
  }
  if (wanted.logs.empty()) return;
  asked(peer);
  peer.asked_other += wanted.logs.size();
  actions.push_back(Send{id, std::move(wanted)});
}

void SyncEngine::receive(PeerId id, peer::GetCheckpoints& message, Actions& actions) {
  std::erase_if(message.logs, [&](const LogId& log) { return !logs_.contains(log); });
  if (!message.logs.empty()) actions.push_back(AnnounceLogs{id, std::move(message.logs)});
}

void SyncEngine::receive(PeerId id, peer::Announce& message, Actions& actions) {
  Peer& peer = peers_.at(id);
  const auto known = logs_.find(message.log);
  if (known == logs_.end()) return;
  PeerLog& said = peer.logs[message.log];
  if (said.asked_checkpoint) {
    said.asked_checkpoint = false;
    --peer.asked_other;
    peer.progress_ms = now_ms_;
  }
  if (message.note.empty()) return;  // It has no checkpoint of that log yet.
  if (message.note == known->second.checkpoint.note) {
    said.holds(known->second.checkpoint);
    return;
  }
  const auto checkpoint = verifier_(message.log, message.note);
  if (!checkpoint) {
    // An owner's key we do not know yet is no lie; a false signature is.
    if (checkpoint.error().code == Errc::not_found) return;
    return drop(id, Errc::bad_signature, "a checkpoint that its log's key did not sign", actions);
  }
  offer(id, message.log, {checkpoint->size, checkpoint->root, std::move(message.note)}, actions);
}

void SyncEngine::receive(PeerId id, peer::Push& message, Actions& actions) {
  const auto known = logs_.find(message.log);
  if (known == logs_.end()) return;
  Log& log = known->second;
  const auto checkpoint = verifier_(message.log, message.note);
  if (!checkpoint) {
    if (checkpoint.error().code == Errc::not_found) return;
    return drop(id, Errc::bad_signature, "a checkpoint that its log's key did not sign", actions);
  }
  SignedCheckpoint target{checkpoint->size, checkpoint->root, std::move(message.note)};
  peers_.at(id).logs[message.log].holds(target);
  const bool fits = !log.frozen && !log.own && !log.fetch && !log.target &&
                    message.first == log.received.size() && checkpoint->size > message.first &&
                    checkpoint->size - message.first <= limits::tile_hashes &&
                    in_flight_ < limits::bundles_in_flight_max;
  if (!fits) return offer(id, message.log, std::move(target), actions);

  const auto leaves = split_bundle(message.leaves, limits::tile_hashes);
  if (!leaves || leaves->size() != checkpoint->size - message.first) {
    return drop(id, Errc::malformed, "a push whose leaves do not fit its checkpoint", actions);
  }
  CompactRange range = log.received;
  for (const BytesView leaf : *leaves) range.push(leaf_hash(leaf));
  // Its checkpoint is true, its leaves are not (or the log forked): a fetch finds out which.
  if (range.root() != checkpoint->root) return offer(id, message.log, std::move(target), actions);

  auto entries = read_entries(*leaves, 0, message.payloads);
  if (!entries) return drop(id, entries.error().code, "a push that does not verify", actions);
  log.received = std::move(range);
  ++log.stores_pending;
  ++in_flight_;
  actions.push_back(
      StoreEntries{message.log, id, message.first, std::move(*entries), std::move(target)});
}

void SyncEngine::receive(PeerId id, peer::GetTiles& message, Actions& actions) {
  if (logs_.contains(message.log)) actions.push_back(Serve{id, std::move(message)});
}

void SyncEngine::receive(PeerId id, peer::GetEntries& message, Actions& actions) {
  if (logs_.contains(message.log)) actions.push_back(Serve{id, std::move(message)});
}

void SyncEngine::receive(PeerId id, peer::GetPayloads& message, Actions& actions) {
  if (logs_.contains(message.log)) actions.push_back(Serve{id, std::move(message)});
}

void SyncEngine::receive(PeerId id, peer::Tiles& message, Actions& actions) {
  const auto pending = take_pending(
      id, message.log, [](const Ask& ask) { return std::holds_alternative<TileAsk>(ask); });
  if (!pending) return drop(id, Errc::unrequested, "tiles that nobody asked for", actions);
  Log& log = logs_.at(message.log);
  if (!log.fetch || log.fetches != pending->fetch) return;  // Of an earlier target.

  const auto& ask = std::get<TileAsk>(pending->ask);
  if (log.fetch->on_tiles(ask, decode_tiles(message)) == Verdict::wrong) {
    if (says_not_held(message)) return not_held(id, *pending, log);
    wrong_answer(id, *pending, log, "tiles that do not verify", actions);
  }
}

void SyncEngine::receive(PeerId id, peer::Entries& message, Actions& actions) {
  const auto pending = take_pending(id, message.log, [&](const Ask& ask) {
    const auto* bundle = std::get_if<BundleAsk>(&ask);
    return bundle != nullptr && bundle->first == message.first && bundle->last == message.last &&
           bundle->payloads_from == message.payloads_from;
  });
  if (!pending) return drop(id, Errc::unrequested, "entries that nobody asked for", actions);
  --in_flight_;
  if (pending->again) return entries_again(id, *pending, message, actions);
  Log& log = logs_.at(message.log);
  if (!log.fetch || log.fetches != pending->fetch) return;

  const auto& ask = std::get<BundleAsk>(pending->ask);
  const auto leaves = split_bundle(message.leaves, limits::tile_hashes);
  std::vector<TreeHash> hashes;
  if (leaves) {
    hashes.reserve(leaves->size());
    for (const BytesView leaf : *leaves) hashes.push_back(leaf_hash(leaf));
  }
  const Verdict verdict = check_hashes_ || hashes.size() != ask.last - ask.first
                              ? log.fetch->on_bundle(ask, hashes)
                              : Verdict::good;
  if (verdict == Verdict::wrong) {
    if (message.leaves.empty()) return not_held(id, *pending, log);
    return wrong_answer(id, *pending, log, "entries that do not verify", actions);
  }
  if (verdict == Verdict::conflict) {
    return fork_found(message.log, log, actions);
  }
  const auto skip = static_cast<std::size_t>(ask.payloads_from - ask.first);
  auto entries = read_entries(*leaves, skip, message.payloads);
  if (!entries) {
    return wrong_answer(id, *pending, log, "entries whose payloads do not verify", actions);
  }
  hashes.erase(hashes.begin(), hashes.begin() + static_cast<std::ptrdiff_t>(skip));
  ++in_flight_;
  log.waiting[ask.payloads_from] = {id, std::move(*entries), std::move(hashes)};
  release(message.log, log, actions);
}

void SyncEngine::receive(PeerId id, peer::Payloads& message, Actions& actions) {
  Peer& peer = peers_.at(id);
  const auto known = logs_.find(message.log);
  PeerLog& said = peer.logs[message.log];
  const std::vector<std::uint64_t> wanted = std::exchange(said.asked_payloads, {});
  const auto list = peer::split_payloads(message.payloads, limits::tile_hashes);
  if (known == logs_.end() || wanted.empty() || !list || list->size() != message.indices.size() ||
      message.indices.size() > wanted.size() ||
      !std::equal(message.indices.begin(), message.indices.end(), wanted.begin())) {
    return drop(id, Errc::unrequested, "payloads that nobody asked for", actions);
  }
  --peer.asked_other;
  peer.progress_ms = now_ms_;
  // An empty answer means that it holds none of them (or does not know the log any more).
  if (message.indices.empty()) said.lacks.insert(wanted.begin(), wanted.end());

  StorePayloads store{message.log, id, {}};
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::uint64_t index = message.indices[i];
    if (!(*list)[i]) {
      said.lacks.insert(index);
    } else if (known->second.gaps.contains(index)) {
      store.payloads.emplace_back(index, to_bytes(*(*list)[i]));
    }
  }
  if (store.payloads.empty()) return ask_payloads(message.log, known->second, id, actions);
  said.storing_payloads = true;
  actions.push_back(std::move(store));
}

void SyncEngine::receive(PeerId id, peer::Ping& message, Actions& actions) {
  actions.push_back(Send{id, peer::Pong{digest()}});
  Peer& peer = peers_.at(id);
  if (!message.digest.is_zero() && !peer.welcome_due) {
    compare_digests(id, message.digest, last_common(peer.member), actions);
  }
}

void SyncEngine::receive(PeerId id, peer::Pong& message, Actions& actions) {
  Peer& peer = peers_.at(id);
  if (!message.digest.is_zero() && !peer.welcome_due) {
    compare_digests(id, message.digest, last_common(peer.member), actions);
  }
}

template <class Other>
void SyncEngine::receive(PeerId id, Other&, Actions& actions) {
  drop(id, Errc::unrequested, "a message that has no place here", actions);
}

template void SyncEngine::receive(PeerId, peer::Cosigned&, Actions&);
template void SyncEngine::receive(PeerId, peer::Evidence&, Actions&);
template void SyncEngine::receive(PeerId, peer::Agreed&, Actions&);
template void SyncEngine::receive(PeerId, peer::Unasked&, Actions&);
template void SyncEngine::receive(PeerId, peer::JoinRequest&, Actions&);
template void SyncEngine::receive(PeerId, peer::JoinWaiting&, Actions&);
template void SyncEngine::receive(PeerId, peer::JoinGranted&, Actions&);

void SyncEngine::wrong_answer(PeerId id, const Pending& pending, Log& log, const char* what,
                              Actions& actions) {
  log.fetch->put_back(pending.ask);
  log.useless.insert(id);
  // A peer on another branch of a forked log is honest: only who offered this very tree answers for
  // it. Who merely holds more than it is not asked again for this target.
  const PeerLog& said = peers_.at(id).logs[pending.log];
  const bool offered_it = said.size == log.fetch->size() && said.root == log.fetch->root();
  if (offered_it) drop(id, Errc::bad_proof, what, actions);
}

std::vector<std::vector<TreeHash>> SyncEngine::decode_tiles(const peer::Tiles& message) {
  std::vector<std::vector<TreeHash>> tiles;
  for (const Bytes& bytes : message.tiles) {
    const auto hashes = decode_hashes(bytes);
    if (!hashes) break;
    tiles.push_back(*hashes);
  }
  return tiles;
}

std::optional<SyncEngine::Pending> SyncEngine::take_pending(
    PeerId id, const LogId& log, const std::function<bool(const Ask&)>& fits) {
  Peer& peer = peers_.at(id);
  for (auto pending = peer.pending.begin(); pending != peer.pending.end(); ++pending) {
    if (pending->log != log || !fits(pending->ask)) continue;
    Pending taken = std::move(*pending);
    peer.pending.erase(pending);
    peer.progress_ms = now_ms_;
    return taken;
  }
  return std::nullopt;
}

Result<std::vector<VerifiedEntry>> SyncEngine::read_entries(std::span<const BytesView> leaves,
                                                            std::size_t payloads_from,
                                                            BytesView payloads) const {
  const auto list = peer::split_payloads(payloads, limits::tile_hashes);
  if (!list) return list.error();
  if (list->size() > leaves.size() - payloads_from) {
    return fail(Errc::malformed, "more payloads than leaves");
  }
  std::vector<VerifiedEntry> entries;
  entries.reserve(leaves.size() - payloads_from);
  for (std::size_t i = payloads_from; i < leaves.size(); ++i) {
    const auto leaf = decode_leaf(text(leaves[i]));
    if (!leaf) return leaf.error();
    VerifiedEntry entry{to_bytes(leaves[i]), {}};
    const std::size_t at = i - payloads_from;
    if (at < list->size() && (*list)[at]) {
      if (check_hashes_ && !commits_to(*leaf, *(*list)[at])) {
        return fail(Errc::bad_proof, "a payload is not what its leaf commits to");
      }
      entry.payload = to_bytes(*(*list)[at]);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace kith::sync
